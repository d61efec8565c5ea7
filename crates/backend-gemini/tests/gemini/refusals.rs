//! Answers with another status, and requests that are refused before they are sent.

use crate::{backend, question};
use gatepass_core::{
    Advice, BackendError, ChatRequest, EmbeddingRequest, ErrorKind, LlmBackend, Media, Message, Part,
    ProviderError, Role, Tool, ToolCall, ToolResult,
};
use gatepass_testkit::{Answer, ModelServer, Value};
use serde_json::json;
use std::time::{Duration, Instant};

fn status(code: u16, status: &str, details: &Value) -> Answer {
    let error = json!({ "code": code, "message": "Told so.", "status": status, "details": details });
    Answer::json(code, &json!({ "error": error }))
}

fn exhausted(quota: &str, delay: &str) -> Answer {
    let violation = json!({ "quotaMetric": "m", "quotaId": quota, "quotaValue": "15" });
    let details = json!([
        { "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation] },
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay },
    ]);
    status(429, "RESOURCE_EXHAUSTED", &details)
}

async fn refusal(server: &ModelServer) -> ProviderError {
    match backend(server).chat(question()).await {
        Err(BackendError::Provider(error)) => *error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_minutes_quota_is_waited_for_as_long_as_google_says() {
    let server = ModelServer::start().await;
    server.push(exhausted("GenerateRequestsPerMinutePerProjectPerModel", "0.150s"));
    let began = Instant::now();
    let events = backend(&server).chat_stream(question()).await.unwrap();
    assert_eq!(events.collect().await.unwrap().text(), ModelServer::TEXT);
    assert_eq!(server.requests().len(), 2);
    assert!(
        began.elapsed() >= Duration::from_millis(150),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_days_quota_is_final() {
    let server = ModelServer::start().await;
    server.always(exhausted(
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
        "1s",
    ));
    let error = refusal(&server).await;
    assert_eq!((error.kind, error.advice()), (ErrorKind::Quota, Advice::Fail));
    assert_eq!(error.code.as_deref(), Some("RESOURCE_EXHAUSTED"));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_long_wait_is_left_to_the_caller() {
    let server = ModelServer::start().await;
    server.always(exhausted("PerMinute", "61.5s"));
    let error = refusal(&server).await;
    let after = Some(Duration::from_millis(61_500));
    assert_eq!(
        (error.kind, error.advice()),
        (ErrorKind::RateLimit, Advice::Retry { after })
    );
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn every_refusal_has_its_kind_and_googles_words() {
    let server = ModelServer::start().await;
    let reason =
        |reason: &str| json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason }]);
    for (code, word, details, kind) in [
        (400, "INVALID_ARGUMENT", json!([]), ErrorKind::InvalidRequest),
        (
            400,
            "INVALID_ARGUMENT",
            reason("API_KEY_INVALID"),
            ErrorKind::Auth,
        ),
        (
            401,
            "UNAUTHENTICATED",
            reason("ACCESS_TOKEN_TYPE_UNSUPPORTED"),
            ErrorKind::Auth,
        ),
        (
            403,
            "PERMISSION_DENIED",
            reason("ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
            ErrorKind::Permission,
        ),
        (404, "NOT_FOUND", json!([]), ErrorKind::NotFound),
        (413, "INVALID_ARGUMENT", json!([]), ErrorKind::InvalidRequest),
        (500, "INTERNAL", json!([]), ErrorKind::Server),
        (503, "UNAVAILABLE", json!([]), ErrorKind::Overloaded),
        (504, "DEADLINE_EXCEEDED", json!([]), ErrorKind::Server),
    ] {
        server.always(status(code, word, &details).with_header("x-should-retry", "false"));
        let error = refusal(&server).await;
        assert_eq!((error.kind, error.status), (kind, code), "{word}");
        assert_eq!((&*error.message, error.code.as_deref()), ("Told so.", Some(word)));
        assert!(error.request_id.is_some());
    }
    // As a stream is refused without `alt=sse`: in a list.
    let error = json!([{ "error": { "code": 400, "message": "No.", "status": "INVALID_ARGUMENT" } }]);
    server.always(Answer::json(400, &error));
    assert_eq!(refusal(&server).await.message, "No.");
}

#[tokio::test]
async fn what_gemini_cannot_be_told_is_refused_before_it_is_sent() {
    let server = ModelServer::start().await;
    let said = |part: Part| ChatRequest::new([Message::new(Role::User, [part])]).with_model("m");
    let tool = |schema: Value| question().with_tools([Tool::new("t", schema).with_strict(true)]);
    let with_text = ToolResult::new("1", "").with_part(Part::text("more"));
    let named = |mut result: ToolResult| {
        result.name = Some("t".into());
        said(Part::ToolResult(result))
    };
    for (request, what) in [
        (ChatRequest::new([]).with_model("m"), "there are no messages"),
        (ChatRequest::new([Message::user("?")]), "no model is named"),
        (
            question().with_model("../files"),
            "the model's name may have letters, digits, '-', '_', '.' and '@', and '/' between them",
        ),
        (
            question().with_temperature(f64::NAN),
            "temperature is not a number",
        ),
        (
            question().with_parallel_tool_calls(false),
            "Gemini can't be told to ask for one tool at a time",
        ),
        (
            question().with_tools([Tool::new("a\nb", json!({}))]),
            "a tool's name is empty, or has a control character",
        ),
        (
            tool(json!({ "properties": { "a": { "not": {} } } })),
            "Gemini can't follow the arguments of the tool t: it has `not` at properties/a; say it in other words, or not strictly",
        ),
        (
            question().with_json_schema("s", json!({ "allOf": [{}, {}] })),
            "Gemini can't follow the schema of the answer: it has `allOf` with several schemas at its root; say it in other words, or not strictly",
        ),
        (
            said(Part::Image(Media::base64("png", "aGk="))),
            "a media type is none: write image/png, for instance",
        ),
        (
            said(Part::ToolCall(ToolCall::new("1", "t", "{}"))),
            "only the assistant can call a tool",
        ),
        (
            said(Part::ToolResult(ToolResult::new("1", ""))),
            "a tool's answer names neither its tool nor a call of the conversation",
        ),
        (
            named(with_text),
            "beside its text, a tool's answer may have images, files and sound",
        ),
        (
            ChatRequest::new([Message::new(Role::System, [Part::Image(Media::url("u"))])]).with_model("m"),
            "instructions have to be text",
        ),
    ] {
        for error in [
            backend(&server).chat(request.clone()).await.unwrap_err(),
            backend(&server).chat_stream(request.clone()).await.unwrap_err(),
            backend(&server).count_tokens(&request).await.unwrap_err(),
        ] {
            assert_eq!(error.to_string(), format!("invalid request: {what}"));
            assert_eq!(
                (error.kind(), error.advice()),
                (ErrorKind::InvalidRequest, Advice::FixConfig)
            );
        }
    }
    let untyped = said(Part::Image(
        serde_json::from_value(json!({ "source": { "base64": "aGk=" } })).unwrap(),
    ));
    let error = backend(&server).chat(untyped).await.unwrap_err();
    assert!(error.to_string().ends_with("without its media type"), "{error}");
    let nothing = EmbeddingRequest::new([""; 0]).with_model("m");
    assert!(matches!(
        backend(&server).embed(nothing).await,
        Err(BackendError::Request { .. })
    ));
    assert!(server.requests().is_empty());
}

/// Images that Gemini doesn't know, and those that are too large, are its own to refuse.
#[tokio::test]
async fn a_refused_image_tells_googles_reason() {
    let server = ModelServer::start().await;
    let image = Part::Image(Media::base64("image/x-unknown", "aGk="));
    let request = ChatRequest::new([Message::new(Role::User, [image])]).with_model("m");
    for code in [400, 413] {
        server.push(status(code, "INVALID_ARGUMENT", &json!([])));
        match backend(&server).chat(request.clone()).await {
            Err(BackendError::Provider(error)) => {
                assert_eq!(
                    (error.kind, &*error.message),
                    (ErrorKind::InvalidRequest, "Told so.")
                );
            }
            other => panic!("{other:?}"),
        }
    }
}
