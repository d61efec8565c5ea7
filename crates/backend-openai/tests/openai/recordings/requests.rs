//! What was asked, said by our vocabulary and sent once more.
//!
//! A recorded request is read into a [`ChatRequest`], field by field; what the vocabulary doesn't have becomes `extra`, a
//! provider's tool or [`Part::Other`], as a caller would say it. What is then sent has to be what was recorded.

use super::recordings;
use crate::key;
use gatepass_core::{
    ChatRequest, LlmBackend, Media, Message, Part, Reasoning, ReasoningEffort, ReasoningOptions,
    ResponseFormat, Role, Tool, ToolCall, ToolChoice, ToolResult,
};
use gatepass_http::{HttpClient, HttpOptions, RetryPolicy, ServerUrl, Transport};
use gatepass_openai::{OpenAiBackend, OpenAiResponsesBackend};
use gatepass_testkit::recordings::{Problem, Recording, report};
use gatepass_testkit::{Answer, ModelServer, Value};
use serde_json::{Map, json};
use std::sync::Arc;

type Object = Map<String, Value>;

#[tokio::test]
async fn every_recorded_chat_request_is_said() {
    let Some(recordings) = recordings("openai-chat") else {
        return;
    };
    let server = ModelServer::start().await;
    let mut failures = Vec::new();
    for recording in &recordings {
        if let Err(problem) = say_chat(recording, &server).await {
            failures.push(format!("{}: {problem}", recording.id));
        }
    }
    report("recorded chat requests are said", &recordings, failures, &[]);
}

#[tokio::test]
async fn every_recorded_responses_request_is_said() {
    let Some(recordings) = recordings("openai-responses") else {
        return;
    };
    let server = ModelServer::start().await;
    let mut failures = Vec::new();
    for recording in &recordings {
        if let Err(problem) = say_responses(recording, &server).await {
            failures.push(format!("{}: {problem}", recording.id));
        }
    }
    report("recorded Responses requests are said", &recordings, failures, &[]);
}

async fn say_chat(recording: &Recording, server: &ModelServer) -> Result<(), Problem> {
    let backend = OpenAiBackend::with_http(
        HttpClient::new(HttpOptions::default()).unwrap(),
        base_url(server),
        Arc::new(key()),
    );
    let backend = backend.with_retry(RetryPolicy::never());
    let request = chat_request(object(&recording.request)?)?;
    let answer = json!({ "choices": [{ "message": { "content": "" } }] });
    say(recording, server, &backend, request, answer, chat_defaults).await
}

async fn say_responses(recording: &Recording, server: &ModelServer) -> Result<(), Problem> {
    let backend = OpenAiResponsesBackend::new(&server.base_url(), key()).unwrap();
    let backend = backend.with_retry(RetryPolicy::never());
    let request = responses_request(object(&recording.request)?)?;
    let answer = json!({ "status": "completed", "output": [] });
    say(recording, server, &backend, request, answer, responses_defaults).await
}

async fn say(
    recording: &Recording,
    server: &ModelServer,
    backend: &impl LlmBackend,
    request: ChatRequest,
    answer: Value,
    without_defaults: impl Fn(&mut Value),
) -> Result<(), Problem> {
    server.push(Answer::json(200, &answer));
    let asked = if recording.request["stream"] == true {
        backend.chat_stream(request).await.map(drop)
    } else {
        backend.chat(request).await.map(drop)
    };
    if let Err(error) = asked {
        server.normal();
        return Err(error.to_string());
    }
    let mut sent = server.requests().pop().unwrap().json;
    let mut recorded = recording.request.clone();
    without_defaults(&mut sent);
    without_defaults(&mut recorded);
    match difference(&sent, &recorded, "") {
        None => Ok(()),
        Some(difference) => Err(difference),
    }
}

/// A local address; nothing but the body is looked at.
fn base_url(server: &ModelServer) -> ServerUrl {
    ServerUrl::parse(&server.base_url(), "base_url", Transport::Encrypted).unwrap()
}

/// Where two values differ first.
fn difference(sent: &Value, recorded: &Value, path: &str) -> Option<String> {
    match (sent, recorded) {
        (Value::Object(sent), Value::Object(recorded)) => {
            let names = sent.keys().chain(recorded.keys());
            names.into_iter().find_map(|name| {
                let missing = Value::from("(nothing)");
                let (sent, recorded) = (sent.get(name), recorded.get(name));
                difference(
                    sent.unwrap_or(&missing),
                    recorded.unwrap_or(&missing),
                    &format!("{path}/{name}"),
                )
            })
        }
        (Value::Array(sent), Value::Array(recorded)) if sent.len() == recorded.len() => {
            let mut pairs = sent.iter().zip(recorded).enumerate();
            pairs.find_map(|(index, (sent, recorded))| difference(sent, recorded, &format!("{path}/{index}")))
        }
        (Value::Number(sent), Value::Number(recorded)) if sent.as_f64() == recorded.as_f64() => None,
        _ if sent == recorded => None,
        _ => {
            let cut = |value: &Value| value.to_string().chars().take(200).collect::<String>();
            Some(format!("{path}: sent {}, recorded {}", cut(sent), cut(recorded)))
        }
    }
}

/// Takes away what means the same as if it weren't there.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, value| !value.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn drop_default(members: &mut Value, name: &str, default: &Value) {
    if members.get(name).is_some_and(|value| same_value(value, default)) {
        members.as_object_mut().unwrap().remove(name);
    }
}

fn same_value(value: &Value, other: &Value) -> bool {
    value == other || (value.is_number() && value.as_f64() == other.as_f64())
}

/// `n` 1 is the default, and so is an answer in one piece; `prefix`, `index` and `type` have defaults at those who write
/// them; an assistant's text may be missing, `null` or empty beside tool calls.
fn chat_defaults(body: &mut Value) {
    drop_nulls(body);
    for (name, default) in [("n", json!(1)), ("stream", json!(false))] {
        drop_default(body, name, &default);
    }
    // Two names for one thing; the recording's host wants the one, and this test's server gets the other.
    let members = body.as_object_mut().unwrap();
    if let Some(limit) = members.remove("max_tokens") {
        members.insert("max_completion_tokens".into(), limit);
    }
    for message in body["messages"].as_array_mut().into_iter().flatten() {
        drop_default(message, "prefix", &json!(false));
        drop_default(message, "tool_calls", &json!([]));
        let has_calls = message.get("tool_calls").is_some();
        if has_calls {
            drop_default(message, "content", &json!(""));
            drop_default(message, "content", &json!([]));
        }
        for piece in message["content"].as_array_mut().into_iter().flatten() {
            join_thought(piece);
        }
        for call in message["tool_calls"].as_array_mut().into_iter().flatten() {
            drop_default(call, "index", &json!(0));
        }
        drop_default(message, "tool_calls", &Value::Null);
        join_texts(message);
    }
    for tool in body["tools"].as_array_mut().into_iter().flatten() {
        if tool.get("type").is_none() {
            tool["type"] = json!("function");
        }
        drop_default(&mut tool["function"], "description", &json!(""));
        drop_default(&mut tool["function"], "strict", &json!(false));
        drop_default(tool, "function", &Value::Null);
    }
    drop_default(body, "tools", &Value::Null);
    drop_default(body, "tools", &json!([]));
}

/// A thought in several texts is the same thought.
fn join_thought(piece: &mut Value) {
    if let Some(texts) = piece["thinking"].as_array() {
        let joined: String = texts.iter().filter_map(|text| text["text"].as_str()).collect();
        piece["thinking"] = json!([{ "type": "text", "text": joined }]);
    }
    drop_default(piece, "thinking", &Value::Null);
}

/// A list of one text is that text.
fn join_texts(message: &mut Value) {
    let content = &mut message["content"];
    if let [piece] = content.as_array().map(Vec::as_slice).unwrap_or_default()
        && piece["type"] == "text"
        && piece.as_object().unwrap().len() == 2
    {
        *content = piece["text"].clone();
    }
    drop_default(message, "content", &Value::Null);
}

/// Empty instructions and descriptions are none; the order among tools means nothing.
fn responses_defaults(body: &mut Value) {
    drop_nulls(body);
    for (name, default) in [("stream", json!(false)), ("instructions", json!(""))] {
        drop_default(body, name, &default);
    }
    for tool in body["tools"].as_array_mut().into_iter().flatten() {
        drop_default(tool, "description", &json!(""));
    }
    if let Some(tools) = body["tools"].as_array_mut() {
        tools.sort_by_key(ToString::to_string);
    }
    drop_default(body, "tools", &Value::Null);
}

fn take(members: &mut Object, name: &str) -> Option<Value> {
    members.remove(name).filter(|value| !value.is_null())
}

fn object(value: &Value) -> Result<Object, Problem> {
    value
        .as_object()
        .cloned()
        .ok_or_else(|| format!("no object: {value}"))
}

fn text(value: &Value) -> Result<String, Problem> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("no text: {value}"))
}

/// What all APIs have.
fn common(body: &mut Object) -> ChatRequest {
    let mut request = ChatRequest::default();
    request.model = take(body, "model").map(|model| model.as_str().unwrap().to_owned());
    request.temperature = take(body, "temperature").and_then(|number| number.as_f64());
    request.top_p = take(body, "top_p").and_then(|number| number.as_f64());
    let name = |choice: &Value| {
        let name = choice.pointer("/function/name").unwrap_or(&choice["name"]);
        let name = name.as_str().filter(|_| choice["type"] == "function");
        name.map(|name| ToolChoice::Tool(name.to_owned()))
    };
    request.tool_choice = body.get("tool_choice").and_then(|choice| match choice.as_str() {
        Some("none") => Some(ToolChoice::None),
        Some("required") => Some(ToolChoice::Required),
        Some("auto") => Some(ToolChoice::Auto),
        _ => name(choice),
    });
    if request.tool_choice.is_some() {
        body.remove("tool_choice");
    }
    request.parallel_tool_calls = take(body, "parallel_tool_calls").and_then(|choice| choice.as_bool());
    body.remove("stream");
    request
}

fn effort(word: &str) -> Option<ReasoningEffort> {
    Some(match word {
        "none" => ReasoningEffort::None,
        "minimal" => ReasoningEffort::Minimal,
        "low" => ReasoningEffort::Low,
        "medium" => ReasoningEffort::Medium,
        "high" => ReasoningEffort::High,
        _ => return None,
    })
}

fn chat_request(mut body: Object) -> Result<ChatRequest, Problem> {
    let mut request = common(&mut body);
    for name in ["max_tokens", "max_completion_tokens"] {
        if let Some(limit) = take(&mut body, name) {
            request.max_tokens = limit.as_u64().and_then(|limit| limit.try_into().ok());
        }
    }
    if let Some(Value::Array(texts)) = body.get("stop") {
        request.stop = texts.iter().map(text).collect::<Result<_, _>>()?;
        body.remove("stop");
    }
    request.presence_penalty = take(&mut body, "presence_penalty").and_then(|number| number.as_f64());
    request.frequency_penalty = take(&mut body, "frequency_penalty").and_then(|number| number.as_f64());
    request.seed = take(&mut body, "seed").and_then(|number| number.as_i64());
    if let Some(known) = body
        .get("reasoning_effort")
        .and_then(|word| effort(word.as_str()?))
    {
        body.remove("reasoning_effort");
        request.reasoning = Some(ReasoningOptions::effort(known));
    }
    if body.get("stream_options") == Some(&json!({ "include_usage": true })) {
        body.remove("stream_options");
    } else {
        // Ours are asked for unless the caller says otherwise.
        body.entry("stream_options").or_insert(Value::Null);
    }
    if let Some(format) = take(&mut body, "response_format") {
        let schema = &format["json_schema"];
        match format["type"].as_str() {
            Some("json_object") => request.response_format = Some(ResponseFormat::Json),
            Some("json_schema") if schema.get("description").is_none() && schema.get("strict").is_some() => {
                request.response_format = Some(ResponseFormat::JsonSchema {
                    name: text(&schema["name"])?,
                    schema: schema["schema"].clone(),
                    strict: schema["strict"] == true,
                });
            }
            _ => drop(body.insert("response_format".into(), format)),
        }
    }
    for tool in take(&mut body, "tools")
        .and_then(|tools| tools.as_array().cloned())
        .into_iter()
        .flatten()
    {
        match tool.get("function") {
            Some(function) => request.tools.push(tool_of(function)?),
            None => request.provider_tools.push(object(&tool)?),
        }
    }
    let messages = take(&mut body, "messages").unwrap_or_default();
    for message in messages.as_array().into_iter().flatten() {
        request.messages.push(chat_message(object(message)?)?);
    }
    request.extra = body;
    Ok(request)
}

fn tool_of(told: &Value) -> Result<Tool, Problem> {
    let mut tool = Tool::new(text(&told["name"])?, told["parameters"].clone());
    tool.description = told["description"].as_str().map(str::to_owned);
    tool.strict = told["strict"].as_bool();
    let known = ["type", "name", "description", "parameters", "strict"];
    tool.extra = object(told)?;
    tool.extra
        .retain(|name, value| !known.contains(&name.as_str()) && !value.is_null());
    Ok(tool)
}

fn chat_message(mut told: Object) -> Result<Message, Problem> {
    let role = take(&mut told, "role").unwrap_or_default();
    let role = match role.as_str() {
        Some("system") => Role::System,
        Some("assistant") => Role::Assistant,
        Some("tool") => Role::Tool,
        Some("user") => Role::User,
        _ => {
            told.insert("role".into(), role);
            Role::System
        }
    };
    if role == Role::Tool {
        let id = text(&told.remove("tool_call_id").unwrap_or_default())?;
        let mut result = ToolResult::new(id, "");
        match told.remove("content").unwrap_or_default() {
            Value::Array(pieces) => {
                let pieces = pieces.iter().map(|piece| chat_part(object(piece)?));
                result.parts = pieces.collect::<Result<_, _>>()?;
            }
            content => result.content = text(&content)?,
        }
        let mut message = Message::new(Role::Tool, [Part::ToolResult(result)]);
        message.extra = told;
        return Ok(message);
    }
    let mut parts = Vec::new();
    if let Some(thought) = take(&mut told, "reasoning") {
        parts.push(Part::Reasoning(Reasoning::new(text(&thought)?)).with_extra("field", "reasoning"));
    }
    match told.remove("content") {
        Some(Value::String(content)) if !content.is_empty() => parts.push(Part::text(content)),
        Some(Value::Array(pieces)) => {
            for piece in pieces {
                parts.push(chat_part(object(&piece)?)?);
            }
        }
        _ => {}
    }
    for call in take(&mut told, "tool_calls")
        .and_then(|calls| calls.as_array().cloned())
        .into_iter()
        .flatten()
    {
        let mut rest = object(&call)?;
        let id = text(&rest.remove("id").unwrap_or_default())?;
        let function = rest.remove("function");
        if function.is_some() {
            rest.remove("type");
        }
        let function = function.or_else(|| rest.remove("custom")).unwrap_or_default();
        let arguments = function.get("arguments").unwrap_or(&function["input"]);
        let arguments = arguments
            .as_str()
            .map_or_else(|| arguments.to_string(), str::to_owned);
        let mut call = ToolCall::new(id, text(&function["name"])?, arguments);
        call.extra = rest;
        parts.push(Part::ToolCall(call));
    }
    let mut message = Message::new(role, parts);
    message.extra = told;
    Ok(message)
}

fn chat_part(mut piece: Object) -> Result<Part, Problem> {
    let whole = piece.clone();
    let kind = piece.remove("type").unwrap_or_default();
    let mut part = match kind.as_str().unwrap_or_default() {
        "text" => Part::text(text(&piece.remove("text").unwrap_or_default())?),
        "image_url" if piece["image_url"].get("url").is_some() => {
            let mut address = piece.remove("image_url").unwrap();
            let mut part = Part::Image(media(&text(&address["url"])?));
            let address = address.as_object_mut().unwrap();
            address.remove("url");
            part.extra_mut().extend(std::mem::take(address));
            part
        }
        "input_audio" => {
            let sound = piece.remove("input_audio").unwrap();
            Part::Audio(Media::base64(
                format!("audio/{}", text(&sound["format"])?),
                text(&sound["data"])?,
            ))
        }
        "file" if piece["file"]["file_data"].is_string() && piece["file"]["filename"].is_string() => {
            let file = piece.remove("file").unwrap();
            Part::File(media(&text(&file["file_data"])?).with_name(text(&file["filename"])?))
        }
        "thinking" if piece["thinking"].is_array() => {
            let thought = piece.remove("thinking").unwrap();
            let texts = thought.as_array().unwrap().iter();
            let joined: String = texts.filter_map(|piece| piece["text"].as_str()).collect();
            Part::Reasoning(Reasoning::new(joined)).with_extra("type", "thinking")
        }
        _ => return Ok(Part::Other(whole)),
    };
    part.extra_mut().extend(piece);
    Ok(part)
}

/// An address, or what a `data:` URL holds.
fn media(url: &str) -> Media {
    match url
        .strip_prefix("data:")
        .and_then(|data| data.split_once(";base64,"))
    {
        Some((media_type, content)) => Media::base64(media_type, content),
        None => Media::url(url),
    }
}

fn responses_request(mut body: Object) -> Result<ChatRequest, Problem> {
    let mut request = common(&mut body);
    request.max_tokens =
        take(&mut body, "max_output_tokens").and_then(|limit| limit.as_u64()?.try_into().ok());
    if let Some(Value::Object(mut options)) = take(&mut body, "reasoning") {
        let known = options.get("effort").and_then(|word| effort(word.as_str()?));
        if let Some(known) = known {
            options.remove("effort");
            request.reasoning = Some(ReasoningOptions::effort(known));
        }
        body.insert("reasoning".into(), options.into());
    }
    if let Some(Value::Object(mut form)) = take(&mut body, "text") {
        let is_ours = |format: &mut Value| format.get("description").is_none_or(Value::is_null);
        if form.get_mut("format").is_some_and(is_ours)
            && let Some(format) = form.remove("format")
        {
            request.response_format = Some(match format["type"].as_str() {
                Some("json_schema") => ResponseFormat::JsonSchema {
                    name: text(&format["name"])?,
                    schema: format["schema"].clone(),
                    strict: format["strict"] == true,
                },
                Some("json_object") => ResponseFormat::Json,
                _ => ResponseFormat::Text,
            });
        }
        if !form.is_empty() {
            body.insert("text".into(), form.into());
        }
    }
    for tool in take(&mut body, "tools")
        .and_then(|tools| tools.as_array().cloned())
        .into_iter()
        .flatten()
    {
        if tool["type"] == "function" && tool.get("defer_loading").is_none() {
            request.tools.push(tool_of(&tool)?);
        } else {
            request.provider_tools.push(object(&tool)?);
        }
    }
    match take(&mut body, "instructions") {
        Some(instructions) if instructions != "" => {
            request.messages.push(Message::system(text(&instructions)?))
        }
        _ => {}
    }
    let has_instructions = !request.messages.is_empty();
    let input = take(&mut body, "input").unwrap_or_default();
    if input.is_string() {
        // A text alone is said as a message; to say it otherwise is the caller's wish.
        request.messages.push(Message::user("?"));
        body.insert("input".into(), input.clone());
    }
    for (position, item) in input.as_array().into_iter().flatten().enumerate() {
        let message = responses_item(object(item)?)?;
        if position == 0 && !has_instructions && message.role == Role::System {
            // What stands first would be the instructions; an item says it where it stands.
            request
                .messages
                .push(Message::new(Role::User, [Part::Other(object(item)?)]));
        } else {
            request.messages.push(message);
        }
    }
    request.extra = body;
    Ok(request)
}

fn responses_item(mut item: Object) -> Result<Message, Problem> {
    let whole = item.clone();
    let assistant = |part| Message::new(Role::Assistant, [part]);
    let other = |item: Object| Ok(Message::new(Role::Assistant, [Part::Other(item)]));
    let kind = item
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or("message")
        .to_owned();
    Ok(match kind.as_str() {
        "message" if item.contains_key("id") => {
            let pieces = item.remove("content").unwrap_or_default();
            item.remove("type");
            item.remove("role");
            let pieces = pieces.as_array().into_iter().flatten();
            let texts = pieces.map(|piece| {
                let mut rest = object(piece)?;
                let said = rest.remove("text").or_else(|| rest.remove("refusal"));
                let mut part = Part::text(text(&said.unwrap_or_default())?).with_extra("item", item.clone());
                if piece["type"] == "output_text" {
                    rest.remove("type");
                }
                rest.retain(|_, value| *value != json!([]));
                part.extra_mut().extend(rest);
                Ok(part)
            });
            Message::new(Role::Assistant, texts.collect::<Result<Vec<_>, Problem>>()?)
        }
        "message" => {
            let role = match item["role"].as_str() {
                Some("assistant") => Role::Assistant,
                Some("system") => Role::System,
                Some("user") => Role::User,
                _ => return other(whole),
            };
            match &item["content"] {
                Value::String(content) => Message::new(role, [Part::text(content.as_str())]),
                Value::Array(_) if role == Role::Assistant => return other(whole),
                pieces => {
                    let pieces = pieces.as_array().into_iter().flatten();
                    let parts: Vec<_> = pieces.map(responses_piece).collect();
                    Message::new(role, parts)
                }
            }
        }
        "function_call" => {
            let mut take = |name: &str| item.remove(name).unwrap_or_default();
            let (id, name, arguments) = (take("call_id"), take("name"), take("arguments"));
            let mut call = ToolCall::new(text(&id)?, text(&name)?, text(&arguments)?);
            item.remove("type");
            call.extra = item;
            assistant(Part::ToolCall(call))
        }
        "function_call_output" => {
            let id = text(&item["call_id"])?;
            let mut result = ToolResult::new(id, item["output"].as_str().unwrap_or_default());
            let pieces = item["output"].as_array().into_iter().flatten();
            result.parts = pieces.map(responses_piece).collect();
            Message::new(Role::Tool, [Part::ToolResult(result)])
        }
        "reasoning" => {
            let mut take = |name: &str| {
                item.remove(name)
                    .and_then(|list| list.as_array().cloned())
                    .unwrap_or_default()
            };
            let pieces: Vec<_> = take("summary").into_iter().chain(take("content")).collect();
            let signature = item
                .remove("encrypted_content")
                .and_then(|proof| proof.as_str().map(str::to_owned));
            item.remove("type");
            let mut thoughts: Vec<_> = pieces
                .iter()
                .map(|piece| {
                    let mut thought = Reasoning::new(piece["text"].as_str().unwrap_or_default());
                    thought.extra.insert("type".into(), piece["type"].clone());
                    thought
                })
                .collect();
            if thoughts.is_empty() {
                thoughts.push(Reasoning::default());
            }
            for thought in &mut thoughts {
                thought.extra.insert("item".into(), item.clone().into());
                thought.signature.clone_from(&signature);
            }
            Message::new(
                Role::Assistant,
                thoughts.into_iter().map(Part::Reasoning).collect::<Vec<_>>(),
            )
        }
        _ => return other(whole),
    })
}

fn responses_piece(piece: &Value) -> Part {
    let mut rest = piece.as_object().cloned().unwrap_or_default();
    let whole = rest.clone();
    rest.remove("type");
    let mut take = |name: &str| {
        rest.remove(name)
            .and_then(|value| value.as_str().map(str::to_owned))
    };
    let part = match piece["type"].as_str() {
        Some("input_text") => take("text").map(Part::text),
        Some("input_image") => take("image_url").map(|url| Part::Image(media(&url))),
        Some("input_file") => match (take("file_data"), take("file_url"), take("file_id")) {
            (Some(data), ..) => take("filename").map(|name| Part::File(media(&data).with_name(name))),
            (_, Some(url), _) => Some(Part::File(Media::url(url))),
            (.., id) => id.map(|id| Part::File(Media::id(id))),
        },
        _ => None,
    };
    let Some(mut part) = part else {
        return Part::Other(whole);
    };
    part.extra_mut().extend(rest);
    part
}
