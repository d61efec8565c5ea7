//! R09: two processes refresh one login at once, since the lock of their store excludes nobody.

use super::processes::{Process, log_in, store};
use crate::refresh::{key, old_token};
use gatepass_core::{CredentialStore, ExposeSecret};
use gatepass_testkit::AuthorizationServer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// A server that punishes reuse would end the login here: that is what the lock is for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loser_of_a_collision_ends_with_the_winners_token_and_the_store_is_never_empty() {
    let server = AuthorizationServer::start().await;
    server.rotate_refresh_tokens(true);
    server.punish_reuse(false);
    // The second asks before the first has its answer, and is refused when that answer is long saved: a busy machine may
    // take its time for that.
    server.set_delay(Duration::from_secs(1));
    let later = Duration::from_millis(500);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("store");
    log_in(&server, &directory).await;
    let mut two = [(); 2].map(|()| Process::without_lock(&server, &directory));

    let (watching, looks) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let watch = {
        let (store, watching, looks) = (store(&directory), Arc::clone(&watching), Arc::clone(&looks));
        tokio::spawn(async move {
            while watching.load(Ordering::SeqCst) {
                let stored = CredentialStore::load(&store, &key()).await.unwrap();
                assert!(stored.unwrap().refresh_token.is_some(), "the store was emptied");
                looks.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    const ROUNDS: usize = 10;
    for round in 1..=ROUNDS {
        two[0].ask();
        tokio::time::sleep(later).await;
        two[1].ask();
        let tokens = tokio::task::block_in_place(|| two.each_mut().map(|process| process.answer().unwrap()));
        assert_eq!(tokens[0], tokens[1]);
        assert!(server.is_active(&tokens[0]));
        assert_eq!(server.token_requests(), 2 * round, "they have collided");
        let stored = CredentialStore::load(&store(&directory), &key())
            .await
            .unwrap()
            .unwrap();
        assert!(server.is_active(stored.refresh_token.as_ref().unwrap().expose_secret()));
        // The next round: its access token has run out, and both processes are new.
        let expired = stored.with_access_token(old_token(-10));
        store(&directory).save(&key(), &expired).await.unwrap();
        two = [(); 2].map(|()| Process::without_lock(&server, &directory));
    }
    watching.store(false, Ordering::SeqCst);
    watch.await.unwrap();
    println!(
        "{ROUNDS} collisions of 2 processes: the same token each time; the store was whole at {} looks",
        looks.load(Ordering::SeqCst)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_does_not_take_over_the_login_of_another_person() {
    let server = AuthorizationServer::start().await;
    server.rotate_refresh_tokens(true);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("store");
    log_in(&server, &directory).await;
    let edited = async |subject: &str| {
        let store = store(&directory);
        let stored = CredentialStore::load(&store, &key()).await.unwrap().unwrap();
        let of_somebody = stored.with_subject(subject).with_access_token(old_token(-10));
        store.save(&key(), &of_somebody).await.unwrap();
    };
    edited("jane").await;
    // Its tokens are good for so short a time that each call needs a new one.
    server.set_lifetime(Duration::from_secs(1));
    let mut process = Process::without_lock(&server, &directory);
    process.ask();
    process.answer().unwrap();
    edited("joe").await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    process.ask();
    let error = process.outcome().unwrap().unwrap_err();
    assert!(error.contains("Config(") && !error.contains("joe"), "{error}");
    assert_eq!(server.token_requests(), 1, "nothing was sent for the other one");
    let stored = CredentialStore::load(&store(&directory), &key())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.subject.as_deref(), Some("joe"), "it stays as it is");
}
