//! Reads that don't come to an end: a network directory that hangs, a vault that asks somebody.

use crate::support::{Home, credential, key};
use gatepass_core::{Credential, CredentialStore, KeySlot, KeyVault, SecretString, StoreError};
use gatepass_file_store::{FileStore, KeySource};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Answers when the test lets go of the other end, and then that it has no key.
#[derive(Debug)]
struct Hanging {
    other_end: Mutex<mpsc::Receiver<()>>,
    asked: AtomicUsize,
}

impl KeyVault for Hanging {
    fn read(&self, _: KeySlot) -> Result<Option<SecretString>, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        _ = self.other_end.lock().unwrap().recv();
        Ok(None)
    }

    fn write(&self, _: KeySlot, _: &SecretString) -> Result<(), StoreError> {
        unreachable!("nothing is saved")
    }

    fn remove(&self, _: KeySlot) -> Result<(), StoreError> {
        unreachable!("nothing is saved")
    }

    fn location(&self) -> String {
        "a vault that hangs".into()
    }
}

/// R04: on a clock of the test's own, so that it doesn't matter how busy the machine is.
#[tokio::test(start_paused = true)]
async fn reads_that_hang_hold_up_no_other_store_and_their_own_for_a_second() {
    const HANGING: usize = 40;
    let (home, elsewhere) = (Home::with_jane().await, Home::with_jane().await);
    let (end, other_end) = mpsc::channel();
    let vault = Arc::new(Hanging {
        other_end: Mutex::new(other_end),
        asked: AtomicUsize::new(0),
    });
    let asked = || vault.asked.load(Ordering::SeqCst);
    let hanging: Vec<_> = (0..HANGING)
        .map(|_| load(home.with(KeySource::Vault(vault.clone()))))
        .collect();
    at_last("some reads hang", || asked() > 0).await;

    let other = load(elsewhere.store());
    at_last("another store is read", || other.is_finished()).await;
    assert_eq!(other.await.unwrap().unwrap(), Some(credential("1")));
    let same = load(home.store());
    tokio::task::yield_now().await; // from now on it waits
    tokio::time::advance(Duration::from_millis(900)).await;
    assert!(asked() < HANGING && !same.is_finished(), "all at once");

    tokio::time::advance(Duration::from_millis(200)).await;
    at_last("the store itself is read", || same.is_finished()).await;
    assert_eq!(same.await.unwrap().unwrap(), Some(credential("1")));
    at_last("all who wait are let in", || asked() == HANGING).await;
    drop(end);
    for read in hanging {
        let error = read.await.unwrap().unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    }
}

fn load(store: FileStore) -> JoinHandle<Result<Option<Credential>, StoreError>> {
    tokio::spawn(async move { CredentialStore::load(&store, &key("jane")).await })
}

/// Waits in real time.
async fn at_last(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(30), "expected: {what}");
        tokio::task::yield_now().await;
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// R04: a turn to read belongs to the read, so who goes away takes none along.
#[tokio::test(start_paused = true)]
async fn readers_that_go_away_keep_nobody_waiting() {
    let home = Home::with_jane().await;
    for _ in 0..100 {
        let left = load(home.store());
        tokio::task::yield_now().await;
        left.abort();
    }
    let read = load(home.store());
    at_last("the store is read", || read.is_finished()).await;
    assert_eq!(read.await.unwrap().unwrap(), Some(credential("1")));
}
