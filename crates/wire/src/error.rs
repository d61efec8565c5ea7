//! What servers say when they refuse, in all the shapes that they have for it.

use gatepass_core::{ErrorKind, ProviderError, printable};
use gatepass_http::{ErrorAnswer, error_kind};
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

mod google;

/// Reads the body of an error answer: the [`ErrorReader`](gatepass_http::ErrorReader) of all wires. Message, code
/// and kind are found in every shape that servers have for them; a page is not quoted.
pub fn read_error(answer: &ErrorAnswer<'_>, error: &mut ProviderError) {
    if answer.status.is_redirection() {
        return;
    }
    if is_html(answer.headers, answer.body) {
        error.message = "an HTML page".into();
    } else if let Ok(body) = serde_json::from_slice(answer.body) {
        complete(error, &body);
    } else {
        error.message = printable(&String::from_utf8_lossy(answer.body));
    }
}

/// An error that came with status 200, in place of an answer or within it.
#[must_use]
pub fn told_error(host: &str, body: &Value) -> ProviderError {
    let mut error = ProviderError::new(host, ErrorKind::Server, 200, "");
    complete(&mut error, body);
    error
}

/// A page of a proxy or of a login; never worth quoting.
pub(crate) fn is_html(headers: &HeaderMap, body: &[u8]) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
        || body.trim_ascii_start().starts_with(b"<")
}

fn complete(error: &mut ProviderError, body: &Value) {
    let told = innermost(body);
    error.message = printable(&message(told).unwrap_or_default());
    error.code = code(told, error.status);
    error.kind = google::kind(told).unwrap_or_else(|| kind(told, error));
    error.retry_after = error.retry_after.or_else(|| google::retry_delay(told));
}

/// `{"error":{…}}`, the same in a list, or the object itself.
fn innermost(body: &Value) -> &Value {
    match body {
        Value::Array(items) => items.first().map_or(body, innermost),
        Value::Object(members) => match members.get("error").or_else(|| members.get("errors")) {
            Some(inner @ Value::Object(_)) => inner,
            Some(Value::Array(items)) => items.first().unwrap_or(body),
            _ => body,
        },
        _ => body,
    }
}

/// What is said for people. Validators quote the request in other members (`input`, `ctx`), which stay unread.
fn message(told: &Value) -> Option<String> {
    match told {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ Value::Object(_)) => message(&inner),
            _ => Some(text.clone()),
        },
        Value::Array(items) => {
            let messages: Vec<_> = items.iter().take(3).filter_map(message).collect();
            Some(messages.join("; "))
        }
        Value::Object(members) => {
            let text = ["message", "error_description", "detail", "msg", "error"]
                .iter()
                .find_map(|name| members.get(*name).and_then(message))?;
            let place = members.get("loc").map(place).unwrap_or_default();
            Some(place + &text)
        }
        _ => None,
    }
}

/// `["body","messages",0]` as `body.messages.0: `.
fn place(location: &Value) -> String {
    let steps = location.as_array().into_iter().flatten();
    let steps: Vec<_> = steps
        .map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned))
        .collect();
    if steps.is_empty() {
        return String::new();
    }
    steps.join(".") + ": "
}

/// The words that tell of which kind it is, the most exact one first.
fn words(told: &Value) -> impl Iterator<Item = &str> {
    ["code", "status", "type", "error"]
        .iter()
        .filter_map(|name| told.get(*name)?.as_str())
        .filter(|word| !word.is_empty() && !word.contains(' '))
}

fn code(told: &Value, status: u16) -> Option<String> {
    words(told).find(|word| word.parse() != Ok(status)).map(printable)
}

fn kind(told: &Value, error: &ProviderError) -> ErrorKind {
    let by_word = words(told).find_map(|word| kind_of_word(&word.to_ascii_lowercase(), error.status));
    if let Some(kind) = by_word {
        return kind;
    }
    let by_number = status(told).filter(|_| error.status == 200).map(error_kind);
    match by_number.unwrap_or(error.kind) {
        ErrorKind::InvalidRequest if tells_of_context(&error.message) => ErrorKind::ContextLength,
        ErrorKind::RateLimit if tells_of_balance(&error.message) => ErrorKind::Quota,
        ErrorKind::Permission if tells_of_moderation(told) => ErrorKind::ContentFilter,
        kind => kind,
    }
}

/// The status that an error within an answer would have had as an answer.
fn status(told: &Value) -> Option<StatusCode> {
    ["status_code", "code", "status"]
        .iter()
        .filter_map(|name| told.get(*name))
        .filter_map(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()))
        .filter_map(|number| StatusCode::from_u16(u16::try_from(number).ok()?).ok())
        .find(|status| status.is_client_error() || status.is_server_error())
}

fn kind_of_word(word: &str, status: u16) -> Option<ErrorKind> {
    Some(match word {
        "context_length_exceeded" | "context_window_exceeded" | "exceed_context_size_error" => {
            ErrorKind::ContextLength
        }
        "insufficient_quota"
        | "insufficient_balance"
        | "billing_hard_limit_reached"
        | "billing_not_active"
        | "exceeded_current_quota_error" => ErrorKind::Quota,
        "content_filter"
        | "content_filtered"
        | "content_policy_violation"
        | "moderation_blocked"
        | "responsibleaipolicyviolation" => ErrorKind::ContentFilter,
        "model_not_found" | "unknown_model" | "not_found_error" => ErrorKind::NotFound,
        "invalid_api_key"
        | "invalid_token"
        | "authentication_error"
        | "invalid_authentication_error"
        | "unauthenticated" => ErrorKind::Auth,
        "permission_denied" | "permission_error" => ErrorKind::Permission,
        // 413: a request that is too large for the limit stays too large.
        "rate_limit_exceeded" | "rate_limit_error" | "rate_limit_reached_error" | "resource_exhausted"
            if status != 413 =>
        {
            ErrorKind::RateLimit
        }
        "overloaded"
        | "overloaded_error"
        | "server_overloaded"
        | "engine_overloaded_error"
        | "service_unavailable"
        | "unavailable" => ErrorKind::Overloaded,
        // 499 is Google's for a call that its own side gave up.
        "cancelled" => ErrorKind::Server,
        // Words that say less than a status does.
        "invalid_request_error" | "invalid_argument" | "bad_request" if status == 200 => {
            ErrorKind::InvalidRequest
        }
        _ => return None,
    })
}

/// For servers that have no word for it.
fn tells_of_context(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    [
        "context length",
        "context window",
        "context size",
        "maximum number of tokens allowed",
        "input token count",
        "input is too long",
        "maximum prompt length",
        "model token limit",
        "prompt exceeds max length",
        "prompt is too long",
    ]
    .iter()
    .any(|phrase| message.contains(phrase))
}

/// Z.ai says with 429 that nothing is left to pay with; no pause helps.
fn tells_of_balance(message: &str) -> bool {
    message.to_ascii_lowercase().contains("insufficient balance")
}

/// OpenRouter says with 403 what its moderation found in the input.
fn tells_of_moderation(told: &Value) -> bool {
    let metadata = told.get("metadata");
    metadata.is_some_and(|metadata| metadata.get("flagged_input").is_some())
}

#[cfg(test)]
mod tests;
