//! The store of a profile.

use crate::profile::{FileKey, Profile, StoreKind};
use gatepass_core::{CredentialKey, CredentialStore, ProviderName, StoreError};
use gatepass_file_store::{FileStore, KeySource};
#[cfg(feature = "keyring")]
use gatepass_keyring_store::{Keyring, KeyringStore};
use std::sync::Arc;

/// Where a store keeps its logins, as a person calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StorePlace {
    /// The place: a path, or `the Secret Service`.
    pub location: String,
    /// Where the key is that they are encrypted with.
    pub key: String,
    /// That in one word: `same-disk-file`, `keyring`, `passphrase` or `given`.
    pub key_kind: &'static str,
}

impl Profile {
    /// Opens the store. Touches nothing yet.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a store that this build doesn't have.
    pub fn store(&self) -> Result<Arc<dyn CredentialStore>, StoreError> {
        match self.store_kind() {
            StoreKind::File => Ok(Arc::new(self.file_store()?)),
            #[cfg(feature = "keyring")]
            StoreKind::Keyring => Ok(Arc::new(KeyringStore::open(Keyring::new(), self.directory())?)),
            #[cfg(not(feature = "keyring"))]
            StoreKind::Keyring => Err(no_keyring()),
        }
    }

    /// Tells where the store is, and its key. Touches nothing.
    ///
    /// # Errors
    /// As [`store`](Self::store).
    pub fn store_place(&self) -> Result<StorePlace, StoreError> {
        match self.store_kind() {
            StoreKind::File => {
                let store = FileStore::open(self.directory(), KeySource::KeyFile)?;
                let beside = store.key_location();
                let (key, key_kind) = match self.key() {
                    FileKey::File => (beside.to_string(), beside.word()),
                    FileKey::Keyring => ("the keyring".into(), "keyring"),
                    FileKey::Variable(name) => (format!("the environment variable {name}"), "given"),
                    FileKey::Command(_) => ("what a command prints".into(), "given"),
                    FileKey::PassphraseVariable(name) => {
                        let text = format!("derived from the passphrase in the environment variable {name}");
                        (text, "passphrase")
                    }
                    FileKey::PassphraseCommand(_) => (
                        "derived from the passphrase that a command prints".into(),
                        "passphrase",
                    ),
                };
                Ok(StorePlace {
                    location: store.path().display().to_string(),
                    key,
                    key_kind,
                })
            }
            #[cfg(feature = "keyring")]
            StoreKind::Keyring => {
                let place = Keyring::new().location().to_owned();
                Ok(StorePlace {
                    location: place.clone(),
                    key: place,
                    key_kind: "keyring",
                })
            }
            #[cfg(not(feature = "keyring"))]
            StoreKind::Keyring => Err(no_keyring()),
        }
    }

    /// Opens the store as [`store`](Self::store) does, and tries whether it takes a login, before a person is asked to
    /// log in. A keyring is written to and read, and what was written is deleted; for the file, see
    /// [`FileStore::probe`].
    ///
    /// # Errors
    /// [`StoreError`]: what saving a login would fail with.
    pub async fn probe_store(&self) -> Result<Arc<dyn CredentialStore>, StoreError> {
        match self.store_kind() {
            StoreKind::File => {
                let store = self.file_store()?;
                store.probe().await?;
                Ok(Arc::new(store))
            }
            #[cfg(feature = "keyring")]
            StoreKind::Keyring => {
                let keyring = Keyring::new();
                keyring.probe().await?;
                Ok(Arc::new(KeyringStore::open(keyring, self.directory())?))
            }
            #[cfg(not(feature = "keyring"))]
            StoreKind::Keyring => Err(no_keyring()),
        }
    }

    /// The encrypted file in the directory, whichever store is in use. Runs the command that prints its key, if there
    /// is one, and waits for it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a key that is not where it should be.
    /// [`StoreError::Unavailable`] if there is no working directory that a relative path could mean.
    pub fn file_store(&self) -> Result<FileStore, StoreError> {
        FileStore::open(self.directory(), self.key_source()?)
    }

    /// The logins at `provider`, sorted by their accounts.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn logins(&self, provider: &ProviderName) -> Result<Vec<CredentialKey>, StoreError> {
        let mut keys = self.store()?.list().await?;
        keys.retain(|key| key.provider() == provider);
        Ok(keys)
    }
}

#[cfg(not(feature = "keyring"))]
fn no_keyring() -> StoreError {
    StoreError::Refused {
        what: "the keyring: this build can't use it".into(),
        fix: "use the file store, or enable the feature keyring".into(),
    }
}
