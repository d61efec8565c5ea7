//! Thoughts, and where servers put them.

use super::content::TYPE;
use gatepass_core::{JsonObject, Message, Part, Reasoning};
use serde_json::Value;

/// The member of a thought's `extra` that holds the name of the message's field that it came in.
const FIELD: &str = "field";

/// The names that servers have for a message's thought.
pub(super) mod field {
    pub(in crate::wire) const CONTENT: &str = "reasoning_content";
    pub(in crate::wire) const REASONING: &str = "reasoning";
}

/// A thought that came in `field`. One piece of a stream's is enough to tell that.
pub(super) fn thought(text: String, field: Option<&str>) -> Reasoning {
    let mut thought = Reasoning::new(text);
    if let Some(field) = field {
        thought.extra = JsonObject::from_iter([(FIELD.to_owned(), field.into())]);
    }
    thought
}

/// What a message thought, and the field that it came in; nothing for thoughts that came elsewhere.
pub(super) fn thought_of(message: &Message) -> Option<(&str, String)> {
    let thoughts = message.parts.iter().filter_map(|part| match part {
        Part::Reasoning(thought) if !thought.extra.contains_key(TYPE) => Some(thought),
        _ => None,
    });
    let field = thoughts
        .clone()
        .find_map(|thought| thought.extra.get(FIELD).and_then(Value::as_str))?;
    Some((field, thoughts.map(|thought| thought.text.as_str()).collect()))
}
