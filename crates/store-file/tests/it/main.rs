//! The file store against what happens to files: other processes, crashes, full disks, damage, hostile neighbours.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod contract;
mod support;

