//! The login keychain.

use apple_native_keyring_store::keychain::Store;
use keyring_core::{CredentialStore, Result};
use std::collections::HashMap;
use std::sync::Arc;

pub(crate) const PLACE: &str = "the Keychain";

pub(crate) const MOST_BYTES: usize = usize::MAX;

pub(crate) fn open() -> Result<Arc<CredentialStore>> {
    Ok(Store::new()?)
}

/// The Keychain shows the service and the account, and has no label of its own.
pub(crate) fn modifiers(_label: &str) -> HashMap<&str, &str> {
    HashMap::new()
}

pub(crate) fn search(service: &str) -> HashMap<&str, &str> {
    HashMap::from([("service", service)])
}
