//! What differs from one operating system to the next: one file each.

#[cfg(target_os = "linux")]
mod secret_service;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;

#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod system;

#[cfg(windows)]
#[path = "windows.rs"]
mod system;

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
#[path = "none.rs"]
mod system;

pub(crate) use system::{MOST_BYTES, PLACE, modifiers, open, search};
