//! The real binary, run as a person or a script runs it, against servers on this machine.
//!
//! What it says stands in `golden/`, one file a case. Each case runs twice: as it is, and with `RUST_LOG=trace`;
//! neither run may show a secret. `UPDATE_GOLDEN=1 cargo test -p gatepass-cli` rewrites the files.
#![cfg(unix)]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod support;

mod auth;
mod auth_failures;
mod chat;
mod chat_failures;
mod clocks;
mod completions;
mod config;
#[cfg(target_os = "linux")]
mod core_dumps;
mod doctor;
mod help;
mod interruption;
mod key_sources;
mod keyring;
mod keys;
mod leaks;
#[cfg(target_os = "linux")]
mod listener;
mod models;
mod output;
#[cfg(target_os = "linux")]
mod pasting;
mod quiet;
mod readme;
mod terminal;
mod token;
mod token_failures;
#[cfg(target_os = "linux")]
mod unsaved;
mod words;
