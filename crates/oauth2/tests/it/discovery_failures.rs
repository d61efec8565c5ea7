//! T05, T07: how patiently an issuer is asked for its metadata.

use crate::discovery::{OAUTH, OPENID, discover, paths};
use crate::support::{SOON, Trap, http, in_full, json, quick};
use gatepass_core::{Advice, TokenError};
use gatepass_http::{HttpClient, HttpOptions, RetryPolicy, Transport};
use gatepass_oauth2::Discovery;
use gatepass_testkit::{Answer, AuthorizationServer};
use std::time::{Duration, Instant};

/// T05, T06, M02
#[tokio::test]
async fn hostile_metadata_is_an_error_in_bounded_time() {
    let http = HttpClient::new(HttpOptions::default().with_first_byte_timeout(SOON)).unwrap();
    for (name, answer) in [
        ("endless", Answer::endless(vec![b' '; 16 << 10])),
        ("bomb", Answer::gzip_bomb()),
        ("huge header", Answer::text(200, "{}").with_huge_header(65 << 10)),
        ("hang", Answer::hang()),
        ("drip", Answer::drip(" ".repeat(1000), SOON / 10)),
        ("close", Answer::close()),
        ("truncated", Answer::truncated("{")),
        ("html", Answer::text(200, "<html>canary</html>")),
        ("empty", Answer::new(200)),
        ("list", json(200, "[]")),
        ("null", json(200, "null")),
        (
            "wrong kinds",
            json(200, r#"{"issuer":7,"token_endpoint":["canary"]}"#),
        ),
        ("twice", json(200, r#"{"issuer":"canary","issuer":"canary"}"#)),
        ("deep", json(200, &"[".repeat(100_000))),
        (
            "no UTF-8",
            Answer::new(200).with_body(&b"{\"issuer\":\"canary\xff\"}"[..]),
        ),
        ("500", Answer::text(500, "canary")),
        ("429", Answer::text(429, "canary")),
    ] {
        let server = AuthorizationServer::start().await;
        server.always_at(OAUTH, answer.clone());
        server.always_at(OPENID, answer);
        let began = Instant::now();
        let discovery = Discovery::new(http.clone()).with_retry(RetryPolicy::never());
        let outcome = discovery.metadata(&server.issuer(), Transport::Encrypted).await;
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, TokenError::Config(_) | TokenError::Unavailable { .. }),
            "{name}: {error:?}"
        );
        assert!(!in_full(&error).contains("canary"), "{name}: {error:?}");
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{name}: {:?}",
            began.elapsed()
        );
        assert_eq!(server.token_requests(), 0);
    }
}

/// B2, T07
#[tokio::test]
async fn a_failure_that_passes_is_not_seen_by_who_asks_for_metadata() {
    let server = AuthorizationServer::start().await;
    let gone = format!("http://{}", Trap::new().address());
    for (answer, requests) in [
        (Answer::text(503, "busy"), 4),
        (Answer::text(429, "later"), 4),
        (Answer::close(), 4),
        (Answer::text(501, "no such method"), 2),
        (Answer::text(404, "not here"), 2),
    ] {
        let server = AuthorizationServer::start().await;
        server.always_at(OAUTH, answer.clone());
        server.always_at(OPENID, answer);
        discover(&server.issuer()).await.unwrap_err();
        assert_eq!(paths(&server).len(), requests);
    }
    assert!(matches!(
        discover(&gone).await,
        Err(TokenError::Unavailable { .. })
    ));
    server.always_at(OAUTH, Answer::text(503, "busy"));
    let back = async {
        gatepass_testkit::eventually("a request came", || !server.requests().is_empty()).await;
        server.normal();
    };
    let retry = RetryPolicy::tokens().with_first_pause(SOON);
    let discovery = Discovery::new(http()).with_retry(retry);
    let issuer = server.issuer();
    let (found, ()) = tokio::join!(discovery.metadata(&issuer, Transport::Encrypted), back);
    found.unwrap();
}

/// B2, T07
#[tokio::test]
async fn the_pause_that_a_server_asks_for_is_honoured_for_its_metadata() {
    let server = AuthorizationServer::start().await;
    server.always_at(
        OAUTH,
        Answer::text(429, "later").with_header("retry-after-ms", "150"),
    );
    discover(&server.issuer()).await.unwrap_err();
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests[1].at - requests[0].at >= Duration::from_millis(150));

    server.always_at(OAUTH, Answer::text(503, "later").with_header("retry-after", "90"));
    let error = discover(&server.issuer()).await.unwrap_err();
    let after = Some(Duration::from_secs(90));
    assert_eq!(error.advice(), Advice::Retry { after }, "the caller decides");
}

/// B2, T05
#[tokio::test]
async fn all_places_and_retries_fit_into_the_time_limit() {
    for answer in [Answer::hang(), Answer::text(404, "no").after(SOON * 2 / 3)] {
        let server = AuthorizationServer::start().await;
        server.always_at(OAUTH, answer.clone());
        server.always_at(OPENID, answer);
        let discovery = Discovery::new(http()).with_retry(quick()).with_timeout(SOON);
        let began = Instant::now();
        let error = discovery
            .metadata(&server.issuer(), Transport::Encrypted)
            .await
            .unwrap_err();
        assert!(matches!(error, TokenError::Unavailable { .. }), "{error:?}");
        assert!(began.elapsed() < SOON * 3, "{:?}", began.elapsed());
    }
}
