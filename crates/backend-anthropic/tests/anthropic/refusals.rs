//! Answers with another status: read, tried again, or final.

use crate::{backend, question};
use gatepass_core::{Advice, BackendError, ErrorKind, LlmBackend, ProviderError};
use gatepass_testkit::{Answer, ModelServer};
use serde_json::json;

fn told(status: u16, word: &str, message: &str) -> Answer {
    let error = json!({ "type": word, "message": message });
    Answer::json(
        status,
        &json!({ "type": "error", "error": error, "request_id": "req_in_body" }),
    )
}

async fn refusal(server: &ModelServer) -> ProviderError {
    match backend(server).chat(question()).await {
        Err(BackendError::Provider(error)) => *error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_word_has_its_kind() {
    let server = ModelServer::start().await;
    for (status, word, message, kind) in [
        (
            400,
            "invalid_request_error",
            "max_tokens: Field required",
            ErrorKind::InvalidRequest,
        ),
        (
            400,
            "invalid_request_error",
            "prompt is too long: 210000 tokens > 200000 maximum",
            ErrorKind::ContextLength,
        ),
        (
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API.",
            ErrorKind::Quota,
        ),
        (
            400,
            "invalid_request_error",
            "You have reached your specified API usage limits. You will regain access on 2026-02-01.",
            ErrorKind::Quota,
        ),
        (
            400,
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
            ErrorKind::ContextLength,
        ),
        (
            400,
            "invalid_request_error",
            "Output blocked by content filtering policy",
            ErrorKind::ContentFilter,
        ),
        (
            400,
            "invalid_request_error",
            "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 5316852 bytes > 5242880 bytes",
            ErrorKind::InvalidRequest,
        ),
        (401, "authentication_error", "invalid x-api-key", ErrorKind::Auth),
        (402, "billing_error", "Check your billing.", ErrorKind::Quota),
        (
            403,
            "permission_error",
            "Not with this key.",
            ErrorKind::Permission,
        ),
        (404, "not_found_error", "model: claude-9", ErrorKind::NotFound),
        (
            413,
            "request_too_large",
            "Request exceeds the maximum size",
            ErrorKind::InvalidRequest,
        ),
        (429, "rate_limit_error", "Slow down.", ErrorKind::RateLimit),
        (500, "api_error", "Internal server error", ErrorKind::Server),
        (504, "timeout_error", "Too slow.", ErrorKind::Server),
        (529, "overloaded_error", "Overloaded", ErrorKind::Overloaded),
    ] {
        server.push(told(status, word, message).with_header("x-should-retry", "false"));
        let error = refusal(&server).await;
        assert_eq!(error.kind, kind, "{word}: {message}");
        assert_eq!(
            (error.status, error.code.as_deref(), error.message.as_str()),
            (status, Some(word), message)
        );
    }
}

#[tokio::test]
async fn an_overloaded_provider_is_asked_again() {
    let server = ModelServer::start().await;
    server.push(told(529, "overloaded_error", "Overloaded"));
    server.push(told(529, "overloaded_error", "Overloaded"));
    assert_eq!(
        backend(&server).chat(question()).await.unwrap().text(),
        ModelServer::TEXT
    );
    server.always(told(529, "overloaded_error", "Overloaded"));
    let error = refusal(&server).await;
    assert!(matches!(error.advice(), Advice::Retry { .. }));
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn an_empty_account_is_final() {
    let server = ModelServer::start().await;
    server.always(told(
        400,
        "invalid_request_error",
        "Your credit balance is too low.",
    ));
    let error = refusal(&server).await;
    assert_eq!((error.kind, error.advice()), (ErrorKind::Quota, Advice::Fail));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_refusal_tells_all_that_helps() {
    let server = ModelServer::start().await;
    let answer = told(400, "invalid_request_error", "No.").with_header("request-id", "req_header");
    server.push(answer.with_header("anthropic-ratelimit-tokens-remaining", "7"));
    let error = refusal(&server).await;
    assert!(error.request_id.is_some());
    let told = error.to_string();
    assert!(told.contains("answered 400 invalid_request_error: No."), "{told}");
}
