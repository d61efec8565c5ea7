//! What goes over the wire, and nothing else: no HTTP, no waiting.

mod call;
mod calls;
mod chunk;
mod content;
mod decoder;
mod delta;
mod message;
mod part;
mod reply;
mod request;
mod thought;
mod usage;

pub(crate) use calls::TOO_MANY;
pub(crate) use decoder::Decoder;
pub(crate) use reply::Answer;
pub(crate) use request::{Mode, encode};

/// The name of this wire: messages that came over it are sent back whole.
const WIRE: &str = "openai-chat";

#[cfg(test)]
mod tests;
