//! The Credential Manager.

use keyring_core::{CredentialStore, Result};
use std::collections::HashMap;
use std::sync::Arc;
use windows_native_keyring_store::Store;

pub(crate) const PLACE: &str = "the Credential Manager";

/// `CRED_MAX_CREDENTIAL_BLOB_SIZE`.
pub(crate) const MOST_BYTES: usize = 5 * 512;

pub(crate) fn open() -> Result<Arc<CredentialStore>> {
    Ok(Store::new()?)
}

/// On this machine alone: a refresh token that roams would be used by two machines at once.
pub(crate) fn modifiers(_label: &str) -> HashMap<&str, &str> {
    HashMap::from([("persistence", "Local")])
}

/// Everything: it is searched by a regular expression, and the caller compares the service anyway.
pub(crate) fn search(_service: &str) -> HashMap<&str, &str> {
    HashMap::new()
}
