//! One login, many processes, and a server that ends the login when a refresh token is used twice.

use crate::support::{Database, Kept, Place, Setup, World, has_keyring, key, say};
use crate::worker::{Worker, ask_all};
use gatepass_core::ExposeSecret;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const PROCESSES: usize = 20;

/// R02
#[tokio::test]
async fn twenty_processes_make_one_token_request_for_each_of_fifty_expiries() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    share_fifty_expiries(&world, Place::file(world.folder())).await;
}

/// R02
#[tokio::test]
async fn twenty_processes_share_fifty_expiries_by_a_keyring_too() {
    if !has_keyring("rotation::twenty_processes_share_fifty_expiries_by_a_keyring_too").await {
        return;
    }
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    share_fifty_expiries(&world, Place::keyring(world.folder())).await;
}

/// R02
#[tokio::test]
async fn twenty_processes_share_fifty_expiries_by_a_database_too() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    let Some(database) = Database::start().await else {
        return;
    };
    share_fifty_expiries(&world, Place::postgres(&database)).await;
}

/// An expiry: the clocks of all processes pass the token's end, and then all ask at once.
async fn share_fifty_expiries(world: &World, place: Place) {
    const EXPIRIES: usize = 50;
    let kept = Kept::new(world, place).await;
    let mut workers = Worker::crowd(&kept, PROCESSES).await;
    let mut tokens = BTreeSet::from_iter(ask_all(&mut workers, "token").await);
    assert_eq!(tokens.len(), 1, "the login's own: {tokens:?}");

    let (begin, mut waits) = (Instant::now(), Vec::new());
    for expiry in 1..=EXPIRIES {
        ask_all(&mut workers, "pass 3600").await;
        let asked = Instant::now();
        let got = BTreeSet::from_iter(ask_all(&mut workers, "token").await);
        waits.push(asked.elapsed());
        assert_eq!(got.len(), 1, "expiry {expiry}: {got:?}");
        assert!(tokens.is_disjoint(&got), "expiry {expiry} brought no new token");
        tokens.extend(got);
        let requests = world.authorization.token_requests().await;
        assert_eq!(requests, 1 + expiry, "the login's, and one for each expiry");
    }
    let answers = world.authorization.token_answers().await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(tokens.len(), 1 + EXPIRIES);
    waits.sort_unstable();
    say(format!(
        "{PROCESSES} processes, {EXPIRIES} expiries in {:.1?}: {} refreshes, 0 invalid_grant, 0 lost logins; all {PROCESSES} \
         have the new token after {:.0?} (median), {:.0?} (longest)",
        begin.elapsed(),
        answers.len() - 1,
        waits[waits.len() / 2],
        waits[waits.len() - 1],
    ));
}

#[tokio::test]
async fn calls_of_twenty_processes_go_on_while_tokens_end() {
    // A token is replaced in the second half of its life. Anything that comes much earlier is a second refresh of
    // the same expiry; on a busy machine 3 s may pass between a request and its answer.
    const LIFETIME: Duration = Duration::from_secs(8);
    const TOO_EARLY: Duration = Duration::from_secs(1);
    let setup = Setup::tokens().with_token_lifetime(LIFETIME);
    let Some(world) = setup.start().await else { return };
    let kept = Kept::new(&world, Place::file(world.folder())).await;
    let mut workers = Worker::crowd(&kept, PROCESSES).await;
    let before = world.authorization.token_requests().await;
    let said = ask_all(&mut workers, "call 15").await;

    let mut calls = 0;
    for said in &said {
        let (number, failures) = said.split_once(' ').unwrap();
        calls += number.parse::<usize>().unwrap();
        assert_eq!(failures, "0", "no call failed");
    }
    let answers = world.authorization.token_answers().await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    let refreshes = answers.len() - before;
    assert!(refreshes >= 2, "{refreshes} in two lifetimes");
    for pair in answers.windows(2) {
        let apart = Duration::from_millis(pair[1].at - pair[0].at);
        assert!(apart > TOO_EARLY, "two refreshes for one expiry: {answers:?}");
    }
    say(format!(
        "{PROCESSES} processes, tokens of {LIFETIME:?}: {calls} calls in 15 s, 0 failures, {refreshes} refreshes"
    ));
}

#[tokio::test]
async fn a_refresh_token_that_is_used_twice_ends_the_login() {
    // What the tests beside this one would notice.
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    let kept = Kept::new(&world, Place::file(world.folder())).await;
    let first = kept.stored().await.refresh_token.unwrap();
    let mut worker = Worker::start(&kept).await;
    for _ in 0..2 {
        worker.ask("pass 3600").await;
        let token = worker.ask("token").await;
        assert!(!token.starts_with("failed"), "{token}");
    }
    assert_eq!(world.authorization.refresh(first.expose_secret()).await, 400);
    worker.ask("pass 3600").await;
    let failed = worker.ask("token").await;
    assert!(
        failed.starts_with("failed: LoginRequired") && failed.contains("invalid_grant"),
        "{failed}"
    );
    assert_eq!(kept.store().list().await.unwrap(), [key()], "nothing is deleted");
}
