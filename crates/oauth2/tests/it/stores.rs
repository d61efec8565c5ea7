//! Stores that misbehave on demand.

use gatepass_core::{
    Credential, CredentialKey, CredentialLock, CredentialStore, Exclusion, MemoryStore, StoreError,
    async_trait,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// A memory store whose faults can be switched on. Clones share everything.
#[derive(Clone, Default)]
pub(crate) struct FaultyStore {
    pub(crate) inner: MemoryStore,
    pub(crate) faults: Arc<Faults>,
}

#[derive(Default)]
pub(crate) struct Faults {
    /// `lock` excludes nobody.
    pub(crate) no_lock: AtomicBool,
    /// The disk is full.
    pub(crate) no_save: AtomicBool,
    /// The disk is gone.
    pub(crate) no_load: AtomicBool,
    /// Somebody else holds the lock for ever.
    pub(crate) locked: AtomicBool,
    /// Each save takes this long, in milliseconds.
    pub(crate) save_ms: AtomicUsize,
    pub(crate) locks: AtomicUsize,
    /// Saves that were begun, and those that worked.
    pub(crate) tries: AtomicUsize,
    pub(crate) saves: AtomicUsize,
    pub(crate) deletions: AtomicUsize,
}

impl FaultyStore {
    pub(crate) fn set(&self, fault: impl Fn(&Faults) -> &AtomicBool, on: bool) {
        fault(&self.faults).store(on, Ordering::SeqCst);
    }

    fn is(&self, fault: impl Fn(&Faults) -> &AtomicBool) -> bool {
        fault(&self.faults).load(Ordering::SeqCst)
    }

    pub(crate) fn count(&self, what: impl Fn(&Faults) -> &AtomicUsize) -> usize {
        what(&self.faults).load(Ordering::SeqCst)
    }
}

fn unavailable(what: &str) -> StoreError {
    StoreError::Unavailable {
        what: what.into(),
        source: None,
    }
}

#[async_trait]
impl CredentialStore for FaultyStore {
    async fn load(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        if self.is(|faults| &faults.no_load) {
            return Err(unavailable("the disk is gone"));
        }
        self.inner.load(key).await
    }

    async fn save(&self, key: &CredentialKey, credential: &Credential) -> Result<(), StoreError> {
        self.faults.tries.fetch_add(1, Ordering::SeqCst);
        if self.is(|faults| &faults.no_save) {
            return Err(unavailable("the disk is full"));
        }
        let pause = u64::try_from(self.count(|faults| &faults.save_ms)).unwrap();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        self.faults.saves.fetch_add(1, Ordering::SeqCst);
        self.inner.save(key, credential).await
    }

    async fn delete(&self, key: &CredentialKey) -> Result<bool, StoreError> {
        self.faults.deletions.fetch_add(1, Ordering::SeqCst);
        self.inner.delete(key).await
    }

    async fn list(&self) -> Result<Vec<CredentialKey>, StoreError> {
        self.inner.list().await
    }

    async fn lock(&self, key: &CredentialKey) -> Result<CredentialLock, StoreError> {
        self.faults.locks.fetch_add(1, Ordering::SeqCst);
        if self.is(|faults| &faults.locked) {
            return Err(StoreError::Locked {
                what: key.to_string(),
                waited: Duration::from_secs(60),
                holder: None,
            });
        }
        if self.is(|faults| &faults.no_lock) {
            return Ok(CredentialLock::new(()));
        }
        self.inner.lock(key).await
    }

    fn exclusion(&self) -> Exclusion {
        Exclusion::Process
    }
}
