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
    desktop.run(&Ring::Unlocked, "twenty").well();
}

const PROCESSES: u64 = 20;
const TIMES: u64 = 5;

pub(crate) async fn twenty(directory: &Path) {
    let this = std::env::current_exe().unwrap();
    let mut children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            Command::new(&this)
                .args(["--exact", "--ignored", "roles::a_role_of_another_test"])
                .env("GATEPASS_TEST_ROLE", format!("count {TIMES}"))
                .stdout(Stdio::null())
                .env("RUST_BACKTRACE", "0")
                .spawn()
                .unwrap()
        })
        .collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(number(directory).await, PROCESSES * TIMES);
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
fn storming() {
    let Some(desktop) = Desktop::new() else { return };
    desktop.run(&Ring::Unlocked, "storm 8 60").well();
}

pub(crate) async fn storm(directory: &Path, tasks: u64, times: u64) {
    let mut set = tokio::task::JoinSet::new();
    for task in 0..tasks {
        let directory = directory.to_owned();
        set.spawn(async move {
            let mut wrong = Vec::new();
            for time in 0..times {
                let store = store(&directory);
                let key = key(&format!("jane{task}"));
                if let Err(error) = CredentialStore::save(&store, &key, &credential("1")).await {
                    wrong.push(format!("save {task} {time}: {error:?}"));
                }
                match CredentialStore::load(&store, &key).await {
                    Ok(Some(_)) => {}
                    Ok(None) => wrong.push(format!("load {task} {time}: nothing")),
                    Err(error) => wrong.push(format!("load {task} {time}: {error:?}")),
                }
                if time % 3 == 2 {
                    if let Err(error) = CredentialStore::delete(&store, &key).await {
                        wrong.push(format!("delete {task} {time}: {error:?}"));
                    }
                }
            }
            wrong
        });
    }
    let wrong: Vec<_> = set.join_all().await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}
