//! Recorded traffic of a dozen providers, as it was on the wire: see [`gatepass_testkit::recordings`].

mod chat;
mod embeddings;
mod made_up;
mod requests;
mod responses;

use gatepass_core::{ErrorKind, ProviderError, printable};
use gatepass_testkit::recordings::{Problem, Recording, same};

/// The recordings of one wire.
fn recordings(wire: &str) -> Option<Vec<Recording>> {
    Recording::all(wire, env!("CARGO_MANIFEST_DIR"))
}

/// An error tells what the provider said.
fn check_refusal(recording: &Recording, error: &ProviderError) -> Result<(), Problem> {
    let names = ["code", "error_code", "status", "type"];
    let places = names.iter().map(|name| format!("/error/{name}"));
    let mut places = places.chain(names.iter().map(|name| format!("/{name}")));
    let status = recording.status.to_string();
    let code = places.find_map(|place| recording.told(&place).filter(|code| *code != status));
    let message = error.message.to_ascii_lowercase();
    let is_too_long = ["context length", "context window", "too long"]
        .iter()
        .any(|phrase| message.contains(phrase));
    let kind = match (recording.status, code.as_deref()) {
        (_, Some("context_length_exceeded")) => ErrorKind::ContextLength,
        (_, Some("insufficient_quota")) => ErrorKind::Quota,
        (_, Some("content_filter" | "content_policy_violation")) => ErrorKind::ContentFilter,
        (401, _) => ErrorKind::Auth,
        (402, _) => ErrorKind::Quota,
        (403, _) => ErrorKind::Permission,
        (404, _) => ErrorKind::NotFound,
        (429, _) => ErrorKind::RateLimit,
        (503 | 529, _) => ErrorKind::Overloaded,
        (408 | 409 | 500.., _) => ErrorKind::Server,
        _ if is_too_long => ErrorKind::ContextLength,
        _ if message.contains("api key") => ErrorKind::Auth,
        _ => ErrorKind::InvalidRequest,
    };
    same("kind", &error.kind, &kind)?;
    same("status", &error.status, &recording.status)?;
    let mut places = ["/error/message", "/message", "/error", "/detail"].iter();
    if let Some(message) = places.find_map(|place| recording.told(place)) {
        same("message", &error.message, &printable(&message))?;
    }
    same("code", &error.code, &code)?;
    same("request id", &error.request_id.is_some(), &true)
}
