//! One vocabulary for every provider: messages of parts, tools, replies and events.
//!
//! What a provider has and nobody else is not lost: the `extra` maps carry it in and out as it stands.

mod embedding;
mod media;
mod message;
mod reply;
mod request;
mod stream;

pub use embedding::{EmbeddingRequest, Embeddings};
pub use media::{Media, MediaSource};
pub use message::{Message, Part, Reasoning, Role, Text, ToolCall, ToolResult};
pub use reply::{ChatReply, FinishReason, ModelInfo, RateLimit, RateLimits, ReplyMetadata, Usage};
pub use request::{ChatRequest, ReasoningEffort, ReasoningOptions, ResponseFormat, Tool, ToolChoice};
pub use stream::{ChatEvent, ChatStream};

/// Fields that only one provider knows, by name: the escape hatch, in and out.
pub type JsonObject = serde_json::Map<String, serde_json::Value>;
