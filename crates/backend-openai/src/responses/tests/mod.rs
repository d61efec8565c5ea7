mod broken;
mod reply;
mod request;
mod stream;

use super::decoder::Decoder;
use super::reply::Response;
use super::request::{Mode, encode as encode_as};
use gatepass_core::{ChatEvent, ChatReply, ChatRequest, JsonObject};
use gatepass_wire::{Fault, StreamDecoder};
use serde_json::{Value, json};

fn object(value: Value) -> JsonObject {
    serde_json::from_value(value).unwrap()
}

/// The reply to this output.
fn read(output: &Value) -> ChatReply {
    Response::read(object(json!({ "status": "completed", "output": output }))).into_reply()
}

fn encode(request: &ChatRequest) -> Value {
    let body = encode_as(request, Mode::Whole).unwrap();
    serde_json::from_slice(&body).unwrap()
}

/// What a stream of these events tells; their names are their types.
fn events(told: &[Value]) -> Result<Vec<ChatEvent>, Fault> {
    let mut decoder = Decoder::default();
    for event in told {
        decoder.read(event["type"].as_str().unwrap_or_default(), &event.to_string())?;
    }
    if decoder.has_finished() {
        decoder.end();
    } else {
        decoder.break_off();
    }
    Ok(std::mem::take(decoder.events()).into())
}

/// The reply that a stream of these events is.
fn streamed(told: &[Value]) -> ChatReply {
    let mut reply = ChatReply::default();
    for event in events(told).unwrap() {
        reply.add(event);
    }
    reply
}
