//! The Responses API: what goes over its wire, and the backend that speaks it.

mod answer;
mod backend;
mod decoder;
mod event;
mod input;
mod item;
mod open;
mod piece;
mod reply;
mod request;
mod usage;

pub use backend::OpenAiResponsesBackend;
pub(crate) use request::effort_word;

/// The name of this wire: messages that came over it are sent back whole.
const WIRE: &str = "openai-responses";

#[cfg(test)]
mod tests;
