//! Answers as no server should send them.

use crate::broken::{Mutations, SEED};
use crate::responses::decoder::Decoder;
use crate::responses::reply::Response;
use gatepass_core::{ChatReply, ChatRequest, Message};
use gatepass_wire::{Fault, StreamDecoder};
use serde_json::json;

fn whole() -> String {
    json!({ "id": "resp_1", "model": "m", "status": "completed", "output": [
        { "type": "reasoning", "id": "rs_1", "summary": [{ "type": "summary_text", "text": "hm" }], "encrypted_content": "proof" },
        { "type": "web_search_call", "id": "ws_1", "action": { "query": "q" } },
        { "type": "message", "id": "msg_1", "role": "assistant", "content": [{ "type": "output_text", "text": "Paris \u{1f980}", "annotations": [{ "url": "u" }] }] },
        { "type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{\"a\":1}" },
    ], "usage": { "input_tokens": 1, "input_tokens_details": { "cached_tokens": 0 }, "output_tokens": 2 } })
    .to_string()
}

fn events() -> Vec<String> {
    let text = |kind: &str, delta: &str| json!({ "type": kind, "output_index": 1, "item_id": "msg_1", "content_index": 0, "delta": delta });
    [
        json!({ "type": "response.created", "response": { "id": "resp_1", "model": "m" } }),
        json!({ "type": "response.output_item.added", "output_index": 0, "item": { "type": "reasoning", "id": "rs_1" } }),
        json!({ "type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "hm" }),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": { "type": "reasoning", "id": "rs_1", "summary": [{ "text": "hm" }] } }),
        json!({ "type": "response.output_item.added", "output_index": 1, "item": { "type": "message", "id": "msg_1" } }),
        text("response.output_text.delta", "Par"),
        text("response.refusal.delta", "is"),
        json!({ "type": "response.content_part.done", "output_index": 1, "content_index": 0, "part": { "type": "output_text", "annotations": [{}] } }),
        json!({ "type": "response.output_item.added", "output_index": 2, "item": { "type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f" } }),
        json!({ "type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{}" }),
        json!({ "type": "response.output_item.done", "output_index": 2, "item": { "type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}" } }),
        serde_json::from_str::<serde_json::Value>(&whole()).map(|response| json!({ "type": "response.completed", "response": response })).unwrap(),
    ]
    .iter()
    .map(ToString::to_string)
    .collect()
}

#[test]
fn no_mutated_response_brings_the_reader_down() {
    let mut mutations = Mutations::new(SEED);
    let whole = whole();
    let mut read = 0;
    for _ in 0..50_000 {
        let Ok(members) = serde_json::from_slice(&mutations.mutate(&whole)) else {
            continue;
        };
        let reply = Response::read(members).into_reply();
        // What was read can be sent back, or is refused.
        let request = ChatRequest::new([Message::user("?"), reply.message]).with_model("m");
        _ = crate::responses::request::encode(&request, crate::responses::request::Mode::Whole);
        read += 1;
    }
    assert!(read > 5_000, "only {read} of them were JSON");
}

#[test]
fn no_mutated_stream_brings_the_reader_down() {
    let mut mutations = Mutations::new(SEED);
    let events = events();
    let (mut whole, mut told) = (0, 0);
    for _ in 0..50_000 {
        let mut decoder = Decoder::default();
        let mut reply = ChatReply::default();
        let mut fault = None;
        for event in mutations.shuffle(&events) {
            let data = String::from_utf8_lossy(&mutations.mutate_rarely(&event)).into_owned();
            if let Err(error) = decoder.read("", &data) {
                fault = Some(error);
                break;
            }
        }
        match fault {
            None => decoder.end(),
            Some(Fault::Told(_)) => told += 1,
            Some(_) => {}
        }
        decoder.break_off();
        std::mem::take(decoder.events())
            .into_iter()
            .for_each(|event| reply.add(event));
        whole += usize::from(decoder.has_finished());
    }
    assert!(
        whole > 5_000,
        "only {whole} of them were whole, {told} told of an error"
    );
}
