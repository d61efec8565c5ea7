//! What a test does on a desktop of its own: this binary, started again.

use crate::support::{credential, files, key};
use crate::{absent, desktop, dumb, full, processes, unlocked};
use gatepass_core::StoreError;
use gatepass_keyring_store::{Keyring, KeyringStore};
use std::path::Path;

#[test]
#[ignore = "a role that other tests start on a desktop of its own"]
fn a_role_of_another_test() {
    let Some((role, directory)) = desktop::told() else {
        return; // somebody runs all ignored tests
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let words: Vec<_> = role.split(' ').collect();
    runtime.block_on(async {
        match words.as_slice() {
            ["contract"] => unlocked::contract().await,
            ["probe"] => unlocked::probe().await,
            ["probe", "nothing"] => absent::probe().await,
            ["handover"] => unlocked::handover(&directory).await,
            ["large"] => unlocked::large(&directory).await,
            ["vault"] => unlocked::vault(&directory).await,
            ["outlives", step] => unlocked::outlives(step, &directory).await,
            ["unavailable", why] => absent::unavailable(why, &directory).await,
            ["dumb", "async"] => dumb::asynchronous(&directory).await,
            ["full"] => full::full(&directory).await,
            ["dumb", "first"] => dumb::first_request().await,
            ["dumb", "vault"] => dumb::vault().await,
            ["together", role] => processes::together(role, &directory).await,
            ["save", times] => processes::save(&directory, times.parse().unwrap()).await,
            ["count", times] => processes::count(&directory, times.parse().unwrap()).await,
            _ => panic!("unknown role {role}"),
        }
    });
}

pub(crate) fn store(directory: &Path) -> KeyringStore {
    KeyringStore::open(Keyring::new(), directory).unwrap()
}

/// Everything a store does must fail like that, and leave nothing behind.
pub(crate) async fn everything_fails(
    store: &KeyringStore,
    directory: &Path,
    check: impl Fn(StoreError) + Send + Sync,
) {
    use gatepass_core::CredentialStore;
    check(CredentialStore::load(store, &key("jane")).await.unwrap_err());
    check(CredentialStore::list(store).await.unwrap_err());
    check(store.keyring().probe().await.unwrap_err());
    let save = CredentialStore::save(store, &key("jane"), &credential("canary")).await;
    check(save.unwrap_err());
    check(CredentialStore::delete(store, &key("jane")).await.unwrap_err());
    for file in files(directory) {
        let content = std::fs::read_to_string(&file).unwrap();
        let names_a_process = content.parse::<u32>().is_ok();
        assert!(
            content.is_empty() || names_a_process,
            "nothing but lock files: {}",
            file.display()
        );
    }
}
