use super::message::Messages;
use super::part::WirePart;
use crate::dialect::Dialect;
use gatepass_core::{BackendError, ChatRequest, Message, Part, ResponseFormat, Role, Tool, ToolChoice};
use gatepass_wire::Members;
use serde::Serialize;
use serde::ser::Serializer;
use serde_json::Value;

/// Whether the answer is wanted whole or as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Whole,
    Streamed,
}

/// The body of a request.
pub(crate) fn encode(request: &ChatRequest, dialect: Dialect, mode: Mode) -> Result<Vec<u8>, BackendError> {
    check(request)?;
    let mut body = Vec::with_capacity(512 + request.messages.iter().map(size).sum::<usize>());
    let content = Body {
        request,
        dialect,
        mode,
    };
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
    dialect: Dialect,
    mode: Mode,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            request,
            dialect,
            mode,
        } = *self;
        let tools: Vec<_> = request.tools.iter().map(WireTool::from).collect();
        let messages = Messages {
            messages: &request.messages,
            dialect,
        };
        let mut body = Members::start(serializer, &request.extra)?;
        body.optional("model", request.model.as_ref())?;
        body.member("messages", &messages)?;
        body.optional("temperature", request.temperature.as_ref())?;
        body.optional(dialect.max_tokens(), request.max_tokens.as_ref())?;
        body.optional("top_p", request.top_p.as_ref())?;
        body.list("stop", &request.stop)?;
        body.optional(dialect.seed(), request.seed.as_ref())?;
        body.list("tools", &tools)?;
        let choice = request.tool_choice.as_ref().map(WireChoice::from);
        body.optional("tool_choice", choice.as_ref())?;
        let format = request.response_format.as_ref().map(WireFormat::from);
        body.optional("response_format", format.as_ref())?;
        if mode == Mode::Streamed {
            body.member("stream", &true)?;
            if dialect.usage_is_asked_for() {
                body.member("stream_options", &StreamOptions { include_usage: true })?;
            }
        }
        body.end()
    }
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", content = "function", rename_all = "snake_case")]
enum WireTool<'a> {
    Function {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        parameters: &'a Value,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    },
}

impl<'a> From<&'a Tool> for WireTool<'a> {
    fn from(tool: &'a Tool) -> Self {
        Self::Function {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters: &tool.parameters,
            strict: tool.strict,
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum WireChoice<'a> {
    Word(&'static str),
    Tool(NamedTool<'a>),
}

#[derive(Serialize)]
#[serde(tag = "type", content = "function", rename_all = "snake_case")]
enum NamedTool<'a> {
    Function { name: &'a str },
}

impl<'a> From<&'a ToolChoice> for WireChoice<'a> {
    fn from(choice: &'a ToolChoice) -> Self {
        match choice {
            ToolChoice::None => Self::Word("none"),
            ToolChoice::Required => Self::Word("required"),
            ToolChoice::Tool(name) => Self::Tool(NamedTool::Function { name }),
            _ => Self::Word("auto"),
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "type", content = "json_schema", rename_all = "snake_case")]
enum WireFormat<'a> {
    Text,
    JsonObject,
    JsonSchema {
        name: &'a str,
        schema: &'a Value,
        strict: bool,
    },
}

impl<'a> From<&'a ResponseFormat> for WireFormat<'a> {
    fn from(format: &'a ResponseFormat) -> Self {
        match format {
            ResponseFormat::Json => Self::JsonObject,
            ResponseFormat::JsonSchema { name, schema, strict } => Self::JsonSchema {
                name,
                schema,
                strict: *strict,
            },
            _ => Self::Text,
        }
    }
}

fn invalid(what: impl Into<String>) -> BackendError {
    BackendError::Request { what: what.into() }
}

/// Refuses what no server of this language takes, before any is asked. Never tells content.
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
    }
    if let Some(ToolChoice::Tool(name)) = &request.tool_choice {
        check_name(name, "the chosen tool's name")?;
    }
    for (value, name) in [(request.temperature, "temperature"), (request.top_p, "top_p")] {
        if value.is_some_and(|value| !value.is_finite()) {
            return Err(invalid(format!("{name} is not a number")));
        }
    }
    if request.messages.is_empty() {
        return Err(invalid("there are no messages"));
    }
    request.messages.iter().try_for_each(check_message)
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

fn check_message(message: &Message) -> Result<(), BackendError> {
    let is_no_result = |part: &Part| !matches!(part, Part::ToolResult(_));
    if message.role == Role::Tool && (message.parts.is_empty() || message.parts.iter().any(is_no_result)) {
        return Err(invalid("a message of a tool has to consist of tool results"));
    }
    if message.role != Role::Assistant && message.tool_calls().next().is_some() {
        return Err(invalid("only the assistant can call a tool"));
    }
    for part in &message.parts {
        WirePart::of(part).map_err(invalid)?;
    }
    Ok(())
}
