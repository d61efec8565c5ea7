//! What the API says when it refuses.

use gatepass_core::{ErrorKind, ProviderError};
use gatepass_http::ErrorAnswer;
use serde_json::Value;

/// Reads the body of an error answer.
pub(crate) fn read_error(answer: &ErrorAnswer<'_>, error: &mut ProviderError) {
    gatepass_wire::read_error(answer, error);
    if error.kind == ErrorKind::InvalidRequest {
        error.kind = kind_of_message(&error.message);
    }
    if error.request_id.is_none() {
        error.request_id = told_id(answer.body);
    }
}

/// The API has one word, `invalid_request_error`, for things that differ in what helps.
fn kind_of_message(message: &str) -> ErrorKind {
    [
        ("credit balance", ErrorKind::Quota),
        ("content filtering policy", ErrorKind::ContentFilter),
        ("exceed context limit", ErrorKind::ContextLength),
    ]
    .into_iter()
    .find(|(phrase, _)| message.contains(phrase))
    .map_or(ErrorKind::InvalidRequest, |(_, kind)| kind)
}

/// The id that stands in the body, for a proxy that drops the header.
fn told_id(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(gatepass_core::printable(body.get("request_id")?.as_str()?))
}
