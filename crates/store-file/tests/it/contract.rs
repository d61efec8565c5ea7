use crate::support::{Home, credential, key};
use gatepass_core::CredentialStore;
use gatepass_file_store::{FileStore, KeySource};
use gatepass_testkit::contract;
use std::sync::atomic::{AtomicUsize, Ordering};

/// K07
#[tokio::test]
async fn it_keeps_the_contract() {
    let root = tempfile::tempdir().unwrap();
    let count = AtomicUsize::new(0);
    contract::credential_store(|| {
        let name = count.fetch_add(1, Ordering::Relaxed).to_string();
        FileStore::open(root.path().join(name), KeySource::KeyFile).unwrap()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_the_contract_on_many_threads_and_with_a_given_key() {
    let root = tempfile::tempdir().unwrap();
    let count = AtomicUsize::new(0);
    contract::credential_store(|| {
        let name = count.fetch_add(1, Ordering::Relaxed).to_string();
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        FileStore::open(root.path().join(name), KeySource::Given(key.into())).unwrap()
    })
    .await;
}

/// K07
#[tokio::test]
async fn two_handles_share_it() {
    let home = Home::new();
    contract::shared_credential_store(|| home.store()).await;
}

#[tokio::test]
async fn clones_share_it() {
    let home = Home::new();
    let store = home.store();
    contract::shared_credential_store(|| store.clone()).await;
}

#[tokio::test]
async fn opening_and_looking_make_nothing() {
    let home = Home::new();
    let store = home.store();
    assert!(store.load(&key("jane")).await.unwrap().is_none());
    assert!(store.list().await.unwrap().is_empty());
    assert!(!store.delete(&key("jane")).await.unwrap());
    assert!(!home.path.exists(), "looking must not make the directory");
    store.save(&key("jane"), &credential("1")).await.unwrap();
    assert_eq!(
        home.names(),
        [".key", "credentials.json.enc", "credentials.meta.json", "locks"]
    );
}
