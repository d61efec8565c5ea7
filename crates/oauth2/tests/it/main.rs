//! Against live servers on this machine, good, odd and hostile: what must hold when they, the store, the network or
//! the caller misbehave.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod answers;
mod authentication;
mod authorization_code;
mod authorization_server;
mod browser;
mod cache;
mod cancellation;
mod captured;
#[cfg(target_os = "linux")]
mod crashes;
mod debug;
mod device;
mod discovery;
mod discovery_failures;
mod faults;
mod hostile;
mod hostile_requests;
mod issuers;
mod listener;
mod loopback;
mod memory;
#[cfg(target_os = "linux")]
mod names;
mod parts;
mod person;
mod random_answers;
mod redirect;
mod redirects;
mod refresh;
mod refresh_belonging;
mod refresh_faults;
mod refresh_sharing;
mod retries;
mod revocation;
mod sockets;
mod stores;
mod support;
mod words;
