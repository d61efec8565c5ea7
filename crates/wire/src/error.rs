//! What servers say when they refuse, in all the shapes that they have for it.

use gatepass_core::{ErrorKind, ProviderError, printable};
use gatepass_http::{ErrorAnswer, error_kind};
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;
use std::time::Duration;

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
    let is_called_so = content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    match body.trim_ascii_start() {
        [b'<', ..] => true,
        // What scripts behind a web server say, which calls everything so unless it is told otherwise.
        body => {
            is_called_so
                && ![b"{".as_slice(), b"[", b"data:", b"event:"]
                    .iter()
                    .any(|begin| body.starts_with(begin))
        }
    }
}

fn complete(error: &mut ProviderError, body: &Value) {
    let told = innermost(body);
    error.message = printable(&message(told).unwrap_or_default());
    error.upstream = upstream(told).map(|message| printable(&message));
    error.failed_generation = failed_generation(told);
    error.code = code(told, error.status);
    error.kind = google::kind(told).unwrap_or_else(|| kind(told, error));
    let told_pause = || google::retry_delay(told).or_else(|| retry_delay(told));
    error.retry_after = error.retry_after.or_else(told_pause);
    error.request_id = error.request_id.take().or_else(|| told_id(body));
}

/// The id that stands in the body, for a proxy that drops the header.
fn told_id(body: &Value) -> Option<String> {
    let id = body.get("request_id")?.as_str()?;
    (!id.is_empty()).then(|| printable(id))
}

/// `{"error":{…}}`, the same in a list, or the object itself. Gateways that are configured rather than written
/// call it `fault`, and MiniMax `base_resp`.
fn innermost(body: &Value) -> &Value {
    match body {
        Value::Array(items) => items.first().map_or(body, innermost),
        Value::Object(members) => match ["error", "errors", "fault", "base_resp"]
            .iter()
            .find_map(|name| members.get(*name))
        {
            Some(inner @ Value::Object(_)) => inner,
            Some(Value::Array(items)) => items.first().unwrap_or(body),
            _ => body,
        },
        _ => body,
    }
}

/// The names that servers have for what is said for people, the most telling one first.
const MESSAGES: [&str; 15] = [
    "message",
    "error_description",
    "detail",
    "msg",
    "error",
    "Message",
    "error_msg",
    "error_message",
    "errorMessage",
    "status_msg",
    "faultstring",
    "description",
    "title",
    "reason",
    "text",
];

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
            let text = MESSAGES
                .iter()
                .find_map(|name| members.get(*name).and_then(message))?;
            let place = members.get("loc").map(place).unwrap_or_default();
            Some(place + &text)
        }
        _ => None,
    }
}

/// OpenRouter's own message is "Provider returned error"; what that one said stands beside it, mostly as JSON in a text.
fn upstream(told: &Value) -> Option<String> {
    let raw = told.get("metadata")?.get("raw")?;
    let said = message(raw).filter(|said| !said.is_empty() && !said.trim_start().starts_with(['<', '{']));
    said.filter(|said| message(told).as_ref() != Some(said))
}

/// Within an answer there is no header to tell it.
fn retry_delay(told: &Value) -> Option<Duration> {
    let seconds = told.pointer("/metadata/retry_after_seconds")?.as_f64()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn failed_generation(told: &Value) -> Option<String> {
    let written = told.get("failed_generation")?.as_str()?;
    (!written.is_empty()).then(|| written.to_owned())
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
    ["code", "error_code", "status", "type", "error"]
        .iter()
        .filter_map(|name| told.get(*name)?.as_str())
        .filter(|word| !word.is_empty() && !word.contains(' ') && !NO_WORDS.contains(word))
}

/// What a missing one is called in Python, and RFC 9457's name for a problem that has none.
const NO_WORDS: [&str; 2] = ["None", "about:blank"];

fn code(told: &Value, status: u16) -> Option<String> {
    words(told).find(|word| word.parse() != Ok(status)).map(printable)
}

fn kind(told: &Value, error: &ProviderError) -> ErrorKind {
    // OpenRouter's code is a number; its word stands apart.
    let of_router = told.pointer("/metadata/error_type").and_then(Value::as_str);
    let by_word = words(told)
        .chain(of_router)
        .find_map(|word| kind_of_word(&word.to_ascii_lowercase(), error.status));
    let by_number = status(told).filter(|_| error.status == 200).map(error_kind);
    let kind = by_word.or(by_number).unwrap_or(error.kind);
    match kind {
        ErrorKind::InvalidRequest => kind_of_message(error).unwrap_or(kind),
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
        "context_length_exceeded"
        | "context_window_exceeded"
        | "exceed_context_size_error"
        | "tokens_limit_reached" => ErrorKind::ContextLength,
        "insufficient_quota"
        | "insufficient_balance"
        | "billing_hard_limit_reached"
        | "billing_not_active"
        | "billing_error"
        | "budget_exceeded"
        | "exceeded_current_quota_error" => ErrorKind::Quota,
        "content_filter"
        | "content_filtered"
        | "content_policy_violation"
        | "image_content_policy_violation"
        | "data_inspection_failed"
        | "datainspectionfailed"
        | "moderation_blocked"
        | "responsibleaipolicyviolation" => ErrorKind::ContentFilter,
        "model_not_found" | "unknown_model" | "not_found_error" => ErrorKind::NotFound,
        "invalid_api_key"
        | "invalidapikey"
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
        _ if status == 200 && tells_of_request(word) => ErrorKind::InvalidRequest,
        _ => return None,
    })
}

/// Words for what is wrong with a request: `invalid_argument`, `image_too_large`.
fn tells_of_request(word: &str) -> bool {
    matches!(word, "bad_request" | "request_too_large")
        || ["invalid", "unsupported_", "image_too_", "image_file_"]
            .iter()
            .any(|begin| word.starts_with(begin))
}

/// What an invalid request is in truth, for servers that have no word for it.
fn kind_of_message(error: &ProviderError) -> Option<ErrorKind> {
    let told = [Some(&error.message), error.upstream.as_ref()]
        .into_iter()
        .flatten();
    let told: String = told.map(|message| message.to_ascii_lowercase()).collect();
    [
        (CONTEXT.as_slice(), ErrorKind::ContextLength),
        (&KEY, ErrorKind::Auth),
        (&POLICY, ErrorKind::ContentFilter),
    ]
    .into_iter()
    .find(|(phrases, _)| phrases.iter().any(|phrase| told.contains(phrase)))
    .map(|(_, kind)| kind)
}

const CONTEXT: [&str; 14] = [
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
    "contextwindowexceeded",
    "reduce the length of the messages",
    "`inputs` must have less than",
    "`inputs` tokens +",
];

/// xAI says so with 400.
const KEY: [&str; 2] = ["incorrect api key", "invalid api key"];

/// OpenAI's word is `invalid_prompt`, whatever is wrong with one.
const POLICY: [&str; 1] = ["violating our usage policy"];

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
