//! What an answer holds and rig has no words for, kept beside rig's blocks.

use gatepass_core::{JsonObject, Part};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// A part of an answer as gatepass knows it. Rig keeps it as the provider's own item and gives it back as long as the
/// block is unchanged and the conversation stays with the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The wire that it was read from.
    pub(crate) wire: Option<Cow<'static, str>>,
    /// The part; none if this is what the message around it holds.
    pub(crate) part: Option<Part>,
    /// Fields of the message.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub(crate) message: JsonObject,
}

impl Kept {
    pub(crate) fn read(item: &Value) -> Option<Self> {
        Self::deserialize(item).ok()
    }

    pub(crate) fn to_item(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Whether rig's own block says all of this part.
pub(crate) fn is_plain(part: &Part) -> bool {
    match part {
        Part::Text(text) => text.extra.is_empty(),
        Part::Reasoning(thought) => thought.signature.is_none() && thought.extra.is_empty(),
        Part::ToolCall(call) => call.signature.is_none() && call.extra.is_empty(),
        _ => false,
    }
}
