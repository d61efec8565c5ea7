use super::{JsonObject, Message, Role, ToolCall};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A model's whole answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatReply {
    /// The answer, ready to be added to the conversation.
    pub message: Message,
    /// Why it ended; `None` where the provider didn't say, or the answer broke off.
    pub finish: Option<FinishReason>,
    /// What it cost.
    pub usage: Option<Usage>,
    /// The model that answered, by the provider's name.
    pub model: Option<String>,
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// What came beside the answer.
    pub metadata: ReplyMetadata,
    /// Fields of the provider's answer that the vocabulary doesn't have.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub extra: JsonObject,
}

impl ChatReply {
    /// An answer that consists of this message.
    #[must_use]
    pub fn new(message: Message) -> Self {
        Self {
            message,
            finish: None,
            usage: None,
            model: None,
            id: None,
            metadata: ReplyMetadata::default(),
            extra: JsonObject::new(),
        }
    }

    /// The answer's text.
    #[must_use]
    pub fn text(&self) -> String {
        self.message.text()
    }

    /// The tools that the model asks for.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.message.tool_calls()
    }
}

impl Default for ChatReply {
    fn default() -> Self {
        Self::new(Message::new(Role::Assistant, []))
    }
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FinishReason {
    /// It is complete.
    Stop,
    /// `max_tokens`, or the model's own limit, was reached.
    Length,
    /// The model waits for tools.
    ToolCalls,
    /// The provider withheld something.
    ContentFilter,
    /// Another reason, in the provider's own word.
    Other(String),
}

/// What an answer cost, in tokens, as far as the provider told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens of the input, cached ones included.
    pub input_tokens: Option<u64>,
    /// Tokens of the output, thoughts included.
    pub output_tokens: Option<u64>,
    /// Tokens in all.
    pub total_tokens: Option<u64>,
    /// Those of the input that came from the provider's cache.
    pub cached_input_tokens: Option<u64>,
    /// Those of the input that were written to the provider's cache.
    pub cache_write_tokens: Option<u64>,
    /// Those of the output that were thoughts.
    pub reasoning_tokens: Option<u64>,
    /// What else the provider counts, as it stands: tokens by modality, searches.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub extra: JsonObject,
}

/// What came beside an answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReplyMetadata {
    /// The provider's id for the request: name it when you ask its support.
    pub request_id: Option<String>,
    /// What the provider said of its limits.
    #[serde(default)]
    pub rate_limits: RateLimits,
}

/// A snapshot of a provider's limits, as its reply told them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RateLimits {
    /// Requests.
    pub requests: RateLimit,
    /// Tokens.
    pub tokens: RateLimit,
}

/// One limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RateLimit {
    /// How many there are in a period.
    pub limit: Option<u64>,
    /// How many are left.
    pub remaining: Option<u64>,
    /// When the period ends.
    pub reset: Option<Duration>,
}

/// A model that a credential may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelInfo {
    /// Its name, as requests use it.
    pub id: String,
    /// What else the provider says of it.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub extra: JsonObject,
}

impl ModelInfo {
    /// A model of this name.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            extra: JsonObject::new(),
        }
    }
}
