use crate::error::StoreError;
use secrecy::SecretString;
use std::fmt;

/// Keeps the key of an encrypted store in a safer place than beside what it encrypts.
///
/// Here rather than beside one of the two, since an encrypted store and a keyring don't know each other. Called on
/// a thread that may block.
pub trait KeyVault: Send + Sync + fmt::Debug {
    /// Reads a key.
    ///
    /// # Errors
    /// [`StoreError`]; a key that can't be read is an error, never `None`.
    fn read(&self, slot: KeySlot) -> Result<Option<SecretString>, StoreError>;

    /// Writes a key, durably, in place of an older one.
    ///
    /// # Errors
    /// [`StoreError`]
    fn write(&self, slot: KeySlot, key: &SecretString) -> Result<(), StoreError>;

    /// Removes a key; fine if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    fn remove(&self, slot: KeySlot) -> Result<(), StoreError>;

    /// What a person calls this place: `the login keyring`. Two vaults of the same location hold the same keys.
    fn location(&self) -> String;
}

/// A place for a key. There are two, so that a change of keys can be cut off at any moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a vault must keep each of them apart")]
pub enum KeySlot {
    /// The key in use.
    Current,
    /// The key that is about to be in use; there is none but during a change.
    Next,
}
