//! What the client does to servers that mean no good, and what it never does: a live server on this machine each.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod authorized;
mod debug;
mod limits;
mod proxy;
mod redirects;
mod retries;
mod support;
mod timeouts;
mod tls;
