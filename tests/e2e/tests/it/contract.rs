//! What every store promises, of one that somebody else could have written.

use crate::support::{Database, PostgresStore};
use gatepass_testkit::contract;
use std::sync::atomic::{AtomicUsize, Ordering};

/// K07
#[tokio::test]
async fn a_store_in_a_database_keeps_the_contract() {
    let Some(database) = Database::start().await else {
        return;
    };
    let tenants = AtomicUsize::new(0);
    let store = |tenant: String| PostgresStore::new(database.folder(), tenant);
    contract::credential_store(|| store(tenants.fetch_add(1, Ordering::Relaxed).to_string())).await;
    contract::shared_credential_store(|| store("shared".to_owned())).await;
}
