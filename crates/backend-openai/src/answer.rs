//! Answers with status 200.

use crate::wire;
use gatepass_core::{BackendError, ChatReply};
use gatepass_wire::{Origin, broken_off, other_items};

/// Reads a whole answer.
pub(crate) fn reply(origin: &Origin, body: &[u8]) -> Result<ChatReply, BackendError> {
    let mut answer = wire::Answer::default();
    if let Err(error) = answer.read_whole(body) {
        return Err(origin.unparsable("it", &error));
    }
    if let Some(error) = answer.error.take() {
        return Err(origin.told(&error));
    }
    if answer.has_too_many_calls() {
        return Err(origin.unreadable(wire::TOO_MANY));
    }
    let error = answer.take_choice_error().map(|error| origin.told(&error));
    let mut reply = answer.take_reply();
    if let (Some(reply), true) = (&mut reply, answer.has_other_choices) {
        reply
            .extra
            .insert("choices".into(), other_items(body, "choices").into());
    }
    match (reply, error) {
        (Some(reply), None) => Ok(reply),
        (reply, Some(error)) => Err(broken_off(reply.unwrap_or_default(), error)),
        (None, None) => Err(origin.unanswered(body, "it has no message")),
    }
}
