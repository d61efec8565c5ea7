//! A recorded request, read back into the vocabulary.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatepass_core::{
    ChatRequest, JsonObject, Media, Message, Part, Reasoning, ReasoningOptions, ResponseFormat, Role, Tool,
    ToolCall, ToolChoice, ToolResult,
};
use gatepass_testkit::Value;
use serde_json::json;

/// The request that says `body`.
///
/// # Errors
/// What the vocabulary can't say.
pub(crate) fn read_request(body: &Value) -> Result<ChatRequest, String> {
    let mut request = ChatRequest::default();
    let mut body = body.as_object().ok_or("it is no object")?.clone();
    let mut take = |name: &str| body.remove(name).filter(|value| !value.is_null());
    request.model = take("model").and_then(|model| Some(model.as_str()?.to_owned()));
    if let Some(system) = take("system") {
        request.messages.push(Message::new(Role::System, parts(&system)?));
    }
    for message in take("messages")
        .unwrap_or_default()
        .as_array()
        .into_iter()
        .flatten()
    {
        let role = match message["role"].as_str() {
            Some("assistant") => Role::Assistant,
            Some("system") => Role::System,
            _ => Role::User,
        };
        request
            .messages
            .push(Message::new(role, parts(&message["content"])?));
    }
    let tools = take("tools").unwrap_or_default();
    let (own, provider) = split_tools(tools.as_array().map(Vec::as_slice).unwrap_or_default())?;
    (request.tools, request.provider_tools) = (own, provider);
    if let Some(choice) = take("tool_choice") {
        request.tool_choice = Some(match choice["type"].as_str() {
            Some("auto") => ToolChoice::Auto,
            Some("any") => ToolChoice::Required,
            Some("none") => ToolChoice::None,
            Some("tool") => ToolChoice::Tool(choice["name"].as_str().unwrap_or_default().into()),
            _ => return Err(format!("the tool choice {choice}")),
        });
        if choice["disable_parallel_tool_use"] == true {
            request.parallel_tool_calls = Some(false);
        }
    }
    let number = |value: Option<Value>| value.and_then(|value| value.as_u64()?.try_into().ok());
    request.max_tokens = number(take("max_tokens"));
    request.top_k = number(take("top_k"));
    request.temperature = take("temperature").and_then(|value| value.as_f64());
    request.top_p = take("top_p").and_then(|value| value.as_f64());
    let stop = take("stop_sequences").unwrap_or_default();
    let stop = stop.as_array().into_iter().flatten();
    request.stop = stop.filter_map(|stop| Some(stop.as_str()?.to_owned())).collect();
    // Whether it is streamed is the call's matter; the bodies are compared without it.
    take("stream");
    if let Some(thinking) = take("thinking") {
        match thinking_options(&thinking) {
            Some(options) => request.reasoning = Some(options),
            None => _ = request.extra.insert("thinking".into(), thinking),
        }
    }
    if let Some(Value::Object(mut config)) = take("output_config") {
        if let Some(format) = config.remove("format") {
            request.response_format = Some(ResponseFormat::JsonSchema {
                name: "answer".into(),
                schema: format["schema"].clone(),
                strict: true,
            });
        }
        if !config.is_empty() {
            request.extra.insert("output_config".into(), config.into());
        }
    }
    request.extra.extend(body);
    Ok(request)
}

fn thinking_options(thinking: &Value) -> Option<ReasoningOptions> {
    let options = match thinking["type"].as_str()? {
        "enabled" => ReasoningOptions::max_tokens(thinking["budget_tokens"].as_u64()?.try_into().ok()?),
        "adaptive" => ReasoningOptions::default(),
        _ => return None,
    };
    Some(match thinking["display"].as_str() {
        Some(display) => options.with_visible(display == "summarized"),
        None => options,
    })
}

fn split_tools(tools: &[Value]) -> Result<(Vec<Tool>, Vec<JsonObject>), String> {
    let is_own = |tool: &&Value| tool.get("input_schema").is_some();
    // Ours come first; what stands behind one of the provider's own is said as that is.
    let own: Vec<_> = tools.iter().take_while(is_own).collect();
    let provider = tools.iter().skip(own.len());
    let provider = provider.map(|tool| {
        tool.as_object()
            .cloned()
            .ok_or_else(|| "a tool that is no object".into())
    });
    Ok((
        own.into_iter().map(own_tool).collect(),
        provider.collect::<Result<_, String>>()?,
    ))
}

fn own_tool(tool: &Value) -> Tool {
    let mut members = tool.as_object().unwrap().clone();
    let name = members.remove("name").unwrap();
    let mut tool = Tool::new(name.as_str().unwrap(), members.remove("input_schema").unwrap());
    tool.description = members
        .remove("description")
        .and_then(|text| Some(text.as_str()?.to_owned()));
    tool.strict = members.remove("strict").and_then(|strict| strict.as_bool());
    tool.extra = members;
    tool
}

fn parts(content: &Value) -> Result<Vec<Part>, String> {
    match content {
        Value::String(text) => Ok(vec![Part::text(text.as_str())]),
        Value::Array(blocks) => blocks.iter().map(part).collect(),
        _ => Err("content that is neither text nor a list".into()),
    }
}

fn part(block: &Value) -> Result<Part, String> {
    if is_beyond(&block["source"]) {
        return Ok(Part::Other(block.as_object().cloned().unwrap_or_default()));
    }
    let mut rest = block.as_object().ok_or("a block that is no object")?.clone();
    let kind = rest.remove("type").unwrap_or_default();
    let mut text = |name: &str| match rest.remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let mut part = match kind.as_str() {
        Some("text") => Part::text(text("text")),
        Some("thinking") => {
            Part::Reasoning(Reasoning::new(text("thinking")).with_signature(text("signature")))
        }
        Some("tool_use") => {
            let (id, name) = (text("id"), text("name"));
            let input = rest.remove("input").unwrap_or_default();
            Part::ToolCall(ToolCall::new(id, name, input.to_string()))
        }
        Some("tool_result") => {
            let mut result = ToolResult::new(text("tool_use_id"), "");
            let mut parts = parts(&rest.remove("content").unwrap_or(json!([])))?;
            if let Some(Part::Text(first)) = parts.first().cloned()
                && first.extra.is_empty()
            {
                result.content = first.text;
                parts.remove(0);
            }
            result.parts = parts;
            result.is_error = rest.remove("is_error") == Some(true.into());
            Part::ToolResult(result)
        }
        Some("image") => Part::Image(media(&rest.remove("source").unwrap_or_default())?),
        Some("document") => {
            let mut media = media(&rest.remove("source").unwrap_or_default())?;
            media.name = rest
                .remove("title")
                .and_then(|title| Some(title.as_str()?.to_owned()));
            Part::File(media)
        }
        _ => return Ok(Part::Other(block.as_object().cloned().unwrap_or_default())),
    };
    part.extra_mut().extend(rest);
    Ok(part)
}

/// A source that has no name in the vocabulary: a document that is made of blocks.
fn is_beyond(source: &Value) -> bool {
    source["type"] == "content"
}

fn media(source: &Value) -> Result<Media, String> {
    let text = |name: &str| source[name].as_str().unwrap_or_default();
    Ok(match source["type"].as_str() {
        Some("base64") => Media::base64(text("media_type"), text("data")),
        Some("url") => Media::url(text("url")),
        Some("file") => Media::id(text("file_id")),
        Some("text") => Media::base64(text("media_type"), STANDARD.encode(text("data"))),
        _ => return Err(format!("media from {}", source["type"])),
    })
}

/// A body without what says the same in two ways, or says a default: `stream`, a text that might be a list of one, a
/// result that is no error or is empty, `1` for `1.0`.
pub(crate) fn normal(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("stream");
        if let Some(system) = members.get_mut("system") {
            listed(system);
        }
        for name in ["temperature", "top_p"] {
            if let Some(number) = members.get_mut(name) {
                *number = number.as_f64().into();
            }
        }
    }
    for message in body["messages"].as_array_mut().into_iter().flatten() {
        let content = &mut message["content"];
        listed(content);
        for block in content.as_array_mut().into_iter().flatten() {
            if block["type"] == "tool_result" {
                listed(&mut block["content"]);
                let members = block.as_object_mut().unwrap();
                let is_empty = |value: &Value| value.is_null() || *value == json!([]) || *value == json!("");
                members.retain(|name, value| match name.as_str() {
                    "is_error" => *value == true,
                    "content" => !is_empty(value),
                    _ => true,
                });
            }
        }
    }
    body
}

/// A text as a list of one.
fn listed(content: &mut Value) {
    if let Value::String(text) = content
        && !text.is_empty()
    {
        *content = json!([{ "type": "text", "text": text }]);
    }
}
