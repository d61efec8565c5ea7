//! A keyring that can't take any more.

use crate::desktop::{Desktop, Keyring as Ring};
use crate::roles::store;
use crate::support::{credential, key};
use gatepass_core::{CredentialStore, StoreError};
use std::path::Path;

#[test]
fn a_full_keyring_says_so_and_keeps_what_it_has() {
    let Some(desktop) = Desktop::new() else { return };
    desktop.run(&Ring::Full, "full").well();
    desktop.run(&Ring::Unlocked, "outlives load").well();
}

pub(crate) async fn full(directory: &Path) {
    crate::unlocked::outlives("save", directory).await;
    let store = store(directory);
    for account in ["jane", "joe"] {
        let large = credential(&"canary".repeat(2_000));
        let save = CredentialStore::save(&store, &key(account), &large).await;
        let error = save.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        assert!(error.to_string().contains("--store file"), "{error}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    crate::unlocked::outlives("load", directory).await;
}
