//! C6, R01, G02: many callers, one request; one provider's trouble is no other's.

use crate::support::{cached, entry};
use gatepass_client_credentials::ClientCredentialsSource;
use gatepass_core::{CachedTokenSource, TokenSource};
use gatepass_testkit::{Answer, AuthorizationServer, ManualClock, eventually};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const CALLERS: usize = 1000;

async fn all_at_once(source: &CachedTokenSource<ClientCredentialsSource>) -> Vec<String> {
    use gatepass_core::ExposeSecret;
    let barrier = Arc::new(Barrier::new(CALLERS));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (source, barrier) = (source.clone(), Arc::clone(&barrier));
        callers.spawn(async move {
            barrier.wait().await;
            source.token().await.map(|token| token.expose_secret().to_owned())
        });
    }
    let mut tokens: Vec<_> = callers.join_all().await.into_iter().map(Result::unwrap).collect();
    tokens.dedup();
    tokens
}

/// C6, R01, G02
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_make_one_request_at_the_start_and_one_at_expiry() {
    let server = AuthorizationServer::start().await;
    server.set_delay(Duration::from_millis(50));
    let clock = ManualClock::new();
    let source = cached(&entry(&server), &clock);
    let first = all_at_once(&source).await;
    assert_eq!((first.len(), server.token_requests()), (1, 1));
    clock.advance(Duration::from_secs(3601));
    let second = all_at_once(&source).await;
    assert_eq!((second.len(), server.token_requests()), (1, 2));
    assert_ne!(first, second);
}

/// C6
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_share_one_failure() {
    let server = AuthorizationServer::start().await;
    server.set_delay(Duration::from_millis(20));
    server.always(Answer::text(503, "down"));
    let source = cached(&entry(&server), &ManualClock::new());
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let source = source.clone();
        callers.spawn(async move { source.token().await.is_err() });
    }
    assert!(callers.join_all().await.into_iter().all(|failed| failed));
    assert_eq!(
        server.token_requests(),
        4,
        "one attempt and three retries for them all"
    );
}

/// C6
#[tokio::test]
async fn a_slow_provider_delays_no_other() {
    let (slow, quick) = (
        AuthorizationServer::start().await,
        AuthorizationServer::start().await,
    );
    slow.always(Answer::hang());
    let clock = ManualClock::new();
    let (a, b) = (cached(&entry(&slow), &clock), cached(&entry(&quick), &clock));
    b.token().await.unwrap();
    let waiting = tokio::spawn(async move { a.token().await });
    eventually("the slow one is asked", || slow.token_requests() == 1).await;
    let began = Instant::now();
    for _ in 0..1000 {
        b.token().await.unwrap();
    }
    assert!(
        began.elapsed() < Duration::from_millis(500),
        "{:?}",
        began.elapsed()
    );
    clock.advance(Duration::from_secs(3601));
    b.token().await.unwrap();
    assert!(!waiting.is_finished());
    waiting.abort();
    assert_eq!(quick.token_requests(), 2);
}

/// C6: a caller that leaves takes nobody's token along.
#[tokio::test]
async fn a_caller_that_leaves_cancels_nothing() {
    let server = AuthorizationServer::start().await;
    server.set_delay(Duration::from_millis(100));
    let source = cached(&entry(&server), &ManualClock::new());
    assert!(
        tokio::time::timeout(Duration::from_millis(20), source.token())
            .await
            .is_err()
    );
    source.token().await.unwrap();
    assert_eq!(server.token_requests(), 1);
    assert_eq!(server.aborted(), 0);
}
