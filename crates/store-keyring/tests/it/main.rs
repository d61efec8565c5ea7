//! The keyring store against real keyrings: GNOME Keyring in a D-Bus session of its own, locked, full, absent, dumb.

#![cfg(target_os = "linux")]
#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod absent;
mod desktop;
mod dumb;
mod full;
mod processes;
mod roles;
mod support;
mod unlocked;
