//! Against a live local authorization server: what must hold when it, the store or the caller misbehaves.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod refresh;
mod refresh_faults;
mod stores;
