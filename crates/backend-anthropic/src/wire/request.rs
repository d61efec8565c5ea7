use super::conversation::{Conversation, System};
use super::schema;
use super::thinking::Thinking;
use super::tools::{Choice, Tools};
use gatepass_core::{BackendError, ChatRequest, JsonObject, Message, Part, ResponseFormat, ToolChoice};
use gatepass_wire::Members;
use serde::Serialize;
use serde::ser::Serializer;
use serde_json::{Value, json};
use std::borrow::Cow;

/// The API wants to be told how long an answer may be; every Claude model can write as much.
const MAX_TOKENS: u32 = 4096;

/// What says how an answer is written; a count refuses it.
const OF_THE_ANSWER: [&str; 10] = [
    "container",
    "inference_geo",
    "max_tokens",
    "metadata",
    "service_tier",
    "stop_sequences",
    "stream",
    "temperature",
    "top_k",
    "top_p",
];

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// An answer in one piece.
    Whole,
    /// An answer as it is written.
    Streamed,
    /// The number of input tokens.
    Count,
}

/// The body of a request.
pub(crate) fn encode(request: &ChatRequest, mode: Mode) -> Result<Vec<u8>, BackendError> {
    check(request)?;
    let nothing = JsonObject::new();
    let thinking = Thinking::of(request);
    let output = output_config(request, thinking).map_err(invalid)?;
    let content = Body {
        request,
        mode,
        conversation: Conversation::of(request, &nothing).map_err(invalid)?,
        thinking,
        extra: extra(request, &output, mode),
        output,
    };
    let mut body = Vec::with_capacity(512 + request.messages.iter().map(size).sum::<usize>());
    match serde_json::to_writer(&mut body, &content) {
        Ok(()) => Ok(body),
        Err(_) => Err(invalid("it can't be written as JSON")),
    }
}

/// About as many bytes as a message takes.
fn size(message: &Message) -> usize {
    let text = |part: &Part| part.as_text().map_or(128, |text| text.len() + text.len() / 16);
    message.parts.iter().map(text).sum::<usize>() + 64
}

struct Body<'a> {
    request: &'a ChatRequest,
    mode: Mode,
    conversation: Conversation<'a>,
    thinking: Thinking,
    output: JsonObject,
    extra: Cow<'a, JsonObject>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = self.request;
        let Conversation { system, turns } = &self.conversation;
        let tools = Tools {
            own: &request.tools,
            provider: &request.provider_tools,
        };
        let mut body = Members::start(serializer, &self.extra)?;
        body.optional("model", request.model.as_ref())?;
        body.optional("system", (!system.is_empty()).then(|| System(system)).as_ref())?;
        body.member("messages", turns)?;
        body.optional("tools", (!tools.are_none()).then_some(&tools))?;
        body.optional("tool_choice", Choice::of(request).as_ref())?;
        body.optional("thinking", self.thinking.mode.as_ref())?;
        body.optional("output_config", (!self.output.is_empty()).then_some(&self.output))?;
        if self.mode != Mode::Count {
            let max_tokens = request.max_tokens;
            let max_tokens =
                max_tokens.unwrap_or_else(|| MAX_TOKENS.saturating_add(self.thinking.tokens(request)));
            body.member("max_tokens", &max_tokens)?;
            body.optional("temperature", request.temperature.as_ref())?;
            body.optional("top_p", request.top_p.as_ref())?;
            body.optional("top_k", request.top_k.as_ref())?;
            body.list("stop_sequences", &request.stop)?;
        }
        if self.mode == Mode::Streamed {
            body.member("stream", &true)?;
        }
        body.end()
    }
}

/// The form of the answer, and the effort to be taken.
fn output_config(request: &ChatRequest, thinking: Thinking) -> Result<JsonObject, String> {
    let mut config = JsonObject::new();
    match &request.response_format {
        Some(ResponseFormat::JsonSchema { schema, .. }) => {
            let format = json!({ "type": "json_schema", "schema": schema::adapted(schema)? });
            config.insert("format".into(), format);
        }
        Some(ResponseFormat::Json) => {
            return Err("this provider writes JSON only by a schema: give one".into());
        }
        _ => {}
    }
    config.extend(thinking.effort.map(|effort| ("effort".into(), effort.into())));
    Ok(config)
}

/// The caller's own fields. What they say of `output_config` is added to ours.
fn extra<'a>(request: &'a ChatRequest, output: &JsonObject, mode: Mode) -> Cow<'a, JsonObject> {
    let is_sent = |name: &String| mode != Mode::Count || !OF_THE_ANSWER.contains(&name.as_str());
    let is_merged = !output.is_empty() && request.extra.contains_key("output_config");
    if !is_merged && request.extra.keys().all(is_sent) {
        return Cow::Borrowed(&request.extra);
    }
    let mut extra = request.extra.clone();
    extra.retain(|name, _| is_sent(name));
    if let Some(Value::Object(config)) = extra.get_mut("output_config") {
        for (name, value) in output {
            config.entry(name).or_insert_with(|| value.clone());
        }
    }
    Cow::Owned(extra)
}

fn invalid(what: impl Into<String>) -> BackendError {
    BackendError::Request { what: what.into() }
}

/// Refuses what the API never takes, before it is asked. Never tells content.
fn check(request: &ChatRequest) -> Result<(), BackendError> {
    if !request.extra.contains_key("model") {
        let model = request.model.as_deref();
        check_name(
            model.ok_or_else(|| invalid("no model is named"))?,
            "the model's name",
        )?;
    }
    for tool in &request.tools {
        check_name(&tool.name, "a tool's name")?;
        if !tool.parameters.is_object() {
            return Err(invalid("a tool's parameters are no JSON Schema of an object"));
        }
    }
    if let Some(ToolChoice::Tool(name)) = &request.tool_choice {
        check_name(name, "the chosen tool's name")?;
    }
    for (value, name) in [(request.temperature, "temperature"), (request.top_p, "top_p")] {
        if value.is_some_and(|value| !value.is_finite()) {
            return Err(invalid(format!("{name} is not a number")));
        }
    }
    Ok(())
}

fn check_name(name: &str, what: &str) -> Result<(), BackendError> {
    if name.is_empty() {
        return Err(invalid(format!("{what} is empty")));
    }
    if name.chars().any(char::is_control) {
        return Err(invalid(format!("{what} has a control character")));
    }
    Ok(())
}
