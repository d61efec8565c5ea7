//! `content` that is a list of pieces, as Mistral's reasoning models answer.

use gatepass_core::{Part, Reasoning};
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

fn part(piece: &Value) -> Option<Part> {
    let kind = piece.get("type").and_then(Value::as_str).unwrap_or_default();
    let part = match (kind, piece) {
        ("text" | "output_text", _) => Part::text(member_text(piece, "text")),
        ("thinking", _) => Part::Reasoning(Reasoning::new(member_text(piece, "thinking"))),
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
