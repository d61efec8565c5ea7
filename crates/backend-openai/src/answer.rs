//! Answers with status 200.

use crate::wire::{self, Decoder};
use gatepass_core::{BackendError, ChatReply, ChatStream, ModelInfo};
use gatepass_http::HttpResponse;
use gatepass_wire::{Origin, read_json};

/// Reads a whole answer.
pub(crate) async fn read_reply(response: HttpResponse) -> Result<ChatReply, BackendError> {
    gatepass_wire::read_reply(response, reply).await
}

/// Begins to read a streamed answer.
pub(crate) async fn read_stream(response: HttpResponse) -> Result<ChatStream, BackendError> {
    gatepass_wire::read_stream(response, Decoder::default(), reply).await
}

/// Reads a list of models.
pub(crate) async fn read_models(response: HttpResponse) -> Result<Vec<ModelInfo>, BackendError> {
    read_json(response, |origin, body| {
        wire::models(body).map_err(|error| origin.unparsable("it", &error))
    })
    .await
}

fn reply(origin: &Origin, body: &[u8]) -> Result<ChatReply, BackendError> {
    let mut answer = wire::Answer::read(body).map_err(|error| origin.unparsable("it", &error))?;
    if let Some(error) = answer.error.take() {
        return Err(origin.told(&error));
    }
    if answer.has_too_many_calls() {
        return Err(origin.unreadable(wire::TOO_MANY));
    }
    answer
        .into_reply()
        .ok_or_else(|| origin.unreadable("it has no message"))
}
