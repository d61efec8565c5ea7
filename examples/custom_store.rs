//! A store of your own: rows of a table, here in memory. The contract suite proves all that a store promises.
//!
//! Run with: cargo run --example custom_store

#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use gatepass::{Credential, CredentialKey, CredentialLock, CredentialStore, Exclusion, StoreError};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Mutex;

#[derive(Default)]
struct TableStore(Mutex<BTreeMap<CredentialKey, Row>>);

#[derive(Default)]
struct Row {
    credential: Option<Credential>, // a database would get `to_secret_json()`, encrypted
    lock: Arc<Mutex<()>>,
}

#[gatepass::async_trait]
impl CredentialStore for TableStore {
    async fn load(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        let rows = self.0.lock().await;
        Ok(rows.get(key).and_then(|row| row.credential.clone()))
    }

    async fn save(&self, key: &CredentialKey, credential: &Credential) -> Result<(), StoreError> {
        let mut rows = self.0.lock().await;
        rows.entry(key.clone()).or_default().credential = Some(credential.clone());
        Ok(())
    }

    async fn delete(&self, key: &CredentialKey) -> Result<bool, StoreError> {
        let mut rows = self.0.lock().await;
        let credential = rows.get_mut(key).and_then(|row| row.credential.take());
        Ok(credential.is_some())
    }

    async fn list(&self) -> Result<Vec<CredentialKey>, StoreError> {
        let rows = self.0.lock().await;
        let kept = rows.iter().filter(|(_, row)| row.credential.is_some());
        Ok(kept.map(|(key, _)| key.clone()).collect())
    }

    async fn lock(&self, key: &CredentialKey) -> Result<CredentialLock, StoreError> {
        let lock = Arc::clone(&self.0.lock().await.entry(key.clone()).or_default().lock);
        Ok(CredentialLock::new(lock.lock_owned().await))
    }

    fn exclusion(&self) -> Exclusion {
        Exclusion::Process // a row lock of a shared database would say `Shared`
    }
}

#[tokio::main]
async fn main() {
    gatepass_testkit::contract::credential_store(TableStore::default).await;
    println!("the store keeps the contract");
}
