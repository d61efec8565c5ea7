//! A keyring, as far as we need one.

use gatepass_core::StoreError;
use std::fmt;
use zeroize::Zeroizing;

/// What an entry holds, wiped on drop.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// Names one entry of a keyring.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) service: String,
    pub(crate) user: String,
    /// For people who look into their keyring.
    pub(crate) label: String,
}

/// One connection to a keyring. Every call may block for as long as somebody takes to unlock it.
pub(crate) trait Ring {
    fn get(&self, entry: &Entry) -> Result<Option<Secret>, StoreError>;

    /// Writes one entry, whole or not at all.
    fn set(&self, entry: &Entry, secret: &[u8]) -> Result<(), StoreError>;

    /// Tells whether there was one.
    fn remove(&self, entry: &Entry) -> Result<bool, StoreError>;

    /// The users of all entries of a service.
    fn users(&self, service: &str) -> Result<Vec<String>, StoreError>;

    /// How many bytes an entry holds at most.
    fn most_bytes(&self) -> usize;
}

/// Opens connections. The constructor of a keyring proves nothing, so opening is part of each call.
pub(crate) trait Connect: Send + Sync + fmt::Debug {
    fn connect(&self) -> Result<Box<dyn Ring>, StoreError>;

    /// What a person calls it: `the Keychain`.
    fn place(&self) -> &'static str;
}
