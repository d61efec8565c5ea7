//! The Secret Service, over D-Bus.

use super::secret_service::Store;
use keyring_core::{CredentialStore, Result};
use std::collections::HashMap;
use std::sync::Arc;

pub(crate) const PLACE: &str = "the Secret Service (GNOME Keyring, KWallet, KeePassXC)";

/// GNOME Keyring takes megabytes.
pub(crate) const MOST_BYTES: usize = usize::MAX;

pub(crate) fn open() -> Result<Arc<CredentialStore>> {
    Ok(Arc::new(Store::connect()?))
}

pub(crate) fn modifiers(label: &str) -> HashMap<&str, &str> {
    HashMap::from([("label", label)])
}

pub(crate) fn search(service: &str) -> HashMap<&str, &str> {
    HashMap::from([("service", service)])
}
