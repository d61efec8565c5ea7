//! What a terminal shows of what is typed, and the signals that come by it.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use other as platform;
#[cfg(unix)]
use unix as platform;

pub(crate) use platform::{Silence, input, termination, through_stops};

use std::io::{self, IsTerminal};

/// Whether a line, without its end, is all that a terminal gives of a longer one: Linux drops what comes after the
/// 4,095th byte.
pub(crate) fn is_cut(line: &[u8]) -> bool {
    cfg!(target_os = "linux") && line.len() == 4095 && io::stdin().is_terminal()
}
