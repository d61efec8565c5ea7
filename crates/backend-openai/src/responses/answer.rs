//! Answers with status 200.

use super::reply::Response;
use gatepass_core::{BackendError, ChatReply, JsonObject};
use gatepass_http::HttpResponse;
use gatepass_wire::{Origin, broken_off, read_json};
use serde_json::Value;

/// Reads a count of input tokens: `{"input_tokens":…}`.
pub(super) async fn read_count(response: HttpResponse) -> Result<u64, BackendError> {
    read_json(response, |origin, body| {
        let body = object(origin, body)?;
        let count = body.get("input_tokens").and_then(Value::as_u64);
        count.ok_or_else(|| origin.unreadable("it has no count"))
    })
    .await
}

fn object(origin: &Origin, body: &[u8]) -> Result<JsonObject, BackendError> {
    serde_json::from_slice(body).map_err(|error| origin.unparsable("it", &error))
}

/// Reads a whole answer. A response that failed is an error; what it had put out until then comes with it.
pub(super) fn reply(origin: &Origin, body: &[u8]) -> Result<ChatReply, BackendError> {
    let members = object(origin, body)?;
    let is_response = members.contains_key("output") || members.contains_key("status");
    let mut response = Response::read(members);
    if response.has_failed() {
        let error = origin.told(&response.error.take().unwrap_or(Value::Null));
        return Err(broken_off(response.into_reply(), error));
    }
    if !is_response {
        return Err(origin.unanswered(body, "it has no output"));
    }
    Ok(response.into_reply())
}
