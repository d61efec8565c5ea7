//! What goes over the wire, and nothing else: no HTTP, no waiting.

mod calls;
mod content;
mod decoder;
mod lenient;
mod message;
mod part;
mod reply;
mod request;
mod usage;

pub(crate) use decoder::{Decoder, Fault};
pub(crate) use reply::{Answer, models};
pub(crate) use request::{Mode, encode};

#[cfg(test)]
mod tests;
