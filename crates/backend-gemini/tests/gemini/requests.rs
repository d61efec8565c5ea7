//! Recorded requests, said in our vocabulary and sent again: the body is the recorded one.

use crate::recordings::{backend, base, model as model_of, recordings};
use crate::{backend_at, key};
use gatepass_core::{
    ChatReply, ChatRequest, EmbeddingRequest, JsonObject, LlmBackend, Media, Message, Part, Reasoning,
    ReasoningEffort, ReasoningOptions, ResponseFormat, Role, Tool, ToolCall, ToolChoice, ToolResult,
};
use gatepass_testkit::recordings::{Recording, report};
use gatepass_testkit::{Answer, ModelServer, Value};
use serde_json::json;

/// Recordings whose request the vocabulary can't say, each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_request_is_sent_as_it_was() {
    let Some(recordings) = recordings() else { return };
    let mut failures = Vec::new();
    for recording in &recordings {
        let sent = in_floats(normal(send(recording).await));
        let told = in_floats(normal(recording.request.clone()));
        if sent != told {
            failures.push(format!("{}:\n  sent {sent}\n  told {told}", recording.id));
        }
    }
    report(
        "recorded requests are sent as they were",
        &recordings,
        failures,
        &EXCEPTIONS,
    );
}

/// The body that is sent for what a recording asks.
async fn send(recording: &Recording) -> Value {
    let server = ModelServer::start().await;
    let backend = backend(recording, &server);
    server.always(Answer::text(500, ""));
    let (model, method) = model_of(recording);
    let told = normal(recording.request.clone());
    _ = match method {
        "countTokens" => backend.count_tokens(&request(model, &told)).await.is_ok(),
        "batchEmbedContents" | "embedContent" | "predict" => backend.embed(texts(model, &told)).await.is_ok(),
        "streamGenerateContent" => backend.chat_stream(request(model, &told)).await.is_ok(),
        _ => backend.chat(request(model, &told)).await.is_ok(),
    };
    let [sent] = &*server.requests() else {
        return Value::Null;
    };
    let (_, rest) = recording.url.split_once("/models/").unwrap();
    let rest = rest.split('?').next().unwrap();
    assert!(
        sent.path
            .ends_with(&format!("/{}/models/{rest}", base(recording)))
    );
    let wants_events = recording.url.ends_with("?alt=sse");
    assert_eq!(sent.query_value("alt"), wants_events.then_some("sse"));
    sent.json.clone()
}

/// The parts of `reply`, as they are sent back to `model`.
pub(crate) async fn sent_back(reply: &ChatReply, model: &str) -> Vec<Value> {
    let server = ModelServer::start().await;
    server.always(Answer::text(500, ""));
    let messages = [Message::user("?"), reply.message.clone(), Message::user("!")];
    let backend = backend_at(&server, "/v1beta", key()).with_retry(gatepass_http::RetryPolicy::never());
    _ = backend.chat(ChatRequest::new(messages).with_model(model)).await;
    let sent = &server.requests()[0].json["contents"];
    assert_eq!(sent[1]["role"], "model");
    let parts = sent[1]["parts"].as_array().unwrap().iter();
    // It stands for a message that says nothing.
    parts
        .filter(|part| **part != json!({ "text": "" }))
        .cloned()
        .collect()
}

/// One of several ways to say the same: names in `snake_case` (of the protocol, not of what people put into it),
/// bytes in the URL's base64, an empty `generationConfig`, levels in small letters, a schema in the older words of
/// `parameters`, the role of the person (that of instructions is passed over), and the order of tools.
fn normal(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(normal).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let name = camel(&name);
                if name == "parameters" {
                    return ("parametersJsonSchema".to_owned(), json_schema(value));
                }
                let value = match &*name {
                    "args"
                    | "response"
                    | "parameters"
                    | "parametersJsonSchema"
                    | "responseJsonSchema"
                    | "responseSchema" => value,
                    "thinkingLevel" => value.as_str().unwrap().to_uppercase().into(),
                    "contents" => value
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(with_role)
                        .map(normal)
                        .collect(),
                    "tools" => sorted(normal(value)),
                    "functionCall" if value.get("args").is_none() => {
                        let mut call = value;
                        call["args"] = json!({});
                        normal(call)
                    }
                    "systemInstruction" => normal(json!({ "parts": value["parts"] })),
                    "thoughtSignature" | "data" if value.is_string() => {
                        value.as_str().unwrap().replace('-', "+").replace('_', "/").into()
                    }
                    _ => normal(value),
                };
                (name, value)
            })
            .filter(|(name, value)| {
                !(matches!(&**name, "generationConfig" | "parametersJsonSchema") && *value == json!({}))
            })
            .collect::<JsonObject>()
            .into(),
        other => other,
    }
}

/// `1` for `1.0`.
fn in_floats(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(in_floats).collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            let members = members.map(|(name, value)| (name, in_floats(value)));
            members.collect::<JsonObject>().into()
        }
        Value::Number(number) => number.as_f64().into(),
        other => other,
    }
}

fn sorted(tools: Value) -> Value {
    let Value::Array(mut tools) = tools else {
        return tools;
    };
    tools.sort_by_key(Value::to_string);
    tools.into()
}

fn with_role(content: &Value) -> Value {
    let mut content = content.clone();
    let members = content.as_object_mut().unwrap();
    members.entry("role").or_insert_with(|| "user".into());
    content
}

/// `{"type":"OBJECT"}` as `{"type":"object"}`.
fn json_schema(schema: Value) -> Value {
    match schema {
        Value::Array(items) => items.into_iter().map(json_schema).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| match value {
                Value::String(kind) if name == "type" => (name, kind.to_lowercase().into()),
                value => (camel(&name), json_schema(value)),
            })
            .collect::<JsonObject>()
            .into(),
        other => other,
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        camel += &(first.to_uppercase() + rest);
    }
    camel
}

fn texts(model: &str, told: &Value) -> EmbeddingRequest {
    let list = |name: &str| told[name].as_array().cloned();
    let asked = list("requests")
        .or_else(|| list("instances"))
        .unwrap_or_else(|| vec![told.clone()]);
    let text = |one: &Value| {
        let text = one["content"]
            .as_str()
            .or_else(|| one["content"]["parts"][0]["text"].as_str());
        text.unwrap().to_owned()
    };
    let mut request = EmbeddingRequest::new(asked.iter().map(text)).with_model(model);
    let parameters = told.get("parametersJsonSchema").and_then(Value::as_object);
    for (name, value) in asked[0]
        .as_object()
        .unwrap()
        .iter()
        .chain(parameters.into_iter().flatten())
    {
        match &**name {
            "content" | "model" => {}
            "outputDimensionality" => request.dimensions = Some(count(value)),
            name => request = request.with_extra(name, value.clone()),
        }
    }
    request
}

/// Python's library has floats in places where the API counts.
fn count(value: &Value) -> u32 {
    value.to_string().trim_end_matches(".0").parse().unwrap()
}

fn request(model: &str, told: &Value) -> ChatRequest {
    let told = told.get("generateContentRequest").unwrap_or(told);
    let mut messages = Vec::new();
    if let Some(parts) = told["systemInstruction"]["parts"].as_array() {
        messages.push(Message::new(
            Role::System,
            parts.iter().flat_map(part).collect::<Vec<_>>(),
        ));
    }
    messages.extend(told["contents"].as_array().unwrap().iter().map(message));
    let mut request = ChatRequest::new(messages).with_model(model);
    for (name, value) in told.as_object().unwrap() {
        match &**name {
            "contents" | "systemInstruction" => {}
            "tools" => value
                .as_array()
                .unwrap()
                .iter()
                .for_each(|tool| offer(&mut request, tool)),
            "toolConfig" | "model" => {}
            "generationConfig" => generate(&mut request, value),
            name => request = request.with_extra(name, value.clone()),
        }
    }
    choose(&mut request, &told["toolConfig"]);
    request
}

fn message(content: &Value) -> Message {
    let parts = content["parts"].as_array().into_iter().flatten();
    let parts: Vec<_> = parts.flat_map(part).collect();
    let are_results = parts.iter().all(|part| matches!(part, Part::ToolResult(_)));
    let role = match content["role"].as_str() {
        Some("model") => Role::Assistant,
        _ if are_results => Role::Tool,
        _ => Role::User,
    };
    Message::new(role, parts)
}

fn part(told: &Value) -> Vec<Part> {
    let told = told.as_object().unwrap();
    let text = |value: &Value, name: &str| value[name].as_str().map(str::to_owned);
    let signature = told.get("thoughtSignature").and_then(Value::as_str);
    let proof = signature.map(|signature| Part::Reasoning(Reasoning::default().with_signature(signature)));
    if let Some(call) = told.get("functionCall") {
        let mut called = ToolCall::new(
            text(call, "id").unwrap_or_default(),
            text(call, "name").unwrap_or_default(),
            call.get("args").unwrap_or(&json!({})).to_string(),
        );
        called.signature = signature.map(str::to_owned);
        return vec![Part::ToolCall(called)];
    }
    if let Some(response) = told.get("functionResponse") {
        let id = text(response, "id").unwrap_or_default();
        let mut result = ToolResult::new(id, response["response"].to_string());
        result.name = text(response, "name");
        let parts = response["parts"].as_array().into_iter().flatten();
        result.parts = parts.flat_map(part).collect();
        return vec![Part::ToolResult(result)];
    }
    let media = match (told.get("inlineData"), told.get("fileData")) {
        (Some(blob), _) => Some(Media::base64(
            text(blob, "mimeType").unwrap(),
            text(blob, "data").unwrap(),
        )),
        (_, Some(blob)) => {
            let mut media = Media::url(text(blob, "fileUri").unwrap());
            media.media_type = text(blob, "mimeType");
            Some(media)
        }
        _ => None,
    };
    if let Some(mut media) = media {
        let blob = told.get("inlineData").or(told.get("fileData")).unwrap();
        media.name = text(blob, "displayName");
        let known = ["inlineData", "fileData", "thoughtSignature"];
        let extra = told.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        media
            .extra
            .extend(extra.map(|(name, value)| (name.clone(), value.clone())));
        let kind = media.media_type.clone().unwrap_or_default();
        let part = match kind.split('/').next() {
            Some("image") => Part::Image(media),
            Some("audio") => Part::Audio(media),
            _ => Part::File(media),
        };
        return [Some(part), proof].into_iter().flatten().collect();
    }
    let known = ["text", "thought", "thoughtSignature"];
    let mut rest = told.clone();
    rest.retain(|name, _| !known.contains(&name.as_str()));
    match told.get("text").and_then(Value::as_str) {
        Some(text) if told.get("thought") == Some(&json!(true)) => {
            let mut thought = Reasoning::new(text);
            thought.signature = signature.map(str::to_owned);
            thought.extra = rest;
            vec![Part::Reasoning(thought)]
        }
        Some(text) => {
            let mut part = Part::text(text);
            *part.extra_mut() = rest;
            [Some(part), proof].into_iter().flatten().collect()
        }
        None => vec![Part::Other(told.clone())],
    }
}

fn offer(request: &mut ChatRequest, tool: &Value) {
    let known = ["name", "description", "parametersJsonSchema"];
    let is_known = |function: &Value| {
        let mut members = function.as_object().unwrap().keys();
        members.all(|name| known.contains(&name.as_str()))
    };
    let tool = tool.as_object().unwrap();
    let functions = tool.get("functionDeclarations").and_then(Value::as_array);
    let functions = functions.filter(|functions| tool.len() == 1 && functions.iter().all(is_known));
    let Some(functions) = functions else {
        request.provider_tools.push(tool.clone());
        return;
    };
    for function in functions {
        let schema = function.get("parametersJsonSchema").cloned().unwrap_or_default();
        let mut tool = Tool::new(function["name"].as_str().unwrap(), schema);
        tool.description = function["description"].as_str().map(str::to_owned);
        request.tools.push(tool);
    }
}

fn choose(request: &mut ChatRequest, config: &Value) {
    let Some(mut rest) = config.as_object().cloned() else {
        return;
    };
    if let Some(Value::Object(mut calling)) = rest.remove("functionCallingConfig") {
        let names = calling.remove("allowedFunctionNames");
        let names = names.as_ref().and_then(Value::as_array);
        let mode = calling.remove("mode");
        match (mode.as_ref().and_then(Value::as_str), names.map(|names| &**names)) {
            (Some("VALIDATED"), _) => request.tools.iter_mut().for_each(|tool| tool.strict = Some(true)),
            (Some("AUTO"), _) => request.tool_choice = Some(ToolChoice::Auto),
            (Some("NONE"), _) => request.tool_choice = Some(ToolChoice::None),
            (Some("ANY"), Some([name])) => {
                request.tool_choice = Some(ToolChoice::Tool(name.as_str().unwrap().into()));
            }
            (Some("ANY"), names) => {
                request.tool_choice = Some(ToolChoice::Required);
                calling.extend(names.map(|names| ("allowedFunctionNames".to_owned(), json!(names))));
            }
            (mode, _) => calling.extend(mode.map(|mode| ("mode".to_owned(), mode.into()))),
        }
        if !calling.is_empty() {
            rest.insert("functionCallingConfig".into(), calling.into());
        }
    }
    if !rest.is_empty() {
        request.extra.insert("toolConfig".into(), rest.into());
    }
}

fn generate(request: &mut ChatRequest, config: &Value) {
    let mut rest = JsonObject::new();
    let schema = config.get("responseJsonSchema");
    for (name, value) in config.as_object().unwrap() {
        match &**name {
            "temperature" => request.temperature = value.as_f64(),
            "topP" => request.top_p = value.as_f64(),
            "topK" => request.top_k = Some(count(value)),
            "seed" => request.seed = value.as_i64(),
            "maxOutputTokens" => request.max_tokens = Some(count(value)),
            "stopSequences" => request.stop = serde_json::from_value(value.clone()).unwrap(),
            "responseMimeType" if schema.is_some() => {}
            "responseJsonSchema" => {
                request.response_format = Some(ResponseFormat::JsonSchema {
                    name: "answer".into(),
                    schema: value.clone(),
                    strict: true,
                });
            }
            "thinkingConfig" => {
                let mut options = ReasoningOptions::default();
                let mut config = value.as_object().unwrap().clone();
                options.visible = config
                    .remove("includeThoughts")
                    .and_then(|visible| visible.as_bool());
                let budget = config.get("thinkingBudget").and_then(Value::as_u64);
                options.max_tokens = budget.and_then(|budget| budget.try_into().ok());
                options.effort = config.get("thinkingLevel").and_then(effort);
                if options.max_tokens.is_some() || options.effort.is_some() {
                    config.remove("thinkingBudget");
                    config.remove("thinkingLevel");
                }
                if !config.is_empty() {
                    rest.insert(name.clone(), config.into());
                }
                request.reasoning = Some(options);
            }
            name => _ = rest.insert(name.into(), value.clone()),
        }
    }
    if !rest.is_empty() {
        request.extra.insert("generationConfig".into(), rest.into());
    }
}

fn effort(level: &Value) -> Option<ReasoningEffort> {
    Some(match level.as_str()? {
        "MINIMAL" => ReasoningEffort::Minimal,
        "LOW" => ReasoningEffort::Low,
        "MEDIUM" => ReasoningEffort::Medium,
        "HIGH" => ReasoningEffort::High,
        _ => return None,
    })
}
