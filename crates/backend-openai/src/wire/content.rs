//! `content` that is a list of pieces, as Mistral's reasoning models answer.

use gatepass_core::{JsonObject, Part, Reasoning, Text};
use gatepass_wire::Content;
use serde_json::Value;

/// The parts of a message's `content`; no part for an empty text.
pub(super) fn parts(content: Content<'_>) -> Vec<Part> {
    match content {
        Content::None => Vec::new(),
        Content::Text(text) if text.is_empty() => Vec::new(),
        Content::Text(text) => vec![Part::text(text)],
        Content::Other(Value::Array(pieces)) => pieces.iter().filter_map(part).collect(),
        Content::Other(piece) => part(&piece).into_iter().collect(),
    }
}

/// The member that tells of which kind a piece is.
pub(super) const TYPE: &str = "type";

fn part(piece: &Value) -> Option<Part> {
    let kind = piece.get(TYPE).and_then(Value::as_str).unwrap_or_default();
    let part = match (kind, piece) {
        ("text" | "output_text", Value::Object(members)) => {
            let mut text = Text::new(member_text(piece, "text"));
            text.extra = rest(members, &[TYPE, "text"]);
            Part::Text(text)
        }
        ("thinking", Value::Object(members)) => {
            let mut thought = Reasoning::new(member_text(piece, "thinking"));
            thought.extra = rest(members, &["thinking"]);
            Part::Reasoning(thought)
        }
        ("refusal", _) => Part::text(member_text(piece, "refusal")),
        (_, Value::String(text)) => Part::text(text),
        (_, Value::Object(members)) => Part::Other(members.clone()),
        (_, other) => Part::text(other.to_string()),
    };
    let is_empty = match &part {
        Part::Text(text) => text.is_empty(),
        Part::Reasoning(thought) => thought.text.is_empty(),
        _ => false,
    };
    (!is_empty).then_some(part)
}

/// The members that have no name here, unless they say nothing.
fn rest(members: &JsonObject, known: &[&str]) -> JsonObject {
    let rest = members.iter().filter(|(name, _)| !known.contains(&name.as_str()));
    let rest = rest.filter(|(_, value)| !matches!(value, Value::Null) && !is_empty(value));
    rest.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Array(items) if items.is_empty())
}

/// A text, or a list of objects with texts, joined.
fn member_text(piece: &Value, name: &str) -> String {
    match piece.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(|item| item.get("text").unwrap_or(item).as_str())
            .collect(),
        _ => String::new(),
    }
}
