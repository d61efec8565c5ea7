//! Another process is stopped, continued and ended.

use super::processes::{Process, log_in, source, store};
use crate::refresh::key;
use gatepass_core::{Advice, CredentialStore, ExposeSecret, TokenSource};
use gatepass_testkit::{AuthorizationServer, eventually};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// R11: the process is stopped while its token runs out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "how long it is stopped")]
async fn a_process_that_was_stopped_across_the_expiry_goes_on() {
    let stopped = std::env::var("GATEPASS_TEST_STOPPED_S").map_or(2.5, |seconds| seconds.parse().unwrap());
    let server = AuthorizationServer::start().await;
    server.rotate_refresh_tokens(true);
    server.set_lifetime(Duration::from_secs(2));
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("store");
    log_in(&server, &directory).await;
    let mut process = Process::start(&server, &directory);
    process.ask();
    let first = process.answer().unwrap();
    process.signal(Signal::STOP);
    tokio::time::sleep(Duration::from_secs_f32(stopped)).await;
    assert!(!server.is_active(&first), "it has run out");
    process.signal(Signal::CONT);
    let began = Instant::now();
    process.ask();
    let second = process.answer().unwrap();
    assert!(server.is_active(&second));
    assert_eq!(server.token_requests(), 2);
    println!(
        "SIGSTOP for {stopped} s across the expiry: a good token {:?} after SIGCONT",
        began.elapsed()
    );
}

/// R03, R06: SIGTERM, which nobody catches here, while the server thinks. Its lock is free at once, the store is whole;
/// the server may have rotated, and then the person logs in again, which the next process is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_ended_within_a_refresh_leaves_no_lock_and_a_whole_store() {
    let server = AuthorizationServer::start().await;
    server.rotate_refresh_tokens(true);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("store");
    log_in(&server, &directory).await;
    let before = store(&directory).load(&key()).await.unwrap();
    server.set_delay(Duration::from_secs(3));
    let mut process = Process::start(&server, &directory);
    process.ask();
    eventually("the refresh is under way", || server.token_requests() == 1).await;
    process.signal(Signal::TERM);
    assert_eq!(process.answer(), None);
    assert_eq!(
        store(&directory).load(&key()).await.unwrap(),
        before,
        "the store is whole"
    );
    let began = Instant::now();
    drop(store(&directory).lock(&key()).await.unwrap());
    let freed = began.elapsed();
    assert!(freed < Duration::from_secs(1), "{freed:?}");
    server.set_delay(Duration::ZERO);
    let outcome = source(&server.token_url(), store(&directory)).token().await;
    let told = match &outcome {
        Ok(token) => {
            assert!(server.is_active(token.expose_secret()));
            "the login works".to_owned()
        }
        Err(error) => {
            assert_eq!(error.advice(), Advice::LoginRequired, "{error}");
            error.fix()
        }
    };
    println!("SIGTERM within a refresh: the lock was free after {freed:?}; the next process: {told}");
}

/// R03: the lock can't expire while it is held, however long the server thinks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "how long the server thinks")]
async fn a_slow_server_is_asked_once_by_all_who_share_a_login() {
    let thinks = std::env::var("GATEPASS_TEST_THINKS_S").map_or(4, |seconds| seconds.parse().unwrap());
    let server = AuthorizationServer::start().await;
    server.rotate_refresh_tokens(true);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("store");
    log_in(&server, &directory).await;
    server.set_delay(Duration::from_secs(thinks));
    let mut first = Process::start(&server, &directory);
    first.ask();
    eventually("the refresh is under way", || server.token_requests() == 1).await;
    let mut second = Process::start(&server, &directory);
    second.ask();
    let (first, second) = tokio::task::spawn_blocking(move || (first.answer(), second.answer()))
        .await
        .unwrap();
    assert_eq!(first, second, "the second one adopts what the first one got");
    assert!(server.is_active(&first.unwrap()));
    assert_eq!(server.token_requests(), 1);
    println!("a server that thinks for {thinks} s: 1 request by 2 processes");
}

/// R03, R04: the holder of the lock stands still. Nobody else goes to the server; they are told whom they wait for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_stopped_process_is_told_so_and_sends_nothing() {
    let server = AuthorizationServer::start().await;
    server.rotate_refresh_tokens(true);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("store");
    log_in(&server, &directory).await;
    server.set_delay(Duration::from_millis(500));
    let mut holder = Process::start(&server, &directory);
    holder.ask();
    eventually("the refresh is under way", || server.token_requests() == 1).await;
    holder.signal(Signal::STOP);
    let patience = Duration::from_secs(2);
    let mut others = [(); 3].map(|()| Process::with_patience(patience, &server, &directory));
    let began = Instant::now();
    others.iter_mut().for_each(Process::ask);
    for other in &mut others {
        let error = other.outcome().unwrap().unwrap_err();
        let waited = began.elapsed();
        assert!(waited >= patience && waited < patience * 3, "{waited:?}");
        let holder = format!(
            "process {} holds {}/locks/",
            holder.child.id(),
            directory.display()
        );
        assert!(
            error.contains("another process has been refreshing corp/default for 2s")
                && error.contains("wait for the other process, or end it")
                && error.contains(&holder),
            "{error}"
        );
    }
    assert_eq!(server.token_requests(), 1, "nobody else has asked");

    holder.signal(Signal::CONT);
    let token = holder.answer().unwrap();
    assert!(server.is_active(&token));
    let mut next = Process::with_patience(patience, &server, &directory);
    next.ask();
    assert_eq!(next.answer().unwrap(), token);
    for other in &mut others {
        // A failure is remembered for a while; then all is well.
        let again = std::iter::repeat_with(|| {
            other.ask();
            other.outcome().unwrap()
        });
        let well = again
            .inspect(|_| std::thread::sleep(Duration::from_millis(200)))
            .take(150)
            .find_map(Result::ok);
        assert_eq!(well.as_ref(), Some(&token));
    }
    assert_eq!(server.token_requests(), 1);
    println!(
        "SIGSTOP of the lock's holder: 3 processes told after {patience:?}, 0 requests by them; all well after SIGCONT"
    );
}
