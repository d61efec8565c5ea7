//! The Secret Service, over D-Bus.

use keyring_core::{CredentialStore, Result};
use std::collections::HashMap;
use std::sync::Arc;
use zbus_secret_service_keyring_store::Store;

pub(crate) const PLACE: &str = "the Secret Service (GNOME Keyring, KWallet, KeePassXC)";

/// GNOME Keyring takes megabytes.
pub(crate) const MOST_BYTES: usize = usize::MAX;

pub(crate) fn open() -> Result<Arc<CredentialStore>> {
    Ok(Store::new()?)
}

pub(crate) fn modifiers(label: &str) -> HashMap<&str, &str> {
    HashMap::from([("label", label)])
}

pub(crate) fn search(service: &str) -> HashMap<&str, &str> {
    HashMap::from([("service", service)])
}
