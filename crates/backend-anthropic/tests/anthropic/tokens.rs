//! What happens when the server refuses the credential, and where it never shows.

use crate::{CANARY, backend, causes, key, question};
use gatepass_anthropic::AnthropicBackend;
use gatepass_core::{BackendError, CachedTokenSource, ChatReply, ErrorKind, LlmBackend};
use gatepass_http::RetryPolicy;
use gatepass_testkit::{Answer, ModelServer, ScriptedTokenSource};
use serde_json::json;
use std::time::Duration;

async fn streamed(backend: &AnthropicBackend) -> Result<ChatReply, BackendError> {
    backend.chat_stream(question()).await?.collect().await
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_call_replayed_once() {
    let server = ModelServer::start().await;
    let inner = ScriptedTokenSource::new();
    let source = CachedTokenSource::new(inner.clone());
    let backend = AnthropicBackend::new(&server.base_url(), source).unwrap();
    server.require_bearer("at-2");
    assert_eq!(backend.chat(question()).await.unwrap().text(), ModelServer::TEXT);
    server.require_bearer("at-3");
    assert_eq!(streamed(&backend).await.unwrap().text(), ModelServer::TEXT);
    server.require_bearer("at-4");
    assert_eq!(backend.count_tokens(&question()).await.unwrap(), 2);
    server.require_bearer("at-5");
    assert_eq!(backend.models().await.unwrap().len(), 2);
    let bearers: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.bearer().unwrap().to_owned())
        .collect();
    assert_eq!(
        bearers,
        ["at-1", "at-2", "at-2", "at-3", "at-3", "at-4", "at-4", "at-5"]
    );
    assert_eq!(inner.calls(), 5);
}

#[tokio::test]
async fn a_key_that_never_changes_is_sent_once() {
    let server = ModelServer::start().await;
    server.require_bearer("another");
    let error = backend(&server).chat(question()).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Auth, 1));
}

#[tokio::test]
async fn the_key_shows_nowhere() {
    let server = ModelServer::start().await;
    let backend = backend(&server).with_retry(RetryPolicy::never());
    let mut seen = format!("{backend:?} {:?}", key());
    let echo = json!({ "type": "error", "error": { "type": CANARY, "message": format!("invalid x-api-key: {CANARY}") } });
    for answer in [
        Answer::json(401, &echo),
        Answer::text(400, format!("{CANARY} is unknown")),
        Answer::text(500, "<html>"),
        Answer::text(200, "nonsense"),
        Answer::close(),
        Answer::truncated("{"),
        Answer::redirect(307, &format!("http://127.0.0.1:9/{CANARY}")),
        Answer::sse(["data: nonsense\n\n"]),
    ] {
        server.push(answer.clone());
        seen += &causes(&backend.chat(question()).await.unwrap_err());
        server.push(answer);
        seen += &causes(&streamed(&backend).await.unwrap_err());
    }
    server.always(Answer::hang());
    let hanging = backend.chat(question());
    assert!(
        tokio::time::timeout(Duration::from_millis(50), hanging)
            .await
            .is_err()
    );
    assert!(!seen.contains(CANARY), "{seen}");
    for request in server.requests() {
        assert_eq!(request.header("x-api-key"), Some(CANARY));
        assert_eq!(request.query, []);
    }
}
