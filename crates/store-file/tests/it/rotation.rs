//! How a key changes.

use crate::keys::sources;
use crate::support::{CREDENTIALS, Home, META, credential, key, loaded};
use gatepass_core::{CredentialStore, StoreError};
use gatepass_file_store::KeySource;

#[tokio::test]
async fn any_key_changes_into_any_other() {
    for from in sources() {
        for to in sources() {
            let home = Home::new();
            let old = home.with(from.clone());
            old.save(&key("jane"), &credential("1")).await.unwrap();
            let before = home.read(CREDENTIALS);
            let new = old.rotate_key(to.clone()).await.unwrap();
            assert_ne!(home.read(CREDENTIALS), before);
            for store in [&new, &home.with(to.clone())] {
                assert_eq!(loaded(store, "jane").await.unwrap().as_deref(), Some("1"));
            }
            new.save(&key("joe"), &credential("2")).await.unwrap();
            assert_eq!(new.list().await.unwrap().len(), 2);
            assert_eq!(
                home.file(".key").exists(),
                matches!(to, KeySource::KeyFile),
                "no key is left behind: {from:?} to {to:?}"
            );
            assert!(!home.file(".key.next").exists());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_and_writers_go_on_while_the_key_file_changes() {
    let home = Home::with_jane().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..4 {
        let store = home.store();
        tasks.spawn(async move {
            for _ in 0..50 {
                assert!(loaded(&store, "jane").await.unwrap().is_some());
                if number == 0 {
                    store.save(&key("joe"), &credential("2")).await.unwrap();
                }
            }
        });
    }
    let store = home.store();
    for _ in 0..20 {
        store.rotate_key(KeySource::KeyFile).await.unwrap();
    }
    tasks.join_all().await;
    assert_eq!(store.list().await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_unfinished_change_to_a_passphrase_is_opened_by_one_of_the_two() {
    let home = Home::with_jane().await;
    let passphrase = || KeySource::Passphrase("correct horse".into());
    let (old_key, old_file) = (home.read(".key"), home.read(CREDENTIALS));
    home.store().rotate_key(passphrase()).await.unwrap();
    let (new_meta, new_file) = (home.read(META), home.read(CREDENTIALS));
    // The description names both keys, and the credentials are still those of before.
    let mut both: serde_json::Value = serde_json::from_slice(&new_meta).unwrap();
    let old_entry = serde_json::json!({"id": "0123456789abcdef", "kept": "same-disk-file"});
    both["keys"].as_array_mut().unwrap().insert(0, old_entry);
    home.write(META, both.to_string());
    home.write(CREDENTIALS, &old_file);
    home.write(".key", &old_key);
    #[cfg(unix)]
    std::fs::set_permissions(
        home.file(".key"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    assert_eq!(loaded(&home.store(), "jane").await.unwrap().as_deref(), Some("1"));
    let error = home
        .with(passphrase())
        .save(&key("jane"), &credential("2"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::WrongKey { .. }),
        "nothing is moved aside: {error}"
    );
    // And then those of after.
    home.write(CREDENTIALS, &new_file);
    assert_eq!(
        loaded(&home.with(passphrase()), "jane").await.unwrap().as_deref(),
        Some("1")
    );
    let error = home
        .store()
        .save(&key("jane"), &credential("2"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::WrongKey { .. }),
        "nothing is moved aside: {error}"
    );
}

/// G03
#[cfg(unix)]
#[tokio::test]
async fn a_key_file_that_others_could_read_is_closed_and_changed() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::with_jane().await;
    let open = || {
        std::fs::set_permissions(home.file(".key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    };
    let mode = || std::fs::metadata(home.file(".key")).unwrap().permissions().mode() & 0o777;
    assert!(!home.store().renew_exposed_key().await.unwrap(), "it is closed");

    let (key, stored) = (home.read(".key"), home.read(CREDENTIALS));
    open();
    assert!(loaded(&home.store(), "jane").await.is_err());
    assert!(home.store().renew_exposed_key().await.unwrap());
    assert_eq!(mode(), 0o600);
    assert_ne!((home.read(".key"), home.read(CREDENTIALS)), (key, stored));
    assert!(loaded(&home.store(), "jane").await.unwrap().is_some());

    // What can't be read is neither moved nor lost.
    home.write(CREDENTIALS, "damaged");
    let (key, names) = (home.read(".key"), home.names());
    open();
    assert!(home.store().renew_exposed_key().await.unwrap());
    assert_eq!((mode(), home.read(".key"), home.names()), (0o600, key, names));
}
