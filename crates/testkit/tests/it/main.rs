//! The servers, seen from a socket; the contract suites, run against what core offers.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod answers;
mod authorization;
mod backend;
mod client;
mod contract;
mod faults;
mod model;
