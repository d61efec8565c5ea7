use crate::contract::{PATIENCE, at_last, waits};
use gatepass_core::{Credential, CredentialKey, CredentialLock, CredentialStore, StoreError};
use std::error::Error;
use std::sync::Arc;

/// A store whose errors end the test.
pub(super) struct Sure<S>(Arc<S>);

impl<S> Clone for Sure<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: CredentialStore> Sure<S> {
    pub(super) fn new(store: S) -> Self {
        Self(Arc::new(store))
    }

    pub(super) async fn load(&self, key: &CredentialKey) -> Option<Credential> {
        done(&format!("load({key})"), self.0.load(key)).await
    }

    pub(super) async fn save(&self, key: &CredentialKey, credential: &Credential) {
        done(&format!("save({key})"), self.0.save(key, credential)).await;
    }

    pub(super) async fn delete(&self, key: &CredentialKey) -> bool {
        done(&format!("delete({key})"), self.0.delete(key)).await
    }

    pub(super) async fn lock(&self, key: &CredentialKey) -> CredentialLock {
        done(&format!("lock({key})"), self.0.lock(key)).await
    }

    /// Whether somebody else holds the lock. A store may wait, or fail after a while.
    pub(super) async fn is_locked(&self, key: &CredentialKey) -> bool {
        waits(self.lock(key)).await
    }

    pub(super) async fn list(&self) -> Vec<CredentialKey> {
        done("list()", self.0.list()).await
    }
}

async fn done<T>(what: &str, work: impl Future<Output = Result<T, StoreError>>) -> T {
    // Longer than any test waits that knows better what it waits for.
    match at_last(what, PATIENCE.saturating_mul(3), work).await {
        Ok(done) => done,
        Err(error) => panic!("{what} must succeed; it failed: {}", with_causes(&error)),
    }
}

/// A test that fails once in a while must say why the first time.
fn with_causes(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(this) = cause {
        text = format!("{text}: {this}");
        cause = this.source();
    }
    text
}
