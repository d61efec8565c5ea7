//! The files of a store.

/// The credentials: one Fernet token.
pub(crate) const CREDENTIALS: &str = "credentials.json.enc";
/// The key: 44 characters.
pub(crate) const KEY: &str = ".key";
/// The key after a change that hasn't come to its end.
pub(crate) const NEXT_KEY: &str = ".key.next";
/// What must be known before decrypting; nothing secret.
pub(crate) const DESCRIPTION: &str = "credentials.meta.json";
/// The directory of the lock files.
pub(crate) const LOCKS: &str = "locks";
