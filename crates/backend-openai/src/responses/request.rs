use super::input::{Input, instructions};
use crate::check::{self, invalid};
use gatepass_core::{
    BackendError, ChatRequest, JsonObject, ReasoningEffort, ReasoningOptions, ResponseFormat, Tool,
    ToolChoice,
};
use gatepass_wire::Members;
use serde::Serialize;
use serde::ser::Serializer;
use serde_json::{Value, json};
use std::borrow::Cow;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The answer.
    Whole,
    /// The answer as it is written.
    Streamed,
    /// How many tokens the request has; limits and sampling are no part of that question.
    Counted,
}

/// Members of `extra` in whose place the server takes the conversation from elsewhere.
const ELSEWHERE: [&str; 4] = ["input", "previous_response_id", "conversation", "prompt"];

/// The body of a request.
pub(crate) fn encode(request: &ChatRequest, mode: Mode) -> Result<Vec<u8>, BackendError> {
    check(request)?;
    let input = Input::of(request)?;
    let mut body = Vec::with_capacity(512 + check::size(request));
    let content = Body { request, input, mode };
    match serde_json::to_writer(&mut body, &content) {
        Ok(()) => Ok(body),
        Err(_) => Err(invalid("it can't be written as JSON")),
    }
}

/// Refuses what the API doesn't take, before it is asked. Never tells content.
fn check(request: &ChatRequest) -> Result<(), BackendError> {
    if !request.extra.contains_key("prompt") {
        check::model(request)?;
    }
    check::tools(request)?;
    check::numbers(request)?;
    if !request.stop.is_empty() {
        return Err(invalid(
            "the Responses API has no stop texts; leave them out, or use chat completions",
        ));
    }
    if request.messages.is_empty() && !ELSEWHERE.iter().any(|name| request.extra.contains_key(*name)) {
        return Err(invalid("there are no messages"));
    }
    Ok(())
}

struct Body<'a> {
    request: &'a ChatRequest,
    input: Input<'a>,
    mode: Mode,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = self.request;
        let extra = self.extra();
        let mut body = Members::start(serializer, &extra)?;
        body.optional("model", request.model.as_ref())?;
        body.optional("instructions", instructions(request).as_ref())?;
        body.optional("input", self.input.is_said().then_some(&self.input))?;
        body.list("tools", &tools(request))?;
        let choice = request.tool_choice.as_ref().map(WireChoice::from);
        body.optional("tool_choice", choice.as_ref())?;
        body.optional("parallel_tool_calls", request.parallel_tool_calls.as_ref())?;
        body.optional("text", text(request).as_ref())?;
        body.optional("reasoning", reasoning(request).as_ref())?;
        if self.mode != Mode::Counted {
            body.optional("max_output_tokens", request.max_tokens.as_ref())?;
            body.optional("temperature", request.temperature.as_ref())?;
            body.optional("top_p", request.top_p.as_ref())?;
            body.optional("include", include(request).as_ref())?;
        }
        if self.mode == Mode::Streamed {
            body.member("stream", &true)?;
        }
        body.end()
    }
}

impl Body<'_> {
    /// The caller's own members. `text` and `reasoning` have been joined with ours; a question for a count takes
    /// those alone that count.
    fn extra(&self) -> Cow<'_, JsonObject> {
        const COUNTED: [&str; 10] = [
            "model",
            "instructions",
            "input",
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "previous_response_id",
            "conversation",
            "truncation",
            "prompt",
        ];
        let extra = &self.request.extra;
        let stays = |name: &str| match self.mode {
            Mode::Counted => COUNTED.contains(&name),
            _ => !matches!(name, "text" | "reasoning"),
        };
        if extra.keys().all(|name| stays(name)) {
            return Cow::Borrowed(extra);
        }
        let mut extra = extra.clone();
        extra.retain(|name, _| stays(name));
        Cow::Owned(extra)
    }
}

/// Our members of `name`, with the caller's; theirs win.
fn joined(request: &ChatRequest, name: &str, mut ours: JsonObject) -> Option<Value> {
    match request.extra.get(name) {
        Some(Value::Object(theirs)) => ours.extend(theirs.clone()),
        Some(other) => return Some(other.clone()),
        None if ours.is_empty() => return None,
        None => {}
    }
    Some(ours.into())
}

fn text(request: &ChatRequest) -> Option<Value> {
    let mut ours = JsonObject::new();
    let format = request.response_format.as_ref().map(|format| match format {
        ResponseFormat::Json => json!({ "type": "json_object" }),
        ResponseFormat::JsonSchema { name, schema, strict } => {
            json!({ "type": "json_schema", "name": name, "schema": schema, "strict": strict })
        }
        _ => json!({ "type": "text" }),
    });
    ours.extend(format.map(|format| ("format".to_owned(), format)));
    joined(request, "text", ours)
}

fn reasoning(request: &ChatRequest) -> Option<Value> {
    let mut ours = JsonObject::new();
    if let Some(ReasoningOptions { effort, visible, .. }) = request.reasoning {
        ours.extend(effort.map(|effort| ("effort".to_owned(), effort_word(effort).into())));
        if visible == Some(true) {
            ours.insert("summary".into(), "auto".into());
        }
    }
    joined(request, "reasoning", ours)
}

pub(crate) const fn effort_word(effort: ReasoningEffort) -> &'static str {
    match effort {
        ReasoningEffort::None => "none",
        ReasoningEffort::Minimal => "minimal",
        ReasoningEffort::Low => "low",
        ReasoningEffort::High => "high",
        _ => "medium",
    }
}

/// A server that stores nothing can't look a thought up by its id: it has to travel along.
fn include(request: &ChatRequest) -> Option<[&'static str; 1]> {
    (is_stateless(request) && request.reasoning.is_some()).then_some(["reasoning.encrypted_content"])
}

/// Whether the server is told to forget.
pub(super) fn is_stateless(request: &ChatRequest) -> bool {
    request.extra.get("store") == Some(&Value::Bool(false))
}

/// Ours first, then those that the provider runs.
fn tools(request: &ChatRequest) -> Vec<WireTool<'_>> {
    let ours = request.tools.iter().map(WireTool::from);
    ours.chain(request.provider_tools.iter().map(WireTool::Provider))
        .collect()
}

#[derive(Serialize)]
#[serde(untagged)]
enum WireTool<'a> {
    Function {
        #[serde(rename = "type")]
        kind: &'static str,
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        parameters: &'a Value,
        /// This API keeps tools strict unless it is told not to; no other one does.
        strict: bool,
    },
    Provider(&'a JsonObject),
}

impl<'a> From<&'a Tool> for WireTool<'a> {
    fn from(tool: &'a Tool) -> Self {
        Self::Function {
            kind: "function",
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters: &tool.parameters,
            strict: tool.strict.unwrap_or(false),
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
#[serde(tag = "type", rename_all = "snake_case")]
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
