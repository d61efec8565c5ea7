use super::fake::Fake;
use super::{credential, key};
use crate::KeyringStore;
use gatepass_core::{CredentialStore, StoreError};
use std::time::Duration;
use tokio::task::JoinSet;

const DEADLINE: Duration = Duration::from_millis(100);

#[tokio::test]
async fn nothing_more_is_written_for_a_caller_who_was_told_that_it_failed() {
    let root = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let old = credential('o', 16 * 1024);
    CredentialStore::save(&fake.store(root.path()), &key("jane"), &old)
        .await
        .unwrap();
    fake.state().takes = Duration::from_millis(40);
    let keyring = fake.keyring().with_deadline(DEADLINE);
    let hasty = KeyringStore::open(keyring, root.path()).unwrap();
    let new = credential('n', 16 * 1024);
    let save = CredentialStore::save(&hasty, &key("jane"), &new).await;
    let error = save.unwrap_err();
    assert!(
        error.to_string().contains("didn't answer within 100ms"),
        "{error}"
    );
    fake.state().takes = Duration::ZERO;
    // The lock of the save that was given up is free as soon as its last step has come back.
    let store = fake.store(root.path());
    assert!(CredentialStore::load(&store, &key("jane")).await.unwrap() == Some(old));
    CredentialStore::save(&store, &key("jane"), &credential('z', 1))
        .await
        .unwrap();
    assert_eq!(fake.users(), ["corp/jane"]);
}

/// K02
#[tokio::test]
async fn a_keyring_that_hangs_costs_four_threads_and_no_more() {
    let root = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    fake.state().takes = Duration::from_secs(3);
    let keyring = fake.keyring().with_deadline(DEADLINE);
    let store = KeyringStore::open(keyring, root.path()).unwrap();
    let mut calls = JoinSet::new();
    for number in 0..20 {
        let store = store.clone();
        calls.spawn(async move { CredentialStore::load(&store, &key(&number.to_string())).await });
    }
    for done in calls.join_all().await {
        assert!(matches!(done, Err(StoreError::Unavailable { .. })), "{done:?}");
    }
    assert_eq!(fake.state().most_at_once, 4);
}

#[tokio::test]
async fn a_bug_of_the_library_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let store = fake.store(root.path());
    fake.state().panics = true;
    for _ in 0..6 {
        let error = CredentialStore::load(&store, &key("jane")).await.unwrap_err();
        assert!(error.to_string().contains("broke off"), "{error}");
    }
    fake.state().panics = false;
    assert!(
        CredentialStore::load(&store, &key("jane"))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_caller_who_goes_away_does_not_cut_a_save_off() {
    let root = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let store = fake.store(root.path());
    fake.state().takes = Duration::from_millis(30);
    let saved = credential('n', 8 * 1024);
    {
        let jane = key("jane");
        let save = CredentialStore::save(&store, &jane, &saved);
        assert!(
            tokio::time::timeout(Duration::from_millis(60), save)
                .await
                .is_err()
        );
    }
    fake.state().takes = Duration::ZERO;
    // Waits for the lock, which the save under way holds until its end.
    CredentialStore::save(&store, &key("joe"), &saved).await.unwrap();
    let begin = std::time::Instant::now();
    while CredentialStore::load(&store, &key("jane"))
        .await
        .unwrap()
        .as_ref()
        != Some(&saved)
    {
        assert!(begin.elapsed() < Duration::from_secs(5), "the save was cut off");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
