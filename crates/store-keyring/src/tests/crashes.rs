use super::fake::Fake;
use super::{credential, key};
use gatepass_core::{Credential, CredentialStore};
use std::path::Path;

const LARGE: usize = 16 * 1024;

/// Cuts a save off after every number of changes. The old credential or the new one is there, and the next save leaves
/// nothing stale.
async fn cut_off_everywhere(directory: &Path, old: &Credential, new: &Credential, last: &Credential) {
    for cut in 0.. {
        let fake = Fake::default();
        let store = fake.store(directory);
        CredentialStore::save(&store, &key("jane"), old).await.unwrap();
        {
            let mut state = fake.state();
            state.changes_left = Some(state.changes + cut);
        }
        let saved = CredentialStore::save(&store, &key("jane"), new).await;
        let left = fake.state().changes_left.take();
        let all_done = left.is_some_and(|left| fake.state().changes < left);
        let loaded = CredentialStore::load(&store, &key("jane")).await.unwrap();
        let expected = if saved.is_ok() { new } else { old };
        assert!(
            loaded.as_ref() == Some(expected),
            "cut off after {cut} changes: {saved:?}"
        );
        CredentialStore::save(&store, &key("jane"), last).await.unwrap();
        let loaded = CredentialStore::load(&store, &key("jane")).await.unwrap();
        assert!(loaded.as_ref() == Some(last));
        CredentialStore::delete(&store, &key("jane")).await.unwrap();
        assert_eq!(fake.users(), [""; 0], "cut off after {cut} changes");
        if all_done {
            return;
        }
    }
}

/// K03
#[tokio::test]
async fn a_save_that_is_cut_off_leaves_the_old_credential_and_nothing_for_ever() {
    let root = tempfile::tempdir().unwrap();
    let (small, large, larger) = (
        credential('s', 9),
        credential('l', LARGE),
        credential('x', LARGE * 2),
    );
    for (old, new, last) in [
        (&large, &larger, &small),
        (&larger, &large, &small),
        (&small, &large, &larger),
        (&large, &small, &large),
    ] {
        cut_off_everywhere(root.path(), old, new, last).await;
    }
}

/// K03
#[tokio::test]
async fn a_deletion_that_is_cut_off_is_finished_by_the_next() {
    let root = tempfile::tempdir().unwrap();
    for cut in 0..9 {
        let fake = Fake::default();
        let store = fake.store(root.path());
        CredentialStore::save(&store, &key("jane"), &credential('l', LARGE))
            .await
            .unwrap();
        {
            let mut state = fake.state();
            state.changes_left = Some(state.changes + cut);
        }
        _ = CredentialStore::delete(&store, &key("jane")).await;
        fake.state().changes_left = None;
        let loaded = CredentialStore::load(&store, &key("jane")).await.unwrap();
        assert_eq!(loaded.is_some(), cut == 0, "the first step makes it gone");
        CredentialStore::delete(&store, &key("jane")).await.unwrap();
        assert_eq!(fake.users(), [""; 0]);
    }
}
