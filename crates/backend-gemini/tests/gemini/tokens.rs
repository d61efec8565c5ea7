//! Which credential goes where, and where it never shows.

use crate::{CANARY, backend, backend_at, key, question};
use gatepass_core::{
    AccessToken, CachedTokenSource, EmbeddingRequest, ErrorKind, LlmBackend, StaticTokenSource, TokenSource,
};
use gatepass_gemini::GeminiBackend;
use gatepass_http::RetryPolicy;
use gatepass_testkit::outcome::{self, shown};
use gatepass_testkit::{Answer, ModelServer, ScriptedTokenSource};
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use std::sync::Arc;

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

#[tokio::test]
async fn the_credential_shows_nowhere_though_the_prompt_was_blocked_for_it_or_nobody_is_there() {
    let server = ModelServer::start().await;
    let backend = backend(&server).with_retry(RetryPolicy::never());
    let blocked = json!({ "promptFeedback": { "blockReason": "OTHER", "blockReasonMessage": CANARY } });
    let blocked = || Answer::json(200, &blocked);
    let mut seen = shown(&outcome::refused(&backend, question(), &server, blocked()).await);
    let (error, _) = outcome::streamed(&backend, question(), &server, blocked())
        .await
        .unwrap_err();
    seen += &shown(&error);
    drop(server);
    seen += &shown(&backend.chat(question()).await.unwrap_err());
    assert!(!seen.contains(CANARY), "{seen}");
}
