use crate::credential::{Credential, CredentialKey};
use crate::error::StoreError;
use async_trait::async_trait;
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Remembers credentials between logins.
///
/// Implementations pass the contract suite of `gatepass-testkit`. In the repository, `examples/custom_store.rs` is the
/// shortest one, and `tests/e2e/tests/it/support/postgres` one in a database that many hosts share.
#[async_trait]
pub trait CredentialStore: Send + Sync {
    /// Reads a credential; `None` if there is none. Never waits for a [`lock`](Self::lock) that others hold.
    ///
    /// # Errors
    /// [`StoreError`]; what can't be read is an error, never `None`.
    async fn load(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError>;

    /// Writes a credential, whole or not at all; it is durable when this returns.
    ///
    /// # Errors
    /// [`StoreError`]; what was there before is then still there.
    async fn save(&self, key: &CredentialKey, credential: &Credential) -> Result<(), StoreError>;

    /// Deletes a credential; tells whether there was one. Works on one that can't be read.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn delete(&self, key: &CredentialKey) -> Result<bool, StoreError>;

    /// The keys of all credentials, sorted.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list(&self) -> Result<Vec<CredentialKey>, StoreError>;

    /// Takes the exclusive right to refresh that credential, among all that share the store as far as
    /// [`exclusion`](Self::exclusion) says. Held over load, exchange and save; released when dropped.
    ///
    /// # Errors
    /// [`StoreError`], in particular when another holder doesn't let go in time.
    async fn lock(&self, key: &CredentialKey) -> Result<CredentialLock, StoreError>;

    /// How far a [`lock`](Self::lock) reaches.
    fn exclusion(&self) -> Exclusion;
}

#[async_trait]
impl<T: CredentialStore + ?Sized> CredentialStore for Arc<T> {
    async fn load(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        self.as_ref().load(key).await
    }

    async fn save(&self, key: &CredentialKey, credential: &Credential) -> Result<(), StoreError> {
        self.as_ref().save(key, credential).await
    }

    async fn delete(&self, key: &CredentialKey) -> Result<bool, StoreError> {
        self.as_ref().delete(key).await
    }

    async fn list(&self) -> Result<Vec<CredentialKey>, StoreError> {
        self.as_ref().list().await
    }

    async fn lock(&self, key: &CredentialKey) -> Result<CredentialLock, StoreError> {
        self.as_ref().lock(key).await
    }

    fn exclusion(&self) -> Exclusion {
        self.as_ref().exclusion()
    }
}

/// Among whom a store's lock excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Exclusion {
    /// Among the tasks of this process. Two processes may refresh at once, so a rotating refresh token is not
    /// safe in it.
    Process,
    /// Among the processes of this machine.
    Host,
    /// Among all hosts that share the store.
    Shared,
}

/// The exclusive right to refresh one credential, given back on drop.
pub struct CredentialLock {
    _guard: Box<dyn Any + Send + Sync>,
}

impl CredentialLock {
    /// Wraps whatever holds the lock until it is dropped.
    pub fn new(guard: impl Any + Send + Sync) -> Self {
        Self {
            _guard: Box::new(guard),
        }
    }
}

impl fmt::Debug for CredentialLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialLock").finish_non_exhaustive()
    }
}

/// Keeps credentials in this process's memory, and forgets them with it.
///
/// Excludes tasks of this process only ([`Exclusion::Process`]). Clones share their content.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    slots: Arc<Mutex<BTreeMap<CredentialKey, Slot>>>,
}

#[derive(Debug, Default)]
struct Slot {
    credential: Option<Credential>,
    lock: Arc<tokio::sync::Mutex<()>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<CredentialKey, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CredentialStore for MemoryStore {
    async fn load(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        Ok(self.slots().get(key).and_then(|slot| slot.credential.clone()))
    }

    async fn save(&self, key: &CredentialKey, credential: &Credential) -> Result<(), StoreError> {
        self.slots().entry(key.clone()).or_default().credential = Some(credential.clone());
        Ok(())
    }

    async fn delete(&self, key: &CredentialKey) -> Result<bool, StoreError> {
        // The slot stays: somebody may hold its lock.
        Ok(self
            .slots()
            .get_mut(key)
            .and_then(|slot| slot.credential.take())
            .is_some())
    }

    async fn list(&self) -> Result<Vec<CredentialKey>, StoreError> {
        let slots = self.slots();
        Ok(slots
            .iter()
            .filter(|(_, slot)| slot.credential.is_some())
            .map(|(key, _)| key.clone())
            .collect())
    }

    async fn lock(&self, key: &CredentialKey) -> Result<CredentialLock, StoreError> {
        let lock = Arc::clone(&self.slots().entry(key.clone()).or_default().lock);
        Ok(CredentialLock::new(lock.lock_owned().await))
    }

    fn exclusion(&self) -> Exclusion {
        Exclusion::Process
    }
}
