//! What the speaker of token endpoints does with servers good, odd and hostile: a live server on this machine each.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod answers;
mod authentication;
mod cache;
mod debug;
mod discovery;
mod discovery_failures;
mod hostile;
mod retries;
mod support;
mod words;
