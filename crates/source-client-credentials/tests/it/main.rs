//! From a configuration file to a token: files good and bad, and a live authorization server.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod cancellation;
mod captured;
mod checks;
mod concurrency;
mod debug;
mod environment;
mod fields;
mod files;
mod logins;
mod logs;
mod origin;
mod refresh_tokens;
mod support;
mod syntax;
mod tokens;
