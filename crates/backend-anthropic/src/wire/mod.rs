//! What goes over the wire, and nothing else: no HTTP, no waiting.

mod block;
mod conversation;
mod decoder;
mod event;
mod finish;
mod generation;
mod ids;
mod models;
mod open;
mod part;
mod reply;
mod request;
mod schema;
mod source;
mod thinking;
mod tools;
mod usage;

pub(crate) use decoder::Decoder;
pub(crate) use models::{Page, count};
pub(crate) use reply::reply;
pub(crate) use request::{Mode, encode};

/// The name of this wire: messages that came over it are sent back whole.
const WIRE: &str = "anthropic-messages";

#[cfg(test)]
mod tests;
