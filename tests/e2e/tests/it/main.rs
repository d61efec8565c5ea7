//! From a configuration file to a streamed answer, on real servers; `cargo xtask e2e` installs them.
//!
//! Each test has servers of its own, so that what it counts is its own doing.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod support;

mod answers;
mod anthropic;
mod browser;
mod chat;
mod conformance;
mod contract;
mod deaths;
mod disks;
mod embeddings;
mod faults;
mod logins;
mod refusals;
mod renewal;
mod responses;
mod rotation;
mod sharing;
mod strangers;
mod terminal;
mod tokens;
mod worker;
