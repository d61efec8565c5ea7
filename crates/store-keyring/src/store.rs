use crate::error::io;
use crate::keyring::Keyring;
use crate::lock::{self, Held};
use crate::names::{Names, key_of};
use crate::record;
use gatepass_core::{
    Credential, CredentialKey, CredentialLock, CredentialStore, Exclusion, StoreError, async_trait,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Remembers credentials in the operating system's keyring.
///
/// * **Loading** never waits for a lock.
/// * **Saving** replaces the credential: whole or not at all. What doesn't fit into one entry of the keyring is kept in
///   parts, see [the crate](crate). A caller that goes away doesn't cut it off.
/// * **Locks** ([`Exclusion::Host`]) are files in a directory, since no keyring has any. All processes that share the
///   keyring must name the same directory; it holds nothing but empty files.
///
/// Needs a tokio runtime with its timer enabled.
///
/// ```no_run
/// use gatepass_core::{CredentialKey, CredentialStore, ProviderName};
/// use gatepass_keyring_store::{Keyring, KeyringStore};
///
/// # async fn load() -> Result<(), Box<dyn std::error::Error>> {
/// let store = KeyringStore::open(Keyring::new(), "/home/jane/.config/gatepass")?;
/// let key = CredentialKey::new(ProviderName::parse("google")?);
/// let credential = store.load(&key).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct KeyringStore {
    keyring: Keyring,
    directory: PathBuf,
    patience: Duration,
}

impl KeyringStore {
    /// How long a lock is waited for, unless [`with_lock_patience`](Self::with_lock_patience) says otherwise.
    pub const LOCK_PATIENCE: Duration = Duration::from_secs(60);

    /// The store in `keyring`, with its lock files in `locks` in `directory`. Touches neither: use
    /// [`Keyring::probe`] to know whether the keyring works.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] for a relative directory when there is no current one.
    pub fn open(keyring: Keyring, directory: impl AsRef<Path>) -> Result<Self, StoreError> {
        let directory = directory.as_ref();
        Ok(Self {
            keyring,
            directory: std::path::absolute(directory).map_err(io("finding", directory))?,
            patience: Self::LOCK_PATIENCE,
        })
    }

    /// Sets how long a lock is waited for before [`StoreError::Locked`].
    #[must_use]
    pub fn with_lock_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The keyring.
    #[must_use]
    pub const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    fn names(&self, key: &CredentialKey) -> Names {
        Names::new(&self.keyring.service, key)
    }

    async fn hold(&self, what: &str, key: &CredentialKey) -> Result<Held, StoreError> {
        let name = format!("{what} {} {key}", self.keyring.service);
        let path = lock::file(&self.directory, &name);
        lock::acquire(path, self.patience, &key.to_string()).await
    }

    async fn load(&self, key: CredentialKey) -> Result<Option<Credential>, StoreError> {
        let names = self.names(&key);
        self.keyring
            .calls
            .run(move |ring| record::load(ring, &names, &key))
            .await
    }

    async fn save(&self, key: CredentialKey, credential: Credential) -> Result<(), StoreError> {
        let names = self.names(&key);
        let held = self.hold("write", &key).await?;
        self.keyring
            .calls
            .run(move |ring| {
                let _held = held;
                record::save(ring, &names, &key, &credential)
            })
            .await
    }

    async fn delete(&self, key: CredentialKey) -> Result<bool, StoreError> {
        let names = self.names(&key);
        let held = self.hold("write", &key).await?;
        self.keyring
            .calls
            .run(move |ring| {
                let _held = held;
                record::delete(ring, &names)
            })
            .await
    }

    async fn list(&self) -> Result<Vec<CredentialKey>, StoreError> {
        let service = self.keyring.service.clone();
        let users = self.keyring.calls.run(move |ring| ring.users(&service)).await?;
        let mut keys: Vec<_> = users.iter().filter_map(|user| key_of(user)).collect();
        keys.sort();
        keys.dedup();
        Ok(keys)
    }
}

#[async_trait]
impl CredentialStore for KeyringStore {
    async fn load(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        self.load(key.clone()).await
    }

    async fn save(&self, key: &CredentialKey, credential: &Credential) -> Result<(), StoreError> {
        self.save(key.clone(), credential.clone()).await
    }

    async fn delete(&self, key: &CredentialKey) -> Result<bool, StoreError> {
        self.delete(key.clone()).await
    }

    async fn list(&self) -> Result<Vec<CredentialKey>, StoreError> {
        self.list().await
    }

    async fn lock(&self, key: &CredentialKey) -> Result<CredentialLock, StoreError> {
        Ok(CredentialLock::new(self.hold("refresh", key).await?))
    }

    fn exclusion(&self) -> Exclusion {
        Exclusion::Host
    }
}
