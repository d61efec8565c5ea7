//! What no server of these languages takes, refused before any is asked. Never tells content.

use gatepass_core::{BackendError, ChatRequest, Message, Part, ToolChoice};

pub(crate) fn invalid(what: impl Into<String>) -> BackendError {
    BackendError::Request { what: what.into() }
}

/// A model is named.
pub(crate) fn model(request: &ChatRequest) -> Result<(), BackendError> {
    if request.extra.contains_key("model") {
        return Ok(());
    }
    model_name(request.model.as_deref())
}

/// A model's name can be sent.
pub(crate) fn model_name(name: Option<&str>) -> Result<(), BackendError> {
    let name = name.ok_or_else(|| invalid("no model is named"))?;
    self::name(name, "the model's name")
}

/// Tools have names.
pub(crate) fn tools(request: &ChatRequest) -> Result<(), BackendError> {
    for tool in &request.tools {
        name(&tool.name, "a tool's name")?;
    }
    match &request.tool_choice {
        Some(ToolChoice::Tool(tool)) => name(tool, "the chosen tool's name"),
        _ => Ok(()),
    }
}

/// Numbers are numbers: JSON has no others.
pub(crate) fn numbers(request: &ChatRequest) -> Result<(), BackendError> {
    for (value, name) in [
        (request.temperature, "temperature"),
        (request.top_p, "top_p"),
        (request.presence_penalty, "presence_penalty"),
        (request.frequency_penalty, "frequency_penalty"),
    ] {
        if value.is_some_and(|value| !value.is_finite()) {
            return Err(invalid(format!("{name} is not a number")));
        }
    }
    Ok(())
}

fn name(name: &str, what: &str) -> Result<(), BackendError> {
    if name.is_empty() {
        return Err(invalid(format!("{what} is empty")));
    }
    if name.chars().any(char::is_control) {
        return Err(invalid(format!("{what} has a control character")));
    }
    Ok(())
}

/// About as many bytes as the conversation takes.
pub(crate) fn size(request: &ChatRequest) -> usize {
    let text = |part: &Part| part.as_text().map_or(128, |text| text.len() + text.len() / 16);
    let message = |message: &Message| message.parts.iter().map(text).sum::<usize>() + 64;
    request.messages.iter().map(message).sum()
}
