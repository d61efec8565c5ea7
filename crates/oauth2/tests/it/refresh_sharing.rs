//! One stored login, used by many.

use crate::refresh::{Login, key, old_token};
use gatepass_core::{CachedTokenSource, CredentialStore, TokenError, TokenSource};
use gatepass_testkit::{Answer, contract};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

#[tokio::test]
async fn a_thousand_callers_make_one_request() {
    let login = Login::new().await;
    login.server.set_delay(Duration::from_millis(50));
    let source = login.source();
    let mut callers = JoinSet::new();
    for _ in 0..1000 {
        let source = source.clone();
        callers.spawn(async move { source.token().await.unwrap() });
    }
    let tokens = callers.join_all().await;
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(
        (login.server.token_requests(), login.store.count(|f| &f.saves)),
        (1, 1)
    );
}

#[tokio::test]
async fn a_thousand_callers_share_one_failure() {
    let login = Login::new().await;
    login.server.set_delay(Duration::from_millis(50));
    login.server.always(Answer::text(503, "down"));
    let source = login.source();
    let mut callers = JoinSet::new();
    for _ in 0..1000 {
        let source = source.clone();
        callers.spawn(async move { source.token().await.unwrap_err() });
    }
    let errors = callers.join_all().await;
    assert!(
        errors
            .iter()
            .all(|error| matches!(error, TokenError::Unavailable { .. }))
    );
    assert_eq!(login.server.token_requests(), 1);
    // It is over with them: the next caller tries anew.
    login.server.normal();
    source.token().await.unwrap();
    login.assert_alive().await;
}

/// R02, as far as one process can show it: each source stands for a process.
#[tokio::test]
async fn twenty_sources_on_one_store_make_one_request_an_expiry() {
    let login = Login::new().await;
    login.server.set_delay(Duration::from_millis(5));
    for expiry in 1..=20 {
        login
            .edit(|credential| credential.with_access_token(old_token(-1)))
            .await;
        let mut callers = JoinSet::new();
        for _ in 0..20 {
            let source = login.source();
            callers.spawn(async move { source.token().await.unwrap() });
        }
        let tokens = callers.join_all().await;
        assert!(tokens.iter().all(|token| *token == tokens[0]));
        assert_eq!(login.server.token_requests(), expiry);
    }
    login.assert_alive().await;
}

/// R04
#[tokio::test]
async fn a_thousand_readers_need_no_lock_while_a_writer_holds_it() {
    let login = Login::new().await;
    login.log_in(old_token(1000)).await;
    let _lock = login.store.lock(&key()).await.unwrap();
    let source = login.source();
    let mut readers = JoinSet::new();
    for _ in 0..1000 {
        let source = source.clone();
        readers.spawn(async move { source.token().await.unwrap() });
    }
    assert_eq!(
        tokio::time::timeout(Duration::from_secs(5), readers.join_all())
            .await
            .unwrap()
            .len(),
        1000
    );
}

#[tokio::test]
async fn it_keeps_the_contract_alone_and_behind_a_cache() {
    let login = Arc::new(Login::new().await);
    contract::token_source(|| login.source()).await;
    contract::token_source(|| CachedTokenSource::new(login.source())).await;
    login.assert_alive().await;
}

#[tokio::test]
async fn a_caller_that_wakes_late_gets_no_token_that_was_refused_meanwhile() {
    let login = Login::new().await;
    let source = login.source();
    let mut late = source.token();
    tokio::select! {
        biased;
        _ = &mut late => panic!("the server has not answered yet"),
        () = std::future::ready(()) => {}
    }
    let refused = source.token().await.unwrap();
    source.reject(&refused);
    assert_ne!(late.await.unwrap(), refused);
    assert_eq!(login.server.token_requests(), 2);
    login.assert_alive().await;
}

#[tokio::test]
async fn a_rejected_token_that_a_sibling_has_replaced_costs_no_request() {
    let login = Login::new().await;
    login.log_in(old_token(1000)).await;
    let (ours, theirs) = (login.source(), login.source());
    let old = ours.token().await.unwrap();
    theirs.reject(&theirs.token().await.unwrap());
    let new = theirs.token().await.unwrap();
    ours.reject(&old);
    assert_eq!(ours.token().await.unwrap(), new);
    assert_eq!(login.server.token_requests(), 1);
}
