use super::*;
use gatepass_testkit::hostile;
use serde_json::json;
use std::time::Duration;

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
        (
            json!({ "fault": { "faultstring": "No.", "detail": { "errorcode": "oauth.v2.InvalidApiKey" } } }),
            "No.",
            None,
        ),
        (
            json!({ "fault": { "code": 900_901, "message": "No.", "description": "canary" } }),
            "No.",
            None,
        ),
        (
            json!({ "error": { "description": "No.", "reason": "canary" } }),
            "No.",
            None,
        ),
        (json!({ "Message": "No." }), "No.", None),
        (json!({ "error_code": 336_003, "error_msg": "No." }), "No.", None),
        (
            json!({ "error_code": "BAD_REQUEST", "message": "No." }),
            "No.",
            Some("BAD_REQUEST"),
        ),
        (
            json!({ "type": "about:blank", "title": "No.", "status": 400, "instance": "canary" }),
            "No.",
            None,
        ),
        (
            json!({ "error": { "message": "No.", "type": "None", "param": "None", "code": "400" } }),
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
        (
            200,
            json!({ "code": "image_too_large", "message": "No." }),
            ErrorKind::InvalidRequest,
        ),
        (
            200,
            json!({ "code": "image_content_policy_violation", "message": "No." }),
            ErrorKind::ContentFilter,
        ),
        (
            200,
            json!({ "code": "invalid_prompt", "message": "No." }),
            ErrorKind::InvalidRequest,
        ),
        (
            400,
            json!({ "error": { "code": "invalid_prompt", "message": "It may be violating our usage policy." } }),
            ErrorKind::ContentFilter,
        ),
        (
            200,
            json!({ "error": { "type": "billing_error", "message": "No." } }),
            ErrorKind::Quota,
        ),
        (
            400,
            json!({ "error": { "type": "budget_exceeded", "message": "No.", "code": "400" } }),
            ErrorKind::Quota,
        ),
        (
            400,
            json!({ "error": { "message": "litellm.ContextWindowExceededError: No.", "type": "None" } }),
            ErrorKind::ContextLength,
        ),
        (
            413,
            json!({ "error": { "code": "tokens_limit_reached", "message": "No." } }),
            ErrorKind::ContextLength,
        ),
        (
            400,
            json!({ "code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***yz." }),
            ErrorKind::Auth,
        ),
        (
            403,
            json!({ "error": { "code": 403, "message": "It was flagged.", "metadata": { "reasons": ["violence"], "flagged_input": "canary" } } }),
            ErrorKind::ContentFilter,
        ),
        (
            403,
            json!({ "error": { "code": 403, "message": "No.", "metadata": { "provider_name": "P" } } }),
            ErrorKind::Permission,
        ),
        (
            429,
            json!({ "error": { "code": "1113", "message": "Insufficient balance or no resource package. Please recharge." } }),
            ErrorKind::Quota,
        ),
        (
            400,
            json!({ "error": "This model's maximum prompt length is 131072 but the request contains 200000 tokens." }),
            ErrorKind::ContextLength,
        ),
        (
            400,
            json!({ "error": { "type": "invalid_request_error", "message": "Invalid request: Your request exceeded model token limit: 8192" } }),
            ErrorKind::ContextLength,
        ),
        (
            400,
            json!({ "error": { "type": "invalid_request_error", "code": "image_parse_error", "message": "You uploaded an unsupported image." } }),
            ErrorKind::InvalidRequest,
        ),
        (
            413,
            json!({ "type": "error", "error": { "type": "request_too_large", "message": "Request exceeds the maximum size" } }),
            ErrorKind::InvalidRequest,
        ),
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
fn what_a_routers_own_provider_said_stands_beside_its_words() {
    let told = |raw: Value| json!({ "error": { "message": "Provider returned error", "code": 400, "metadata": { "raw": raw } } });
    let nested = json!({ "error": { "message": "This model's maximum context length is 8192 tokens." } });
    let error = read(400, &told(json!(nested.to_string())));
    assert_eq!(error.message, "Provider returned error");
    assert_eq!(
        error.upstream.as_deref(),
        Some("This model's maximum context length is 8192 tokens.")
    );
    assert_eq!(error.kind, ErrorKind::ContextLength);
    assert_eq!(
        error.to_string(),
        "h.example answered 400: Provider returned error: This model's maximum context length is 8192 tokens."
    );
    let limited = json!({ "code": 502, "message": "Provider returned error", "metadata": { "error_type": "rate_limit_exceeded", "retry_after_seconds": 1.5 } });
    let error = read(200, &limited);
    assert_eq!(
        (error.kind, error.retry_after),
        (ErrorKind::RateLimit, Some(Duration::from_millis(1500)))
    );
    let error = read(429, &told(json!("Try later.\u{1b}[2J")));
    assert_eq!(error.upstream.as_deref(), Some("Try later. [2J"));
    for raw in [
        json!("<html>canary</html>"),
        json!(""),
        json!("{\"canary\":1}"),
        json!({ "canary": 1 }),
        json!("Provider returned error"),
        json!(null),
    ] {
        assert_eq!(read(400, &told(raw)).upstream, None);
    }
}

#[test]
fn what_the_model_wrote_is_kept_and_not_shown() {
    let told = json!({ "error": { "message": "No.", "code": "tool_use_failed", "failed_generation": "<function=canary>" } });
    let error = read(400, &told);
    assert_eq!(error.failed_generation.as_deref(), Some("<function=canary>"));
    assert!(!error.to_string().contains("canary"));
}

#[test]
fn the_id_of_a_request_may_stand_in_the_body() {
    let id = |body: Value| read(400, &body).request_id;
    let told = json!({ "error": { "message": "No." }, "request_id": "req_7\u{1b}" });
    assert_eq!(id(told).as_deref(), Some("req_7 "));
    assert_eq!(id(json!({ "message": "No.", "request_id": "" })), None);
}

#[test]
fn a_long_message_is_cut() {
    let error = read(400, &json!({ "error": { "message": "x".repeat(10_000) } }));
    assert_eq!(error.message.chars().count(), 1001);
}

#[test]
fn googles_details_tell_what_is_final() {
    let quota = |id: &str, value: &str| {
        json!([
            { "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED" },
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{ "quotaId": "Fine", "quotaValue": "7" }, { "quotaId": id, "quotaValue": value }],
            },
            { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "45.837906927s" },
        ])
    };
    let old =
        json!([{ "metadata": { "quota_limit": "RequestsPerDayPerProject", "quota_limit_value": "50" } }]);
    let reason = |reason: &str| json!([{ "reason": reason }]);
    let exhausted = "RESOURCE_EXHAUSTED";
    let (minute, day) = (
        "GenerateRequestsPerMinutePerProjectPerModel",
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
    );
    for (code, status, message, details, kind) in [
        (
            429,
            exhausted,
            "Quota.",
            quota(minute, "15"),
            ErrorKind::RateLimit,
        ),
        (429, exhausted, "Quota.", quota(day, "50"), ErrorKind::Quota),
        (429, exhausted, "Quota.", quota(minute, "0"), ErrorKind::Quota),
        (429, exhausted, "Quota.", old, ErrorKind::Quota),
        (
            429,
            exhausted,
            "Resource exhausted.",
            json!(null),
            ErrorKind::RateLimit,
        ),
        (
            429,
            exhausted,
            "Your prepayment credits are depleted.",
            json!([]),
            ErrorKind::Quota,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "API key not valid.",
            reason("API_KEY_INVALID"),
            ErrorKind::Auth,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "No.",
            reason("OTHER"),
            ErrorKind::InvalidRequest,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "The input token count (2) exceeds the maximum number of tokens allowed (1).",
            json!([]),
            ErrorKind::ContextLength,
        ),
        (
            400,
            "FAILED_PRECONDITION",
            "User location is not supported for the API use.",
            json!([]),
            ErrorKind::Permission,
        ),
        (
            400,
            "FAILED_PRECONDITION",
            "Not ready.",
            json!([]),
            ErrorKind::InvalidRequest,
        ),
        (
            403,
            "PERMISSION_DENIED",
            "No.",
            reason("SERVICE_DISABLED"),
            ErrorKind::Permission,
        ),
        (
            403,
            "PERMISSION_DENIED",
            "No.",
            reason("BILLING_DISABLED"),
            ErrorKind::Quota,
        ),
        (404, "NOT_FOUND", "No.", json!([]), ErrorKind::NotFound),
        (499, "CANCELLED", "No.", json!([]), ErrorKind::Server),
        (
            503,
            "UNAVAILABLE",
            "The model is overloaded.",
            json!([]),
            ErrorKind::Overloaded,
        ),
    ] {
        let body =
            json!({ "error": { "code": code, "status": status, "message": message, "details": details } });
        for body in [body.clone(), json!([body])] {
            let error = read(code, &body);
            assert_eq!(error.kind, kind, "{body}");
            assert_eq!(error.code.as_deref(), Some(status));
            assert_eq!(error.message, message);
        }
    }
    let told = json!({ "error": { "status": exhausted, "details": quota(minute, "15") } });
    assert_eq!(
        read(429, &told).retry_after,
        Some(Duration::from_nanos(45_837_906_927))
    );
}

/// The fuzzer's corpus is read in the ordinary tests, too.
#[test]
fn no_body_of_an_error_drives_a_terminal() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/error_body");
    hostile(corpus, |body| {
        if let Ok(body) = serde_json::from_slice(body) {
            let error = told_error("h.example", &body);
            assert!(!error.to_string().chars().any(char::is_control), "{error}");
            assert!(error.message.len() < 5000, "{error}");
        }
    });
}
