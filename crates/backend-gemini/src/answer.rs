//! Answers with status 200.

use crate::wire::{self, Models, Vectors};
use gatepass_core::{BackendError, ChatReply};
use gatepass_http::HttpResponse;
use gatepass_wire::{Origin, other_items, read_json};

/// Reads one page of a list of models.
pub(crate) async fn read_models(response: HttpResponse) -> Result<Models, BackendError> {
    read_json(response, |origin, body| {
        told(origin, body)?;
        let page = Models::read(body).map_err(|error| origin.unparsable("it", &error))?;
        page.ok_or_else(|| origin.unreadable("it is no list of models"))
    })
    .await
}

/// Reads as many vectors as there were texts.
pub(crate) async fn read_vectors(response: HttpResponse, texts: usize) -> Result<Vectors, BackendError> {
    read_json(response, |origin, body| {
        told(origin, body)?;
        let vectors = Vectors::read(body).map_err(|error| origin.unparsable("it", &error))?;
        if vectors.len() != texts {
            let what = format!("it has {} vectors for {texts} texts", vectors.len());
            return Err(origin.unreadable(what));
        }
        Ok(vectors)
    })
    .await
}

/// Reads the number of a request's tokens.
pub(crate) async fn read_count(response: HttpResponse) -> Result<u64, BackendError> {
    read_json(response, |origin, body| {
        told(origin, body)?;
        let count = wire::count(body).map_err(|error| origin.unparsable("it", &error))?;
        count.ok_or_else(|| origin.unreadable("it has no count"))
    })
    .await
}

/// Reads a whole answer.
pub(crate) fn reply(origin: &Origin, body: &[u8]) -> Result<ChatReply, BackendError> {
    let mut answer = wire::Answer::read(body).map_err(|error| origin.unparsable("it", &error))?;
    if let Some(error) = answer.take_error() {
        return Err(origin.told(&error));
    }
    if answer.has_too_many_parts() {
        return Err(origin.unreadable(wire::TOO_MANY));
    }
    let has_others = answer.has_other_candidates;
    let reply = answer.into_reply().map(|mut reply| {
        if has_others {
            let others = other_items(body, "candidates");
            reply.extra.insert("candidates".into(), others.into());
        }
        reply
    });
    reply.ok_or_else(|| origin.unanswered(body, "it has no candidate"))
}

/// An error in place of any other answer.
fn told(origin: &Origin, body: &[u8]) -> Result<(), BackendError> {
    wire::error(body).map_or(Ok(()), |error| Err(origin.told(&error)))
}
