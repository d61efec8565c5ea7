//! Against a live local authorization server: what must hold when it, the store, the network or the caller
//! misbehaves.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod authorization_code;
mod browser;
mod listener;
mod person;
mod redirect;
mod refresh;
mod refresh_faults;
mod stores;
