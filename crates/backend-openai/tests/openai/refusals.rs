//! Answers with another status: read, tried again, or final.

use crate::{backend, question};
use gatepass_core::{Advice, BackendError, ErrorKind, LlmBackend, ProviderError};
use gatepass_testkit::{Answer, ModelServer};
use serde_json::json;

fn coded(status: u16, code: &str) -> Answer {
    Answer::json(
        status,
        &json!({ "error": { "message": "Told so.", "type": "error", "code": code } }),
    )
}

async fn refusal(server: &ModelServer) -> ProviderError {
    match backend(server).chat(question()).await {
        Err(BackendError::Provider(error)) => *error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_used_up_quota_is_final() {
    let server = ModelServer::start().await;
    server.always(coded(429, "insufficient_quota").with_header("retry-after", "1"));
    let error = refusal(&server).await;
    assert_eq!((error.kind, error.advice()), (ErrorKind::Quota, Advice::Fail));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_server_with_too_much_to_do_is_asked_three_times() {
    let server = ModelServer::start().await;
    server.always(Answer::text(503, "come back later"));
    let error = refusal(&server).await;
    assert_eq!(
        (error.kind, error.status, error.message.as_str()),
        (ErrorKind::Overloaded, 503, "come back later")
    );
    assert!(matches!(error.advice(), Advice::Retry { .. }));
    assert_eq!(server.requests().len(), 3);
    server.normal();
    server.push(Answer::text(503, "come back later"));
    assert!(backend(&server).chat(question()).await.is_ok());
}

#[tokio::test]
async fn a_refusal_tells_all_that_helps() {
    let server = ModelServer::start().await;
    let answer = coded(400, "context_length_exceeded").with_header("x-request-id", "req-9");
    server.push(answer.with_header("x-ratelimit-remaining-tokens", "7"));
    let error = refusal(&server).await;
    assert_eq!(error.kind, ErrorKind::ContextLength);
    assert_eq!(error.code.as_deref(), Some("context_length_exceeded"));
    assert_eq!(
        (error.message.as_str(), error.request_id.as_deref()),
        ("Told so.", Some("req-9"))
    );
    assert_eq!(error.rate_limits.tokens.remaining, Some(7));
    let told = error.to_string();
    assert!(
        told.ends_with("answered 400 context_length_exceeded: Told so. (request req-9)"),
        "{told}"
    );
}
