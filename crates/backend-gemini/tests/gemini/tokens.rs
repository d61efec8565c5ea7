//! Which credential goes where, and where it never shows.

use crate::{CANARY, backend, backend_at, key, question};
use gatepass_core::{
    AccessToken, BackendError, CachedTokenSource, EmbeddingRequest, ErrorKind, LlmBackend, StaticTokenSource,
    TokenSource,
};
use gatepass_gemini::GeminiBackend;
use gatepass_http::RetryPolicy;
use gatepass_testkit::{Answer, ModelServer, ScriptedTokenSource};
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// Calls everything that there is.
async fn call_all(backend: &GeminiBackend) {
    _ = backend.chat(question()).await;
    if let Ok(events) = backend.chat_stream(question()).await {
        _ = events.collect().await;
    }
    _ = backend.embed(EmbeddingRequest::new(["a"]).with_model("m")).await;
    _ = backend.models().await;
    _ = backend.count_tokens(&question()).await;
}

fn bearer() -> Arc<dyn TokenSource> {
    Arc::new(StaticTokenSource::new(AccessToken::bearer(CANARY).unwrap()))
}

#[tokio::test]
async fn each_credential_has_its_header_and_no_other() {
    let both = HeaderMap::from_iter([
        (
            http::header::AUTHORIZATION,
            HeaderValue::from_static("Bearer other"),
        ),
        (
            "x-goog-api-key".parse().unwrap(),
            HeaderValue::from_static("other"),
        ),
        ("x-own".parse().unwrap(), HeaderValue::from_static("kept")),
    ]);
    for path in ["/v1beta", "/v1beta1/projects/p/locations/l/publishers/google"] {
        let server = ModelServer::start().await;
        let by_token = backend_at(&server, path, bearer()).with_headers(both.clone());
        call_all(&by_token.with_quota_project("my-project").unwrap()).await;
        for request in server.requests() {
            assert_eq!(request.bearer(), Some(CANARY));
            assert_eq!(request.header("x-goog-api-key"), None);
            assert_eq!(request.header("x-goog-user-project"), Some("my-project"));
            assert_eq!(request.header("x-own"), Some("kept"));
        }
        let asked = server.requests().len();
        assert_eq!(asked, 5);
        call_all(&backend_at(&server, path, key()).with_headers(both.clone())).await;
        for request in server.requests().split_off(asked) {
            assert_eq!(request.header("x-goog-api-key"), Some(CANARY));
            assert_eq!(request.header("authorization"), None);
            assert_eq!(request.header("x-goog-user-project"), None);
        }
        for request in server.requests() {
            assert!(!format!("{} {:?}", request.path, request.query).contains(CANARY));
        }
    }
}

#[test]
fn a_quota_project_that_no_header_carries_is_refused() {
    for project in ["", "a\nb", "a\r\nx-evil: 1"] {
        let backend = GeminiBackend::new(StaticTokenSource::new(AccessToken::bearer("t").unwrap())).unwrap();
        assert!(backend.with_quota_project(project).is_err());
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_each_call_replayed_once() {
    let server = ModelServer::start().await;
    let inner = ScriptedTokenSource::new();
    let source = Arc::new(CachedTokenSource::new(inner.clone()));
    let backend = backend_at(&server, "/v1beta", source);
    for (number, name) in [
        (2, "chat"),
        (3, "stream"),
        (4, "vectors"),
        (5, "models"),
        (6, "count"),
    ] {
        server.require_bearer(format!("at-{number}"));
        let asked = server.requests().len();
        let is_answered = match name {
            "chat" => backend.chat(question()).await.is_ok(),
            "stream" => backend.chat_stream(question()).await.is_ok(),
            "vectors" => {
                let request = EmbeddingRequest::new(["a"]).with_model("m");
                backend.embed(request).await.is_ok()
            }
            "models" => backend.models().await.is_ok(),
            _ => backend.count_tokens(&question()).await.is_ok(),
        };
        assert!(is_answered, "{name}");
        assert_eq!(server.requests().len(), asked + 2, "{name}");
    }
    assert_eq!(inner.calls(), 6);
}

#[tokio::test]
async fn a_server_that_refuses_every_token_is_asked_twice_and_a_key_is_sent_once() {
    let server = ModelServer::start().await;
    let error = json!({ "error": { "code": 401, "message": "No.", "status": "UNAUTHENTICATED" } });
    server.always(Answer::json(401, &error));
    let source = Arc::new(CachedTokenSource::new(ScriptedTokenSource::new()));
    let by_token = backend_at(&server, "/v1beta", source);
    assert_eq!(
        by_token.chat(question()).await.unwrap_err().kind(),
        ErrorKind::Auth
    );
    assert_eq!(server.requests().len(), 2);
    assert_eq!(
        backend(&server).chat(question()).await.unwrap_err().kind(),
        ErrorKind::Auth
    );
    assert_eq!(server.requests().len(), 3);
}

/// All that an error shows to anyone.
fn causes(error: &BackendError) -> String {
    let mut shown = format!("{error:?}");
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(cause) = next {
        shown += &format!(" {cause} {cause:?}");
        next = cause.source();
    }
    shown
}

#[tokio::test]
async fn the_credential_shows_nowhere() {
    let server = ModelServer::start().await;
    let backend = backend(&server).with_retry(RetryPolicy::never());
    let mut seen = format!("{backend:?}");
    let echo = json!({ "error": { "message": format!("API key not valid: {CANARY}"), "status": CANARY } });
    let blocked = json!({ "promptFeedback": { "blockReason": "OTHER", "blockReasonMessage": CANARY } });
    for answer in [
        Answer::json(400, &echo),
        Answer::json(200, &echo),
        Answer::json(200, &blocked),
        Answer::text(400, format!("key {CANARY} is unknown")),
        Answer::text(500, "<html>"),
        Answer::text(200, "nonsense"),
        Answer::close(),
        Answer::truncated("{"),
        Answer::redirect(307, &format!("http://127.0.0.1:9/{CANARY}")),
        Answer::sse([format!("data: {echo}\n\n")]),
        Answer::sse(["data: nonsense\n\n"]),
    ] {
        server.push(answer.clone());
        seen += &causes(&backend.chat(question()).await.unwrap_err());
        server.push(answer);
        seen += &match backend.chat_stream(question()).await {
            Ok(events) => causes(&events.collect().await.unwrap_err()),
            Err(error) => causes(&error),
        };
    }
    server.always(Answer::hang());
    let hanging = backend.chat(question());
    assert!(
        tokio::time::timeout(Duration::from_millis(50), hanging)
            .await
            .is_err()
    );
    drop(server);
    seen += &causes(&backend.chat(question()).await.unwrap_err());
    assert!(!seen.contains(CANARY), "{seen}");
}
