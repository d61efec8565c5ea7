//! What goes over the wire, and nothing else: no HTTP, no waiting.

mod call;
mod calls;
mod chunk;
mod content;
mod decoder;
mod lenient;
mod message;
mod models;
mod object;
mod part;
mod reply;
mod request;
mod rest;
mod usage;

pub(crate) use decoder::{Decoder, Fault};
pub(crate) use models::models;
pub(crate) use reply::Answer;
pub(crate) use request::{Mode, encode};

#[cfg(test)]
mod tests;
