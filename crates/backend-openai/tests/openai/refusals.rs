//! Answers with another status: read, tried again, or final.

use crate::{backend, question};
use gatepass_core::{Advice, BackendError, ErrorKind, LlmBackend, ProviderError};
use gatepass_testkit::{Answer, ModelServer};
use serde_json::json;
use std::time::{Duration, Instant};

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
async fn too_many_requests_are_sent_again_after_the_servers_pause() {
    let server = ModelServer::start().await;
    server.push(coded(429, "rate_limit_exceeded").with_header("retry-after-ms", "150"));
    server.push(coded(429, "rate_limit_exceeded").with_header("retry-after", "0.15"));
    let began = Instant::now();
    backend(&server)
        .chat_stream(question())
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    assert_eq!(server.requests().len(), 3);
    assert!(
        began.elapsed() >= Duration::from_millis(300),
        "{:?}",
        began.elapsed()
    );
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
async fn the_servers_word_on_trying_again_is_the_last() {
    let server = ModelServer::start().await;
    server.always(Answer::text(500, "no").with_header("x-should-retry", "false"));
    assert_eq!(refusal(&server).await.kind, ErrorKind::Server);
    assert_eq!(server.requests().len(), 1);
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

#[tokio::test]
async fn a_page_is_not_quoted_and_a_text_is_made_harmless() {
    let server = ModelServer::start().await;
    let page = "<!doctype html><title>canary</title>";
    for (answer, message) in [
        (Answer::text(404, page), "an HTML page"),
        (Answer::text(404, format!("\n {page}")), "an HTML page"),
        (
            Answer::text(404, "canary").with_header("content-type", "text/html; charset=utf-8"),
            "an HTML page",
        ),
        (Answer::text(404, "no\u{1b}[2Jroute\r\n"), "no [2Jroute"),
        (Answer::text(404, ""), ""),
        (Answer::json(404, &json!({ "canary": 1 })), ""),
    ] {
        server.push(answer);
        let error = refusal(&server).await;
        assert_eq!(
            (error.kind, error.message.as_str()),
            (ErrorKind::NotFound, message)
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = ModelServer::start().await;
    let target = ModelServer::start().await;
    for status in [301, 302, 303, 307, 308] {
        server.push(Answer::redirect(status, &target.base_url()).with_body("moved"));
        let error = refusal(&server).await;
        assert_eq!((error.kind, error.status), (ErrorKind::NotFound, status));
        assert!(
            error.message.contains("set base_url to the final address"),
            "{error}"
        );
        server.push(Answer::redirect(status, &target.base_url()));
        assert!(backend(&server).chat_stream(question()).await.is_err());
    }
    assert_eq!((server.requests().len(), target.requests().len()), (10, 0));
}

#[tokio::test]
async fn an_answer_that_began_is_not_asked_for_again() {
    let server = ModelServer::start().await;
    server.always(Answer::sse(["data: {\"choices\":[]}\n\n"]).then_close_abruptly());
    let events = backend(&server).chat_stream(question()).await.unwrap();
    assert!(events.collect().await.is_err());
    server.always(Answer::truncated("{"));
    assert!(backend(&server).chat(question()).await.is_err());
    assert_eq!(server.requests().len(), 2);
}
