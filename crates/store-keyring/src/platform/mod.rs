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

#[cfg(test)]
#[expect(
    dead_code,
    reason = "what it does is tried everywhere, what it says is for its own platforms"
)]
#[path = "none.rs"]
mod unknown;

#[cfg(test)]
mod tests {
    use keyring_core::Error;

    /// K01
    #[test]
    fn nothing_stands_in_for_the_keyring_of_an_unknown_system() {
        let error = super::unknown::open().unwrap_err();
        assert!(matches!(error, Error::NotSupportedByStore(_)), "{error:?}");
    }
}
