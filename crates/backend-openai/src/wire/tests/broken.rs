//! Answers as no server should send them.

use super::whole_answer;
use crate::broken::{Mutations, SEED};
use crate::wire::{Decoder, Mode, encode};
use gatepass_core::{ChatReply, ChatRequest, Message};
use gatepass_wire::StreamDecoder;
use serde_json::json;

#[test]
fn no_mutated_answer_brings_the_reader_down() {
    let mut mutations = Mutations::new(SEED);
    let whole = json!({ "id": "c", "model": "m", "choices": [{ "index": 0, "finish_reason": "tool_calls", "message": {
        "role": "assistant", "content": [{ "type": "thinking", "thinking": [{ "text": "hm" }] }, { "type": "text", "text": "Paris \u{1f980}" }],
        "reasoning_content": "hm", "refusal": null, "annotations": [{ "url": "u" }],
        "tool_calls": [{ "index": 0, "id": "1", "type": "function", "function": { "name": "f", "arguments": "{\"a\":1}" },
            "extra_content": { "google": { "thought_signature": "s" } } }],
    } }], "usage": { "prompt_tokens": 1, "prompt_tokens_details": { "cached_tokens": 1 } } })
    .to_string();
    let mut read = 0;
    for _ in 0..50_000 {
        let body = mutations.mutate(&whole);
        let Ok(mut answer) = whole_answer(&body) else {
            continue;
        };
        let Some(reply) = answer.take_reply() else {
            continue;
        };
        // What was read can be sent back, or is refused.
        let request = ChatRequest::new([Message::user("?"), reply.message]).with_model("m");
        _ = encode(&request, crate::dialect::Dialect::Compatible, Mode::Whole);
        read += 1;
    }
    assert!(read > 5_000, "only {read} of them were answers");
}

#[test]
fn no_mutated_stream_brings_the_reader_down() {
    let delta = |delta: serde_json::Value| {
        json!({ "id": "c", "model": "m", "choices": [{ "index": 0, "delta": delta }] }).to_string()
    };
    let chunks = [
        delta(json!({ "role": "assistant", "reasoning": "hm" })),
        delta(json!({ "content": "Par" })),
        delta(json!({ "content": [{ "type": "text", "text": "is" }, { "type": "reference", "ids": [1] }] })),
        delta(json!({ "tool_calls": [{ "index": 0, "id": "1", "function": { "name": "f", "arguments": "{" } }] })),
        delta(json!({ "tool_calls": [{ "index": 0, "function": { "arguments": "}" } }, { "id": "2", "function": { "name": "g" } }] })),
        json!({ "choices": [{ "delta": {}, "finish_reason": "tool_calls", "logprobs": { "content": [{}] } }] }).to_string(),
        json!({ "choices": [], "usage": { "prompt_tokens": 1, "completion_tokens_details": { "reasoning_tokens": 1 } } }).to_string(),
    ];
    let mut mutations = Mutations::new(SEED);
    let mut whole = 0;
    for _ in 0..50_000 {
        let mut decoder = Decoder::default();
        let mut reply = ChatReply::default();
        for chunk in mutations.shuffle(&chunks) {
            let data = String::from_utf8_lossy(&mutations.mutate_rarely(&chunk)).into_owned();
            if decoder.read("", &data).is_err() {
                break;
            }
        }
        decoder.end();
        std::mem::take(decoder.events())
            .into_iter()
            .for_each(|event| reply.add(event));
        whole += usize::from(decoder.has_finished());
    }
    assert!(whole > 5_000, "only {whole} of them were whole");
}
