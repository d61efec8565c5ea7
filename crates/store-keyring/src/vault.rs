use crate::error::corrupt;
use crate::keyring::Keyring;
use crate::names::encoded;
use crate::ring::Entry;
use gatepass_core::{ExposeSecret, KeySlot, KeyVault, SecretString, StoreError};

/// Keeps the key of an encrypted store in the keyring.
///
/// ```no_run
/// use gatepass_file_store::{FileStore, KeySource};
/// use gatepass_keyring_store::{Keyring, KeyringVault};
/// use std::sync::Arc;
///
/// # fn open() -> Result<FileStore, gatepass_core::StoreError> {
/// let directory = "/home/jane/.config/gatepass";
/// let vault = KeyringVault::new(Keyring::new(), directory);
/// FileStore::open(directory, KeySource::Vault(Arc::new(vault)))
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct KeyringVault {
    keyring: Keyring,
    name: String,
}

impl KeyringVault {
    /// The vault of the store that `name` tells from others: its directory, for instance.
    #[must_use]
    pub fn new(keyring: Keyring, name: &str) -> Self {
        Self {
            keyring,
            name: name.to_owned(),
        }
    }

    fn entry(&self, slot: KeySlot) -> Entry {
        let suffix = match slot {
            KeySlot::Current => "current",
            KeySlot::Next => "next",
        };
        let service = &self.keyring.service;
        Entry {
            service: format!("{service} keys"),
            user: format!("{}/{suffix}", encoded(&self.name, ".")),
            label: format!("{service}: key of {}", self.name),
        }
    }
}

impl KeyVault for KeyringVault {
    fn read(&self, slot: KeySlot) -> Result<Option<SecretString>, StoreError> {
        let entry = self.entry(slot);
        self.keyring.calls.run_blocking(move |ring| {
            let Some(secret) = ring.get(&entry)? else {
                return Ok(None);
            };
            let text = std::str::from_utf8(&secret).map_err(|_| corrupt(&entry.label, "it is not a key"))?;
            Ok(Some(SecretString::from(text)))
        })
    }

    fn write(&self, slot: KeySlot, key: &SecretString) -> Result<(), StoreError> {
        let (entry, key) = (self.entry(slot), key.clone());
        self.keyring
            .calls
            .run_blocking(move |ring| ring.set(&entry, key.expose_secret().as_bytes()))
    }

    fn remove(&self, slot: KeySlot) -> Result<(), StoreError> {
        let entry = self.entry(slot);
        self.keyring
            .calls
            .run_blocking(move |ring| ring.remove(&entry).map(drop))
    }

    fn location(&self) -> String {
        format!(
            "{}, \"{} keys\" of {}",
            self.keyring.location(),
            self.keyring.service,
            self.name
        )
    }
}
