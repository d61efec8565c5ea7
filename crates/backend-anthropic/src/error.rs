//! What the API says when it refuses.

use gatepass_core::{ErrorKind, ProviderError};
use gatepass_http::ErrorAnswer;

/// Reads the body of an error answer.
pub(crate) fn read_error(answer: &ErrorAnswer<'_>, error: &mut ProviderError) {
    gatepass_wire::read_error(answer, error);
    if error.kind == ErrorKind::InvalidRequest {
        error.kind = kind_of_message(&error.message);
    }
}

/// The API has one word, `invalid_request_error`, for things that differ in what helps.
fn kind_of_message(message: &str) -> ErrorKind {
    [
        ("credit balance", ErrorKind::Quota),
        ("API usage limits", ErrorKind::Quota),
        ("content filtering policy", ErrorKind::ContentFilter),
        ("exceed context limit", ErrorKind::ContextLength),
    ]
    .into_iter()
    .find(|(phrase, _)| message.contains(phrase))
    .map_or(ErrorKind::InvalidRequest, |(_, kind)| kind)
}
