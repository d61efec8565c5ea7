//! gatepass, and what one would write by hand.

mod ours;
mod raw;

pub(crate) use ours::Ours;
pub(crate) use raw::Raw;

/// What all clients ask.
pub const SYSTEM: &str = "You are terse.";
/// What all clients ask.
pub const PROMPT: &str = "Explain in three sentences how a cache of access tokens should behave under load.";
/// Which model.
pub const MODEL: &str = "gpt-4o-mini";
/// By which right.
pub const KEY: &str = "sk-benchmark";
