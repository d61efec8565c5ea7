//! Many processes, one keyring.

use crate::desktop::{Desktop, Keyring as Ring};
use crate::roles::store;
use crate::support::{credential, key};
use gatepass_core::{CredentialStore, ExposeSecret};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn twenty_processes_lose_no_change_that_was_made_under_the_lock() {
    let Some(desktop) = Desktop::new() else { return };
    desktop.run(&Ring::Unlocked, "together count").well();
}

const PROCESSES: u64 = 20;
const TIMES: u64 = 5;

/// Twenty times one role, at once.
pub(crate) async fn together(role: &str, directory: &Path) {
    let this = std::env::current_exe().unwrap();
    let mut children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            Command::new(&this)
                .args(["--exact", "--ignored", "roles::a_role_of_another_test"])
                .env("GATEPASS_TEST_ROLE", format!("{role} {TIMES}"))
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    if role == "count" {
        assert_eq!(number(directory).await, PROCESSES * TIMES);
    }
}

/// Counts on from what is there, each time under the lock, as a refresh does.
pub(crate) async fn count(directory: &Path, times: u64) {
    let store = store(directory).with_lock_patience(Duration::from_secs(120));
    for _ in 0..times {
        let _held = CredentialStore::lock(&store, &key("jane")).await.unwrap();
        let next = number(directory).await + 1;
        let credential = credential(&next.to_string());
        CredentialStore::save(&store, &key("jane"), &credential)
            .await
            .unwrap();
    }
}

async fn number(directory: &Path) -> u64 {
    let loaded = CredentialStore::load(&store(directory), &key("jane"))
        .await
        .unwrap();
    loaded.map_or(0, |credential| {
        let token = credential.refresh_token.as_ref().unwrap().expose_secret();
        token.strip_prefix("refresh-").unwrap().parse().unwrap()
    })
}

#[test]
fn twenty_processes_that_save_at_once_all_succeed() {
    let Some(desktop) = Desktop::new() else { return };
    desktop.run(&Ring::Unlocked, "together save").well();
}

/// Each its own credential, without any lock.
pub(crate) async fn save(directory: &Path, times: u64) {
    let store = store(directory);
    let mine = key(&std::process::id().to_string());
    for time in 0..times {
        let saved = credential(&time.to_string());
        CredentialStore::save(&store, &mine, &saved).await.unwrap();
        let loaded = CredentialStore::load(&store, &mine).await.unwrap();
        assert!(loaded == Some(saved));
        assert!(CredentialStore::delete(&store, &mine).await.unwrap());
    }
}
