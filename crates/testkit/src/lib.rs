#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![expect(
    clippy::panic,
    reason = "this crate is for tests: what can't be set up, or doesn't hold, ends the test with a sentence"
)]

mod answer;
mod damage;
mod json;
mod leave;
mod request;
mod server;
mod visit;
mod wait;

mod authorization;
mod model;

mod clock;
mod source;

pub mod contract;
pub mod outcome;
#[cfg(feature = "recordings")]
pub mod recordings;

pub use answer::Answer;
pub use authorization::{AuthorizationServer, ClientAuth};
pub use clock::ManualClock;
pub use damage::{damaged, hostile};
pub use leave::leave_after;
pub use model::{ModelServer, ScriptedReply};
pub use request::RecordedRequest;
pub use source::ScriptedTokenSource;
pub use visit::{Page, visit};
pub use wait::eventually;

// Part of our signatures.
pub use bytes::Bytes;
pub use http;
pub use serde_json::Value;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A test that panicked while it held a lock has failed already; the others go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
