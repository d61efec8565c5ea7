use super::WIRE;
use super::message::Messages;
use super::part::{Context, WirePart};
use crate::check::{self, invalid};
use crate::dialect::{Dialect, ReasoningStyle};
use crate::responses::effort_word;
use gatepass_core::{
    BackendError, ChatRequest, JsonObject, Message, Part, ReasoningEffort, ReasoningOptions, ResponseFormat,
    Role, Tool, ToolChoice, ToolResult,
};
use gatepass_wire::Members;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;

/// Whether the answer is wanted whole or as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Whole,
    Streamed,
}

/// The body of a request.
pub(crate) fn encode(request: &ChatRequest, dialect: Dialect, mode: Mode) -> Result<Vec<u8>, BackendError> {
    check(request, dialect)?;
    let mut body = Vec::with_capacity(512 + check::size(request));
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
        let tools = request.tools.iter().map(WireTool::from);
        let tools: Vec<_> = tools
            .chain(request.provider_tools.iter().map(WireTool::Provider))
            .collect();
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
        body.optional("top_k", request.top_k.as_ref().filter(|_| dialect.takes_top_k()))?;
        body.optional("presence_penalty", request.presence_penalty.as_ref())?;
        body.optional("frequency_penalty", request.frequency_penalty.as_ref())?;
        body.list("stop", &request.stop)?;
        body.optional(dialect.seed(), request.seed.as_ref())?;
        body.list("tools", &tools)?;
        let choice = request.tool_choice.as_ref().map(WireChoice::from);
        body.optional("tool_choice", choice.as_ref())?;
        body.optional("parallel_tool_calls", request.parallel_tool_calls.as_ref())?;
        if let Some(options) = request.reasoning {
            reasoning(options, dialect, &mut body)?;
        }
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

/// Says how much to think, as far as the server can be told.
fn reasoning<M: SerializeMap>(
    options: ReasoningOptions,
    dialect: Dialect,
    body: &mut Members<'_, M>,
) -> Result<(), M::Error> {
    let effort = options.effort.map(effort_word);
    let style = dialect.reasoning();
    if style == ReasoningStyle::Object {
        return body.member(
            "reasoning",
            &Reasoning {
                effort,
                max_tokens: options.max_tokens,
                exclude: options.visible.map(|visible| !visible),
            },
        );
    }
    if style == ReasoningStyle::Switch && options.effort == Some(ReasoningEffort::None) {
        return body.member("thinking", &Thinking { kind: "disabled" });
    }
    body.optional("reasoning_effort", effort.as_ref())?;
    let format = options
        .visible
        .map(|visible| if visible { "parsed" } else { "hidden" });
    let format = format.filter(|_| style == ReasoningStyle::EffortAndFormat);
    body.optional("reasoning_format", format.as_ref())
}

#[derive(Serialize)]
struct Reasoning {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclude: Option<bool>,
}

#[derive(Serialize)]
struct Thinking {
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum WireTool<'a> {
    Function {
        #[serde(rename = "type")]
        kind: &'static str,
        function: WireFunction<'a>,
    },
    Provider(&'a JsonObject),
}

#[derive(Serialize)]
struct WireFunction<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    parameters: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

impl<'a> From<&'a Tool> for WireTool<'a> {
    fn from(tool: &'a Tool) -> Self {
        Self::Function {
            kind: "function",
            function: WireFunction {
                name: &tool.name,
                description: tool.description.as_deref(),
                parameters: &tool.parameters,
                strict: tool.strict,
            },
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

/// Refuses what no server of this language takes, before any is asked. Never tells content.
fn check(request: &ChatRequest, dialect: Dialect) -> Result<(), BackendError> {
    check::model(request)?;
    check::tools(request)?;
    check::numbers(request)?;
    if request.messages.is_empty() && !request.extra.contains_key("messages") {
        return Err(invalid("there are no messages"));
    }
    let mut messages = request.messages.iter();
    messages
        .try_for_each(|message| check_message(message, dialect))
        .map_err(invalid)
}

fn check_message(message: &Message, dialect: Dialect) -> Result<(), &'static str> {
    let is_no_result = |part: &Part| !matches!(part, Part::ToolResult(_));
    if message.role == Role::Tool && (message.parts.is_empty() || message.parts.iter().any(is_no_result)) {
        return Err("a message of a tool has to consist of tool results");
    }
    if message.role != Role::Assistant && message.tool_calls().next().is_some() {
        return Err("only the assistant can call a tool");
    }
    let belongs = message.belongs_to(WIRE);
    let context = Context { dialect, belongs };
    for part in &message.parts {
        if let Part::ToolResult(result) = part {
            check_result(result, context)?;
        }
        // Of another wire's answer only the words are sent.
        if belongs || message.role != Role::Assistant {
            WirePart::of(part, context)?;
        }
    }
    Ok(())
}

fn check_result(result: &ToolResult, context: Context) -> Result<(), &'static str> {
    for part in &result.parts {
        if !context.dialect.takes_media_of_tools() && part.as_text().is_none() {
            return Err("a tool's answer with more than text, which this server doesn't take");
        }
        WirePart::of(part, context)?;
    }
    Ok(())
}
