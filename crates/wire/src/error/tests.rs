use super::*;
use serde_json::json;

fn read(status: u16, body: &Value) -> ProviderError {
    let kind = match status {
        200 => ErrorKind::Server,
        _ => error_kind(StatusCode::from_u16(status).unwrap()),
    };
    let mut error = ProviderError::new("h.example", kind, status, "");
    complete(&mut error, body);
    error
}

#[test]
fn every_shape_of_an_error_has_its_message_and_code() {
    let validation = json!([{ "type": "missing", "loc": ["body", "messages", 0], "msg": "Field required", "input": "canary" }]);
    for (body, message, code) in [
        (
            json!({ "error": { "message": "No.", "type": "invalid_request_error", "param": null, "code": null } }),
            "No.",
            Some("invalid_request_error"),
        ),
        (
            json!({ "error": { "message": "No.", "type": "t", "code": "c" } }),
            "No.",
            Some("c"),
        ),
        (
            json!({ "error": { "message": "No.", "code": 400, "status": "INVALID_ARGUMENT" } }),
            "No.",
            Some("INVALID_ARGUMENT"),
        ),
        (
            json!([{ "error": { "message": "No.", "code": 400 } }]),
            "No.",
            None,
        ),
        (
            json!({ "error": "model 'x' not found" }),
            "model 'x' not found",
            None,
        ),
        (
            json!({ "error": "invalid_token", "error_description": "It expired." }),
            "It expired.",
            Some("invalid_token"),
        ),
        (json!({ "message": "No.", "code": "1113" }), "No.", Some("1113")),
        (
            json!({ "object": "error", "message": "No.", "type": "BadRequestError", "code": 400 }),
            "No.",
            Some("BadRequestError"),
        ),
        (
            json!({ "object": "error", "message": { "detail": validation } }),
            "body.messages.0: Field required",
            None,
        ),
        (
            json!({ "message": json!({ "detail": validation }).to_string() }),
            "body.messages.0: Field required",
            None,
        ),
        (json!({ "detail": "Not Found" }), "Not Found", None),
        (
            json!({ "detail": validation }),
            "body.messages.0: Field required",
            None,
        ),
        (
            json!({ "errors": [{ "message": "No.", "code": 10000 }] }),
            "No.",
            None,
        ),
        (json!("No.\u{1b}[2J"), "No. [2J", None),
        (json!({ "canary": "unknown" }), "", None),
        (json!(null), "", None),
    ] {
        let error = read(400, &body);
        assert_eq!(
            (error.message.as_str(), error.code.as_deref()),
            (message, code),
            "{body}"
        );
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[test]
fn a_kind_is_known_by_word_then_by_number_then_by_status() {
    let coded = |code: Value| json!({ "error": { "message": "No.", "code": code } });
    for (status, body, kind) in [
        (
            400,
            coded(json!("context_length_exceeded")),
            ErrorKind::ContextLength,
        ),
        (
            400,
            json!({ "error": { "message": "m", "type": "exceed_context_size_error", "code": 400 } }),
            ErrorKind::ContextLength,
        ),
        (
            400,
            json!({ "message": "This model's maximum context length is 8192 tokens." }),
            ErrorKind::ContextLength,
        ),
        (429, coded(json!("insufficient_quota")), ErrorKind::Quota),
        (
            429,
            json!({ "error": { "type": "insufficient_quota", "code": null } }),
            ErrorKind::Quota,
        ),
        (400, coded(json!("billing_hard_limit_reached")), ErrorKind::Quota),
        (400, coded(json!("content_filter")), ErrorKind::ContentFilter),
        (
            400,
            coded(json!("content_policy_violation")),
            ErrorKind::ContentFilter,
        ),
        (
            404,
            json!({ "error": { "type": "invalid_request_error", "code": "model_not_found" } }),
            ErrorKind::NotFound,
        ),
        (400, coded(json!("model_not_found")), ErrorKind::NotFound),
        (
            401,
            json!({ "error": { "type": "invalid_request_error", "code": "invalid_api_key" } }),
            ErrorKind::Auth,
        ),
        (
            401,
            json!({ "error": { "type": "invalid_request_error" } }),
            ErrorKind::Auth,
        ),
        (400, coded(json!("rate_limit_exceeded")), ErrorKind::RateLimit),
        (
            413,
            coded(json!("rate_limit_exceeded")),
            ErrorKind::InvalidRequest,
        ),
        (500, coded(json!("overloaded")), ErrorKind::Overloaded),
        (503, coded(json!("server_overloaded")), ErrorKind::Overloaded),
        (
            503,
            json!({ "error": { "type": "server_error" } }),
            ErrorKind::Overloaded,
        ),
        (429, coded(json!(400)), ErrorKind::RateLimit),
        (200, coded(json!(429)), ErrorKind::RateLimit),
        (200, coded(json!("502")), ErrorKind::Server),
        (
            200,
            json!({ "error": { "type": "invalid_request_error", "code": "tool_use_failed", "status_code": 400 } }),
            ErrorKind::InvalidRequest,
        ),
        (
            200,
            json!({ "error": { "type": "invalid_request_error" } }),
            ErrorKind::InvalidRequest,
        ),
        (
            200,
            json!({ "error": { "type": "server_error" } }),
            ErrorKind::Server,
        ),
        (200, json!("Something broke."), ErrorKind::Server),
    ] {
        assert_eq!(read(status, &body).kind, kind, "{status} {body}");
    }
}

#[test]
fn googles_wish_for_a_pause_is_read() {
    let body = json!([{ "error": { "code": 429, "status": "RESOURCE_EXHAUSTED", "details": [
        { "@type": "type.googleapis.com/google.rpc.Help" },
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "45.5s" },
    ] } }]);
    let error = read(429, &body);
    assert_eq!(error.retry_after, Some(Duration::from_millis(45_500)));
    assert_eq!(error.kind, ErrorKind::RateLimit);
}

#[test]
fn a_long_message_is_cut() {
    let error = read(400, &json!({ "error": { "message": "x".repeat(10_000) } }));
    assert_eq!(error.message.chars().count(), 301);
}
