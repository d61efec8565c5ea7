//! Where the key comes from.

use gatepass_core::{KeyVault, SecretString};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the key of a [`FileStore`](crate::FileStore) comes from.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum KeySource {
    /// The file `.key` beside the credentials, made at the first save. It protects against whoever gets hold of
    /// one of the two files, and not of both.
    #[default]
    KeyFile,
    /// Derived from a passphrase with Argon2id, 64 MiB and 3 passes: 0.1 to 1 s, once per handle.
    Passphrase(SecretString),
    /// The key itself, 44 characters of URL-safe base64 as `.key` has them: a server's, from its environment or
    /// from a command.
    Given(SecretString),
    /// Kept by somebody else, the operating system's keyring for instance.
    Vault(Arc<dyn KeyVault>),
}

/// Where the key is, told honestly; `Display` is a phrase for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyLocation {
    /// In that file, on the same disk as the credentials: whoever copies both can read them.
    SameDisk(PathBuf),
    /// In the head of whoever knows the passphrase.
    Passphrase,
    /// With whoever started this process.
    Given,
    /// In a vault; what [`KeyVault::location`] calls it.
    Vault(String),
}

impl KeyLocation {
    /// One word for machines: `same-disk-file`, `passphrase`, `given` or `keyring`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::SameDisk(_) => "same-disk-file",
            Self::Passphrase => "passphrase",
            Self::Given => "given",
            Self::Vault(_) => "keyring",
        }
    }
}

impl fmt::Display for KeyLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameDisk(path) => write!(f, "{}, on the same disk as the credentials", path.display()),
            Self::Passphrase => f.write_str("derived from a passphrase"),
            Self::Given => f.write_str("given by whoever started the process"),
            Self::Vault(location) => f.write_str(location),
        }
    }
}
