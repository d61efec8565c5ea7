//! Everything but the chat.

use super::ModelServer;
use crate::answer::Answer;
use serde_json::{Value, json};

/// An error as OpenAI words it.
pub(super) fn error(status: u16, code: &str, message: &str) -> Answer {
    let error = json!({
        "message": message,
        "type": "invalid_request_error",
        "param": null,
        "code": code,
    });
    Answer::json(status, &json!({ "error": error }))
}

/// RFC 6750 §3.1.
pub(super) fn unauthorized() -> Answer {
    error(401, "invalid_api_key", "the token is missing, expired or unknown")
        .with_header("www-authenticate", "Bearer error=\"invalid_token\"")
}

pub(super) fn with_limits(answer: Answer) -> Answer {
    const LIMITS: [(&str, &str); 6] = [
        ("x-ratelimit-limit-requests", "500"),
        ("x-ratelimit-remaining-requests", "499"),
        ("x-ratelimit-reset-requests", "120ms"),
        ("x-ratelimit-limit-tokens", "30000"),
        ("x-ratelimit-remaining-tokens", "29950"),
        ("x-ratelimit-reset-tokens", "1m30.5s"),
    ];
    LIMITS.into_iter().fold(answer, |answer, (name, value)| {
        answer.with_default_header(name, value)
    })
}

pub(super) fn models() -> Answer {
    let models = ModelServer::MODELS
        .map(|id| json!({ "id": id, "object": "model", "created": 0, "owned_by": "test" }));
    Answer::json(200, &json!({ "object": "list", "data": models }))
}

/// Each vector tells the length of its text.
pub(super) fn embeddings(request: &Value) -> Answer {
    let texts: Vec<&str> = match request.get("input") {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
        _ => return error(400, "invalid_request", "input is missing"),
    };
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            json!({ "object": "embedding", "index": index, "embedding": [text.len() as f64, 0.5, -0.25] })
        })
        .collect();
    let tokens = texts
        .iter()
        .map(|text| text.split_whitespace().count())
        .sum::<usize>();
    Answer::json(
        200,
        &json!({
            "object": "list",
            "data": data,
            "model": request.get("model"),
            "usage": { "prompt_tokens": tokens, "total_tokens": tokens },
        }),
    )
}
