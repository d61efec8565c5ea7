//! A platform whose keyring we don't know. Nothing stands in for it.

use keyring_core::{CredentialStore, Error, Result};
use std::collections::HashMap;
use std::sync::Arc;

pub(crate) const PLACE: &str = "the keyring of this operating system";

pub(crate) const MOST_BYTES: usize = usize::MAX;

pub(crate) fn open() -> Result<Arc<CredentialStore>> {
    let what = "gatepass knows none on this operating system".to_owned();
    Err(Error::NotSupportedByStore(what))
}

pub(crate) fn modifiers(_label: &str) -> HashMap<&str, &str> {
    HashMap::new()
}

pub(crate) fn search(_service: &str) -> HashMap<&str, &str> {
    HashMap::new()
}
