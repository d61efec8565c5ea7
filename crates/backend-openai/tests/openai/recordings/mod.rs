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
    let code = recording.told("/error/code").or_else(|| recording.told("/code"));
    let code = code.or_else(|| recording.told("/error/type"));
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
        (500.., _) => ErrorKind::Server,
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
