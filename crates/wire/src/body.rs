//! A stream that came as a whole, from a gateway that sends streams to who asked for none.

use crate::answer::broken_off;
use crate::origin::Origin;
use crate::stream::{Progress, StreamDecoder, error_beside_events, read_event};
use gatepass_core::{BackendError, ChatReply};
use gatepass_http::{SseDecoder, SseError};

/// Whether a body is one: no JSON begins so.
pub(crate) fn is_stream(body: &[u8]) -> bool {
    let begins = [b"data:".as_slice(), b"event:", b"id:", b"retry:", b":"];
    begins
        .iter()
        .any(|begin| body.trim_ascii_start().starts_with(begin))
}

/// The reply that the events of `body` tell.
pub(crate) fn read_all<D: StreamDecoder + Default>(
    origin: &Origin,
    body: &[u8],
) -> Result<ChatReply, BackendError> {
    let mut decoder = D::default();
    let told = tell_all(origin, body, &mut decoder);
    match told {
        Ok(()) => decoder.end(),
        Err(_) => decoder.break_off(),
    }
    let mut reply = ChatReply::default();
    for event in std::mem::take(decoder.events()) {
        reply.add(event);
    }
    match told {
        Ok(()) => Ok(reply),
        Err(error) => Err(broken_off(reply, error)),
    }
}

fn tell_all<D: StreamDecoder>(origin: &Origin, body: &[u8], decoder: &mut D) -> Result<(), BackendError> {
    let unreadable = |error: SseError| origin.unreadable(error.to_string());
    let mut sse = SseDecoder::default();
    sse.push(body).map_err(unreadable)?;
    sse.finish();
    while let Some(event) = sse.next().map_err(unreadable)? {
        match read_event(decoder, &event) {
            Ok(Progress::More) => {}
            Ok(Progress::Done) => return Ok(()),
            Err(fault) => return Err(origin.faulty(fault)),
        }
    }
    if decoder.has_finished() {
        return Ok(());
    }
    Err(error_beside_events(&sse).map_or_else(|| origin.cut_off(), |told| origin.told(&told)))
}
