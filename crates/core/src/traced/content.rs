//! What is asked and answered, as OpenTelemetry's schemas of `gen_ai.input.messages` and `gen_ai.output.messages` have it.

use crate::chat::{Media, MediaSource, Message, Part, Role, ToolCall};
use serde_json::{Value, json};

/// The conversation so far.
pub(super) fn asked(messages: &[Message]) -> String {
    Value::from_iter(messages.iter().map(message)).to_string()
}

/// The answer, which has to have a reason for its end.
pub(super) fn answered(said: &Message, finish: Option<&str>) -> String {
    let mut told = message(said);
    let reason = match finish {
        Some("tool_calls") => "tool_call",
        Some(word) => word,
        None => "unknown",
    };
    if let Some(members) = told.as_object_mut() {
        members.insert("finish_reason".into(), reason.into());
    }
    json!([told]).to_string()
}

fn message(message: &Message) -> Value {
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    json!({ "role": role, "parts": message.parts.iter().map(part).collect::<Vec<_>>() })
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({ "type": "text", "content": &**text }),
        Part::Reasoning(thought) => json!({ "type": "reasoning", "content": thought.text }),
        Part::ToolCall(call) => {
            json!({ "type": "tool_call", "id": call.id, "name": call.name, "arguments": arguments(call) })
        }
        Part::ToolResult(result) => {
            json!({ "type": "tool_call_response", "id": result.id, "response": result.content })
        }
        Part::Image(image) => media(image, "image"),
        Part::Audio(sound) => media(sound, "audio"),
        Part::File(file) => media(file, "document"),
        Part::Other(other) => {
            let mut told = other.clone();
            if !told.get("type").is_some_and(Value::is_string) {
                told.insert("type".into(), "other".into());
            }
            told.into()
        }
    }
}

/// What the model wrote, though it be no JSON.
fn arguments(call: &ToolCall) -> Value {
    call.parse()
        .unwrap_or_else(|_| Value::from(call.arguments.as_str()))
}

fn media(media: &Media, modality: &str) -> Value {
    let (kind, place, content) = match &media.source {
        MediaSource::Url(url) => ("uri", "uri", url),
        MediaSource::Base64(content) => ("blob", "content", content),
        MediaSource::Id(id) => ("file", "file_id", id),
    };
    json!({ "type": kind, "modality": modality, "mime_type": media.media_type, (place): content })
}
