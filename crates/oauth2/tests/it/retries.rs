//! T07, C7: when a token is asked for again, and when it isn't.

use crate::support::{Trap, endpoint, grant, quick};
use gatepass_core::{Advice, TokenError};
use gatepass_http::RetryPolicy;
use gatepass_testkit::{Answer, AuthorizationServer};
use std::time::{Duration, Instant};

/// T07
#[tokio::test]
async fn a_failure_that_passes_is_not_seen_by_the_caller() {
    let server = AuthorizationServer::start().await;
    server.push(Answer::text(503, "busy"));
    server.push(Answer::close());
    server.push(Answer::text(429, "slow down"));
    endpoint(&server.token_url()).request(&grant()).await.unwrap();
    assert_eq!(server.token_requests(), 4);
}

/// T07
#[tokio::test]
async fn a_server_that_is_down_is_asked_once_a_call_until_it_is_back() {
    let server = AuthorizationServer::start().await;
    let endpoint = endpoint(&server.token_url());
    server.always(Answer::text(503, "down"));
    for expected in [4, 5, 6] {
        endpoint.request(&grant()).await.unwrap_err();
        assert_eq!(server.token_requests(), expected);
    }
    server.normal();
    endpoint.request(&grant()).await.unwrap();
    server.always(Answer::text(503, "down"));
    endpoint.request(&grant()).await.unwrap_err();
    assert_eq!(
        server.token_requests(),
        7 + 4,
        "it was back, so it is asked patiently again"
    );
}

/// T07
#[tokio::test]
async fn a_refusal_is_an_answer_so_the_server_counts_as_back() {
    let server = AuthorizationServer::start().await;
    let endpoint = endpoint(&server.token_url());
    server.always(Answer::text(503, "down"));
    endpoint.request(&grant()).await.unwrap_err();
    server.push(Answer::text(400, r#"{"error":"invalid_scope"}"#));
    assert!(matches!(
        endpoint.request(&grant()).await,
        Err(TokenError::Refused(_))
    ));
    endpoint.request(&grant()).await.unwrap_err();
    assert_eq!(server.token_requests(), 4 + 1 + 4);
}

/// T07
#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let gone = format!("http://{}/token", Trap::new().address());
    let began = Instant::now();
    let policy = RetryPolicy::tokens().with_first_pause(Duration::from_millis(20));
    let error = endpoint(&gone)
        .with_retry(policy)
        .request(&grant())
        .await
        .unwrap_err();
    assert!(matches!(error, TokenError::Unavailable { .. }), "{error:?}");
    assert!(began.elapsed() >= Duration::from_millis(20 + 40 + 80));
}

/// T07: seconds, a date, and milliseconds.
#[tokio::test]
async fn a_servers_pause_is_honoured_up_to_a_cap() {
    for (status, name, value, at_least) in [
        (503, "retry-after", "1", 1000),
        (429, "retry-after-ms", "150", 150),
    ] {
        let server = AuthorizationServer::start().await;
        server.push(Answer::text(status, "later").with_header(name, value));
        endpoint(&server.token_url()).request(&grant()).await.unwrap();
        let requests = server.requests();
        let pause = requests[1].at - requests[0].at;
        assert!(pause >= Duration::from_millis(at_least), "{name}: {pause:?}");
    }
    for (value, at_least) in [
        ("31", 31),
        ("86400", 86_400),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 86_400),
    ] {
        let server = AuthorizationServer::start().await;
        server.always(Answer::text(429, "later").with_header("retry-after", value));
        let began = Instant::now();
        let error = endpoint(&server.token_url()).request(&grant()).await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(1), "the caller decides");
        assert_eq!(server.token_requests(), 1);
        match error.advice() {
            Advice::Retry { after: Some(after) } => {
                assert!(after >= Duration::from_secs(at_least), "{after:?}")
            }
            other => panic!("{other:?}"),
        }
    }
    for junk in ["soon", "-1", "", "Sat, 06 Nov 1993 08:49:37 GMT", "1e400"] {
        let server = AuthorizationServer::start().await;
        server.push(Answer::text(503, "later").with_header("retry-after", junk));
        let began = Instant::now();
        endpoint(&server.token_url()).request(&grant()).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(1), "{junk:?}");
    }
}

/// T07
#[tokio::test]
async fn the_retries_and_their_pauses_fit_into_the_time_limit() {
    let server = AuthorizationServer::start().await;
    server.always(Answer::text(503, "down"));
    let limit = Duration::from_millis(250);
    let policy = RetryPolicy::tokens().with_first_pause(Duration::from_millis(100));
    let endpoint = endpoint(&server.token_url())
        .with_retry(policy)
        .with_timeout(limit);
    let began = Instant::now();
    let error = endpoint.request(&grant()).await.unwrap_err();
    assert!(matches!(error, TokenError::Unavailable { .. }), "{error:?}");
    assert!(began.elapsed() < limit * 2, "{:?}", began.elapsed());
    assert_eq!(
        server.token_requests(),
        2,
        "after 0 and 100 ms; the next one would come after 300"
    );
}

/// T07: one endpoint's trouble is no other's.
#[tokio::test]
async fn many_callers_at_once_each_get_their_answer() {
    let server = AuthorizationServer::start().await;
    let endpoint = std::sync::Arc::new(endpoint(&server.token_url()).with_retry(quick()));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let endpoint = std::sync::Arc::clone(&endpoint);
        callers.spawn(async move {
            endpoint
                .request(&grant())
                .await
                .map(|response| response.access_token)
        });
    }
    let mut tokens: Vec<_> = callers.join_all().await.into_iter().map(Result::unwrap).collect();
    assert_eq!(server.token_requests(), 50, "nothing is cached here");
    tokens.dedup();
    assert_eq!(tokens.len(), 50);
}
