//! Answers that are damaged in every way that chance finds.

use crate::wire::Decoder;
use crate::wire::reply::read;
use gatepass_core::ChatReply;
use gatepass_wire::{Progress, StreamDecoder};
use serde_json::{Value, json};

const ROUNDS: usize = 50_000;
const SEED: u64 = 4711;

fn content() -> Value {
    json!([
        { "type": "thinking", "thinking": "hm", "signature": "proof==" },
        { "type": "redacted_thinking", "data": "x==" },
        { "type": "text", "text": "Paris 🦀", "citations": [{ "cited_text": "x" }] },
        { "type": "server_tool_use", "id": "s", "name": "web_search", "input": { "query": "x" } },
        { "type": "web_search_tool_result", "tool_use_id": "s", "content": [{ "url": "u" }] },
        { "type": "tool_use", "id": "t", "name": "time", "input": { "zone": ["UTC", 1.5, null] } },
    ])
}

fn whole() -> String {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content(),
        "stop_reason": "tool_use", "container": { "id": "c" },
        "usage": { "input_tokens": 3, "cache_read_input_tokens": 5, "output_tokens": 9 },
    })
    .to_string()
}

fn streamed() -> Vec<String> {
    let mut events =
        vec![json!({ "type": "message_start", "message": { "id": "m", "usage": { "input_tokens": 3 } } })];
    for (index, block) in content().as_array().unwrap().iter().enumerate() {
        events.push(json!({ "type": "content_block_start", "index": index, "content_block": block }));
        for delta in [
            json!({ "type": "text_delta", "text": "a" }),
            json!({ "type": "thinking_delta", "thinking": "a" }),
            json!({ "type": "signature_delta", "signature": "a" }),
            json!({ "type": "input_json_delta", "partial_json": "{\"a\":1}" }),
            json!({ "type": "citations_delta", "citation": { "a": 1 } }),
        ]
        .into_iter()
        .cycle()
        .skip(index)
        .take(2)
        {
            events.push(json!({ "type": "content_block_delta", "index": index, "delta": delta }));
        }
        events.push(json!({ "type": "content_block_stop", "index": index }));
    }
    events.push(json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 9 } }));
    events.push(json!({ "type": "message_stop" }));
    events.iter().map(Value::to_string).collect()
}

/// `text` with a few bytes changed, taken out, put in or copied elsewhere.
fn damaged(text: &str, chance: &mut fastrand::Rng) -> Vec<u8> {
    const ODD: &[u8] = b"{}[]\",:0-e.\\utn\xff\x00 ";
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..chance.usize(1..4) {
        let at = chance
            .usize(..bytes.len().max(1))
            .min(bytes.len().saturating_sub(1));
        let odd = ODD[chance.usize(..ODD.len())];
        match chance.u8(..5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, odd),
            2 if !bytes.is_empty() => _ = bytes.remove(at),
            3 => {
                let end = (at + chance.usize(..40)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                let place = chance.usize(..=bytes.len());
                bytes.splice(place..place, copy);
            }
            _ if !bytes.is_empty() => bytes[at] = odd,
            _ => {}
        }
    }
    bytes
}

#[test]
fn a_damaged_answer_is_read_or_refused_and_nothing_worse() {
    let mut chance = fastrand::Rng::with_seed(SEED);
    let (whole, mut read_all_the_same) = (whole(), 0);
    for _ in 0..ROUNDS {
        read_all_the_same += usize::from(read(&damaged(&whole, &mut chance)).is_ok());
    }
    assert!(
        read_all_the_same > 0 && read_all_the_same < ROUNDS,
        "{read_all_the_same}"
    );
}

#[test]
fn a_damaged_stream_is_read_or_refused_and_nothing_worse() {
    let mut chance = fastrand::Rng::with_seed(SEED);
    let (events, mut ended) = (streamed(), 0);
    for _ in 0..ROUNDS {
        let mut decoder = Decoder::default();
        let mut reply = ChatReply::default();
        let mut last = Ok(Progress::More);
        for event in &events {
            let bytes = if chance.u8(..8) == 0 {
                damaged(event, &mut chance)
            } else {
                event.clone().into_bytes()
            };
            // The reader of events has checked that it is UTF-8.
            let Ok(event) = String::from_utf8(bytes) else {
                break;
            };
            last = decoder.read("", &event);
            if !matches!(last, Ok(Progress::More)) {
                break;
            }
        }
        match last {
            Ok(_) => decoder.end(),
            Err(_) => decoder.break_off(),
        }
        std::mem::take(decoder.events())
            .into_iter()
            .for_each(|event| reply.add(event));
        ended += usize::from(matches!(last, Ok(Progress::Done)));
    }
    assert!(ended > 0 && ended < ROUNDS, "{ended}");
}
