//! What goes over the wire, and nothing else: no HTTP, no waiting.

mod answer;
mod contents;
mod decoder;
mod embedding;
mod made_up;
mod models;
mod part;
mod partial;
mod piece;
mod request;
mod schema;
mod thinking;
mod usage;

pub(crate) use answer::{Answer, TOO_MANY};
pub(crate) use decoder::Decoder;
pub(crate) use embedding::{Texts, Vectors};
pub(crate) use models::{Models, count, error};
pub(crate) use request::Request;

/// The name of this wire: messages that came over it are sent back whole.
const WIRE: &str = "gemini";

#[cfg(test)]
mod tests;
