//! The file store against what happens to files: other processes, crashes, full disks, damage, hostile neighbours.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod contract;
mod damage;
mod formats;
mod hanging;
mod keys;
mod rotation;
mod support;

#[cfg(target_os = "linux")]
mod aborts;
#[cfg(unix)]
mod child;
#[cfg(unix)]
mod crashes;
#[cfg(target_os = "linux")]
mod cuts;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(unix)]
mod full;
#[cfg(unix)]
mod locks;
#[cfg(unix)]
mod planted;
#[cfg(target_os = "linux")]
mod power;
#[cfg(unix)]
mod processes;
#[cfg(unix)]
mod python;
#[cfg(target_os = "linux")]
mod syscalls;
