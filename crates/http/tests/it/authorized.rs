//! R12, C11: a refused token is replaced once, for all who hold it.

use crate::support::{authorized, client, client_with, quick, url};
use gatepass_core::{
    AccessToken, BackendError, CachedTokenSource, ErrorKind, StaticTokenSource, TokenError, TokenSource,
};
use gatepass_http::{AuthorizedClient, HttpOptions, RetryPolicy};
use gatepass_testkit::http::{HeaderMap, HeaderName, HeaderValue};
use gatepass_testkit::{Answer, ModelServer, ScriptedTokenSource};
use std::sync::Arc;
use std::time::Duration;

type Cached = CachedTokenSource<ScriptedTokenSource>;

/// A source whose tokens are `at-1`, `at-2`, …, behind a cache.
fn source() -> (ScriptedTokenSource, Arc<Cached>) {
    let inner = ScriptedTokenSource::new();
    (inner.clone(), Arc::new(CachedTokenSource::new(inner)))
}

fn with_source(server: &ModelServer, source: Arc<dyn TokenSource>) -> AuthorizedClient {
    AuthorizedClient::new(client(), url(&server.base_url()), source, |_, _| {}).with_retry(quick())
}

fn bearers(server: &ModelServer) -> Vec<String> {
    let bearer =
        |request: &gatepass_testkit::RecordedRequest| request.bearer().unwrap_or_default().to_owned();
    server.requests().iter().map(bearer).collect()
}

/// R12, C11
#[tokio::test]
async fn a_refused_token_is_replaced_and_the_call_sent_once_more() {
    let server = ModelServer::start().await;
    server.require_bearer("at-2");
    let (inner, source) = source();
    let response = with_source(&server, source)
        .post_json("embeddings", r#"{"input":"x"}"#)
        .await;
    assert!(response.unwrap().status().is_success());
    assert_eq!(bearers(&server), ["at-1", "at-2"]);
    assert_eq!(inner.rejected(), [AccessToken::bearer("at-1").unwrap()]);
    assert_eq!(server.requests()[0].body, server.requests()[1].body);
}

/// R12
#[tokio::test]
async fn a_server_that_refuses_every_token_gets_two_requests_and_the_caller_a_401() {
    let server = ModelServer::start().await;
    server.require_bearer("another");
    let (inner, source) = source();
    let client = with_source(&server, source);
    let error = client.get("models").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(
        matches!(&error, BackendError::Provider(error) if error.status == 401),
        "{error:?}"
    );
    assert_eq!(bearers(&server), ["at-1", "at-2"]);
    assert_eq!(inner.calls(), 2);
}

/// R12
#[tokio::test]
async fn a_server_that_quotes_the_token_it_refused_first_gives_none_away() {
    let server = ModelServer::start().await;
    let quoted = Answer::new(401).with_body("canary-0001 is revoked, and so is canary-0002");
    server.always(quoted);
    let (inner, source) = source();
    inner.push(AccessToken::bearer("canary-0001"));
    inner.push(AccessToken::bearer("canary-0002"));
    let client = AuthorizedClient::new(client(), url(&server.base_url()), source, |answer, error| {
        error.message = String::from_utf8_lossy(answer.body).into_owned();
    });
    let error = client.with_retry(quick()).get("models").await.unwrap_err();
    assert_eq!(bearers(&server), ["canary-0001", "canary-0002"]);
    assert!(!format!("{error:?}{error}").contains("canary"), "{error:?}");
    assert!(
        error.to_string().contains("*** is revoked, and so is ***"),
        "{error}"
    );
}

/// R12
#[tokio::test]
async fn a_refused_key_that_never_changes_is_not_sent_again() {
    let server = ModelServer::start().await;
    server.require_bearer("another");
    let error = authorized(&server.base_url()).get("models").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(server.requests().len(), 1);
}

/// R12
#[tokio::test]
async fn a_refusal_whose_new_token_cannot_be_had_is_that_errors() {
    let server = ModelServer::start().await;
    server.require_bearer("another");
    let (inner, source) = source();
    inner.push(AccessToken::bearer("at-1"));
    inner.push(Err(TokenError::malformed("an HTML page")));
    let error = with_source(&server, source).get("models").await.unwrap_err();
    assert!(
        matches!(error, BackendError::Token(TokenError::Malformed { .. })),
        "{error:?}"
    );
    assert_eq!(server.requests().len(), 1);
}

/// R12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_refusals_at_once_lead_to_one_new_token() {
    const CALLERS: usize = 1000;
    allow_many_open_files();
    let server = ModelServer::start().await;
    server.require_bearer("at-2");
    let (inner, source) = source();
    source.token().await.unwrap();
    let client = Arc::new(with_source(&server, source).with_retry(RetryPolicy::never()));
    let barrier = Arc::new(tokio::sync::Barrier::new(CALLERS));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let (client, barrier) = (Arc::clone(&client), Arc::clone(&barrier));
        callers.spawn(async move {
            barrier.wait().await;
            client.get("models").await.map(|response| response.status())
        });
    }
    let outcomes = callers.join_all().await;
    let failed: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| outcome.as_ref().err())
        .collect();
    assert!(failed.is_empty(), "{} failed: {:?}", failed.len(), failed.first());
    assert_eq!(inner.calls(), 2, "the first token, and one new one");
    assert_eq!(
        bearers(&server).iter().filter(|bearer| *bearer == "at-2").count(),
        CALLERS
    );
}

/// T02: a path of the caller's can't lead the token away from the base URL.
#[tokio::test]
async fn a_token_never_leaves_its_server_whatever_the_path() {
    let server = ModelServer::start().await;
    let trap = crate::support::Trap::new();
    // The trap would never answer.
    let hasty = client_with(HttpOptions::default().with_first_byte_timeout(Duration::from_secs(3)));
    let source = Arc::new(StaticTokenSource::new(AccessToken::bearer("canary").unwrap()));
    let client = AuthorizedClient::new(hasty, url(&server.base_url()), source, |_, _| {})
        .with_retry(RetryPolicy::never());
    let away = trap.address();
    let paths = [
        format!("http://{away}/x"),
        format!("//{away}/x"),
        format!("\\\\{away}\\x"),
        format!("@{away}/x"),
        format!(":80@{away}/x"),
        format!("../../../@{away}"),
        format!("\thttp://{away}/x"),
        format!("x\r\nhost: {away}\r\n\r\n"),
        format!("?x=http://{away}#{away}"),
    ];
    for path in &paths {
        _ = client.get(path).await;
    }
    assert_eq!(server.requests().len(), paths.len());
    for request in server.requests() {
        assert_eq!(
            request.header("host"),
            Some(server.address().to_string().as_str())
        );
    }
    assert!(!trap.was_visited());
}

#[tokio::test]
async fn a_key_goes_into_the_header_that_was_named_and_into_no_other() {
    let server = ModelServer::start().await;
    let source = |token| Arc::new(StaticTokenSource::new(token));
    let named = HeaderName::from_static("x-goog-api-key");
    let mut others = HeaderMap::new();
    others.insert("x-goog-api-key", HeaderValue::from_static("another"));
    others.insert("authorization", HeaderValue::from_static("another"));
    others.insert("x-tenant", HeaderValue::from_static("7"));

    let key = with_source(&server, source(AccessToken::api_key("key").unwrap()));
    let key = key.with_key_header(named.clone()).with_headers(others.clone());
    key.get("models").await.unwrap();
    let bearer = with_source(&server, source(AccessToken::bearer("token").unwrap()));
    let bearer = bearer.with_key_header(named).with_headers(others);
    bearer.get("models").await.unwrap();
    let unnamed = with_source(&server, source(AccessToken::api_key("key").unwrap()));
    unnamed.get("models").await.unwrap();

    let all = |index: usize, name: &str| -> Vec<String> {
        let requests = server.requests();
        let values = requests[index].headers.get_all(name);
        values
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        all(0, "x-goog-api-key"),
        ["key"],
        "a configured header never replaces the credential"
    );
    assert_eq!(all(0, "x-tenant"), ["7"]);
    assert_eq!(all(1, "authorization"), ["Bearer token"]);
    assert_eq!(all(2, "authorization"), ["Bearer key"]);
}

/// H01: some servers quote the token that they refuse.
#[tokio::test]
async fn a_token_that_the_server_quotes_is_concealed() {
    let server = ModelServer::start().await;
    server.push(Answer::text(403, "the token 'canary-token' may not do this"));
    let source = Arc::new(StaticTokenSource::new(
        AccessToken::bearer("canary-token").unwrap(),
    ));
    let client = AuthorizedClient::new(client(), url(&server.base_url()), source, |answer, error| {
        error.message = String::from_utf8_lossy(answer.body).into_owned();
    });
    let error = client.get("models").await.unwrap_err();
    assert_eq!(
        error.to_string().split(": ").nth(1).unwrap().split(" (").next(),
        Some("the token '***' may not do this")
    );
    assert!(!format!("{error:?}").contains("canary"));
}

#[tokio::test]
async fn a_secret_header_that_the_server_quotes_is_concealed() {
    let server = ModelServer::start().await;
    server.push(Answer::text(403, "the key 'canary-header' is not for team-blue"));
    let source = Arc::new(StaticTokenSource::new(AccessToken::bearer("token").unwrap()));
    let mut secret = HeaderValue::from_static("canary-header");
    secret.set_sensitive(true);
    let headers = [
        (HeaderName::from_static("x-key"), secret),
        (
            HeaderName::from_static("x-team"),
            HeaderValue::from_static("team-blue"),
        ),
    ];
    let client = AuthorizedClient::new(client(), url(&server.base_url()), source, |answer, error| {
        error.message = String::from_utf8_lossy(answer.body).into_owned();
    });
    let client = client.with_headers(HeaderMap::from_iter(headers));
    let error = client.get("models").await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("the key '***' is not for team-blue"), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

/// Two sockets for each caller; a shell's own limit is often 1024, or 256.
#[cfg(unix)]
fn allow_many_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.current.map(|current| current.max(4096));
    setrlimit(Resource::Nofile, limit).expect("the hard limit allows 4096 open files");
}

#[cfg(not(unix))]
fn allow_many_open_files() {}
