//! GNOME Keyring, unlocked.

use crate::desktop::{Desktop, Keyring as Ring};
use crate::roles::store;
use crate::support::{credential, key, left_out};
use gatepass_core::{CredentialStore, Exclusion, RefreshToken, StoreError};
use gatepass_file_store::{FileStore, KeySource};
use gatepass_keyring_store::{Keyring, KeyringStore, KeyringVault};
use gatepass_testkit::contract;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// K07
#[test]
fn it_keeps_the_contract() {
    let Some(desktop) = Desktop::new() else { return };
    desktop.run(&Ring::Unlocked, "contract").well();
}

pub(crate) async fn contract() {
    let root = tempfile::tempdir().unwrap();
    let count = AtomicUsize::new(0);
    contract::credential_store(|| {
        let service = format!("test {}", count.fetch_add(1, Ordering::Relaxed));
        KeyringStore::open(Keyring::new().with_service(&service), root.path()).unwrap()
    })
    .await;
    let shared = Keyring::new().with_service("shared");
    contract::shared_credential_store(|| KeyringStore::open(shared.clone(), root.path()).unwrap()).await;
    assert_eq!(store(root.path()).exclusion(), Exclusion::Host);
}

#[test]
fn a_probe_leaves_nothing_behind() {
    let Some(desktop) = Desktop::new() else { return };
    desktop.run(&Ring::Unlocked, "probe").well();
}

pub(crate) async fn probe() {
    let keyring = Keyring::new();
    keyring.probe().await.unwrap();
    tokio::try_join!(keyring.probe(), keyring.probe()).unwrap();
    let root = tempfile::tempdir().unwrap();
    let beside = KeyringStore::open(keyring.with_service("beside"), root.path()).unwrap();
    beside.save(&key("jane"), &credential("1")).await.unwrap();
    for (service, is_there) in [("gatepass probe", false), ("beside", true)] {
        let found = std::process::Command::new("secret-tool")
            .args(["search", "--all", "service", service])
            .output();
        match found {
            Ok(found) => assert_eq!(!found.stdout.is_empty(), is_there, "{service}: {found:?}"),
            Err(_) => left_out("secret-tool"),
        }
    }
}

/// K01: the keyring is no fake that forgets with its process.
#[test]
fn what_one_process_writes_a_new_one_reads_and_deletes() {
    let Some(desktop) = Desktop::new() else { return };
    desktop.run(&Ring::Unlocked, "handover").well();
}

pub(crate) async fn handover(directory: &Path) {
    Keyring::new().probe().await.unwrap();
    outlives("save", directory).await;
    for step in ["load", "delete"] {
        let new = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "roles::a_role_of_another_test"])
            .env("GATEPASS_TEST_ROLE", format!("outlives {step}"))
            .output()
            .unwrap();
        assert!(new.status.success(), "{step}: {new:?}");
        assert!(
            String::from_utf8_lossy(&new.stdout).contains("1 passed"),
            "{step}: {new:?}"
        );
    }
    let left = CredentialStore::load(&store(directory), &key("jane")).await;
    assert!(left.unwrap().is_none(), "deleted by another process");
}

/// K03
#[test]
fn sixteen_kibibytes_come_back() {
    let Some(desktop) = Desktop::new() else { return };
    desktop.run(&Ring::Unlocked, "large").well();
}

pub(crate) async fn large(directory: &Path) {
    let store = store(directory);
    let large = credential(&"x".repeat(16 * 1024));
    CredentialStore::save(&store, &key("jane"), &large).await.unwrap();
    let loaded = CredentialStore::load(&store, &key("jane")).await.unwrap();
    assert!(loaded == Some(large));
}

#[test]
fn the_file_store_keeps_its_key_in_it() {
    let Some(desktop) = Desktop::new() else { return };
    desktop.run(&Ring::Unlocked, "vault").well();
}

pub(crate) async fn vault(directory: &Path) {
    let open = || {
        let vault = KeyringVault::new(Keyring::new(), directory.to_str().unwrap());
        FileStore::open(directory, KeySource::Vault(Arc::new(vault))).unwrap()
    };
    let store = open();
    let save = CredentialStore::save(&store, &key("jane"), &credential("1")).await;
    save.unwrap();
    assert!(
        !directory.join(".key").exists(),
        "the key must not lie beside the file"
    );
    assert_eq!(store.key_location().word(), "keyring");
    store
        .rotate_key(KeySource::Vault(Arc::new(KeyringVault::new(
            Keyring::new(),
            directory.to_str().unwrap(),
        ))))
        .await
        .unwrap();
    let loaded = CredentialStore::load(&open(), &key("jane")).await.unwrap();
    assert!(loaded == Some(credential("1")));
    let other = KeyringVault::new(Keyring::new(), "another store");
    let other = FileStore::open(directory, KeySource::Vault(Arc::new(other))).unwrap();
    let error = CredentialStore::load(&other, &key("jane")).await.unwrap_err();
    assert!(matches!(error, StoreError::WrongKey { .. }), "{error}");
}

/// K01
#[test]
fn a_login_outlives_the_session_and_a_locked_keyring_says_so() {
    let Some(desktop) = Desktop::new() else { return };
    desktop.run(&Ring::Unlocked, "outlives save").well();
    desktop.run(&Ring::Locked, "unavailable locked").well();
    desktop.run(&Ring::Unlocked, "outlives load").well();
}

#[test]
fn a_keyring_in_plain_text_outlives_the_session_too() {
    let Some(desktop) = Desktop::new() else { return };
    desktop.run(&Ring::Plain, "outlives save").well();
    let text = std::fs::read_to_string(desktop.keyring_file()).unwrap();
    assert!(text.contains("gatepass"), "not in plain text: {text}");
    desktop.run(&Ring::Plain, "outlives load").well();
}

/// GNOME Keyring writes text as it is, and reads it with escapes.
const ODD: &str = r#"1\n"\"#;

pub(crate) async fn outlives(step: &str, directory: &Path) {
    let store = store(directory);
    match step {
        "save" => {
            let save = CredentialStore::save(
                &store,
                &key("jane"),
                &credential("1").with_refresh_token(RefreshToken::new(ODD)),
            )
            .await;
            save.unwrap();
        }
        "delete" => {
            let deleted = CredentialStore::delete(&store, &key("jane")).await;
            assert!(deleted.unwrap());
        }
        _ => {
            let loaded = CredentialStore::load(&store, &key("jane")).await.unwrap();
            assert!(loaded == Some(credential("1").with_refresh_token(RefreshToken::new(ODD))));
            assert_eq!(CredentialStore::list(&store).await.unwrap(), [key("jane")]);
        }
    }
}
