//! Answers that don't end: what would have to be held back is refused, and takes no longer to read the longer it is.

use super::stream::{delta, finish};
use super::whole_answer;
use crate::wire::Decoder;
use gatepass_core::ChatEvent;
use gatepass_wire::{Fault, StreamDecoder};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A decoder that can hold back one more mebibyte: 64 pieces of [`long`] don't fit.
fn decoder() -> Decoder {
    let mut decoder = Decoder::default();
    decoder.budget.take(63 << 20).unwrap();
    decoder
}

fn long(number: usize) -> String {
    number.to_string() + &"x".repeat(16 << 10)
}

/// What is wrong with an answer of the chunks that `chunk` makes.
fn refusal(chunk: impl Fn(usize) -> Value) -> &'static str {
    let mut decoder = decoder();
    for number in 0..80 {
        match decoder.read("", &chunk(number).to_string()) {
            Ok(_) => decoder.events().clear(),
            Err(Fault::TooLarge(what)) if number > 50 => return what,
            Err(fault) => panic!("chunk {number}: {fault:?}"),
        }
    }
    panic!("it is held back without an end")
}

/// As [`refusal`], of an answer whose every chunk has this piece of a call.
fn refusal_of_calls(piece: impl Fn(usize) -> Value) -> &'static str {
    refusal(|number| delta(&json!({ "tool_calls": [piece(number)] })))
}

#[test]
fn calls_that_do_not_end_are_refused_whatever_of_them_grows() {
    let too_large = "its tool calls and extra members are larger than 64 MiB";
    let told = refusal_of_calls(|number| json!({ "index": 0, "function": { "arguments": long(number) } }));
    assert_eq!(told, too_large);
    let told = refusal_of_calls(|number| json!({ "index": 0, "function": { "name": long(number) } }));
    assert_eq!(told, too_large);
    let told = refusal_of_calls(|number| json!({ "index": number, "id": long(number), "function": {} }));
    assert_eq!(told, too_large);
    let told = refusal_of_calls(
        |number| json!({ "index": number, "extra_content": { "google": { "thought_signature": long(number) } } }),
    );
    assert_eq!(told, too_large);
}

#[test]
fn extra_members_that_do_not_end_are_refused() {
    let too_large = "its tool calls and extra members are larger than 64 MiB";
    let logprobs = |number| json!({ "choices": [{ "delta": {}, "logprobs": { "content": [{ "token": long(number) }] } }] });
    assert_eq!(refusal(logprobs), too_large);
    let list = |number| delta(&json!({ "reasoning_details": [{ "text": long(number) }] }));
    assert_eq!(refusal(list), too_large);
    let in_message = |number| delta(&json!({ long(number): 1 }));
    assert_eq!(refusal(in_message), too_large);
    let around_it = |number: usize| json!({ number.to_string(): long(number) });
    assert_eq!(refusal(around_it), too_large);
    // All of it together has one limit.
    let of_each = |number: usize| match number % 3 {
        0 => logprobs(number),
        1 => list(number),
        _ => delta(&json!({ "tool_calls": [{ "index": 0, "function": { "arguments": long(number) } }] })),
    };
    assert_eq!(refusal(of_each), too_large);
}

#[test]
fn a_member_that_is_told_again_counts_once() {
    let mut decoder = decoder();
    for number in 0..100 {
        let text = long(number);
        let chunk = json!({ "choices": [], "text": text, "list": [text], "object": { "text": text } });
        decoder.read("", &chunk.to_string()).unwrap();
        let chunk = delta(&json!({ "audio": { "id": text } }));
        decoder.read("", &chunk.to_string()).unwrap();
    }
    decoder.end();
    let last = decoder.events().pop_back().unwrap();
    assert!(
        matches!(last, ChatEvent::Extra { message, reply } if message["audio"]["id"] == long(99) && reply["text"] == long(99))
    );
}

#[test]
fn text_that_does_not_end_is_told_and_not_held_back() {
    let mut decoder = decoder();
    for number in 0..100 {
        let chunk = delta(&json!({ "content": long(number), "reasoning": long(number) }));
        decoder.read("", &chunk.to_string()).unwrap();
        decoder.events().clear();
    }
}

#[test]
fn an_answer_has_so_many_calls_and_no_more() {
    let call = |index: usize| json!({ "index": index, "function": { "name": "time", "arguments": "{}" } });
    let list = |count| (0..count).map(call).collect::<Vec<_>>();
    let whole = |count| json!({ "choices": [{ "message": { "tool_calls": list(count) } }] }).to_string();
    let streamed = |count| delta(&json!({ "tool_calls": list(count) })).to_string();

    let most = whole(1024);
    let mut answer = whole_answer(most.as_bytes()).unwrap();
    assert!(!answer.has_too_many_calls());
    assert_eq!(answer.take_reply().unwrap().tool_calls().count(), 1024);
    assert!(whole_answer(whole(1025).as_bytes()).unwrap().has_too_many_calls());
    assert!(whole_answer(whole(5000).as_bytes()).unwrap().has_too_many_calls());

    let too_many = |fault| matches!(fault, Err(Fault::TooLarge("it has more than 1024 tool calls")));
    let mut decoder = Decoder::default();
    decoder.read("", &streamed(1024)).unwrap();
    let next = delta(&json!({ "tool_calls": [call(1024)] })).to_string();
    assert!(too_many(decoder.read("", &next)));
    assert!(too_many(Decoder::default().read("", &streamed(1025))));
}

#[test]
fn arguments_are_not_read_again_with_every_piece() {
    let began = Instant::now();
    let mut decoder = Decoder::default();
    // Without ids a name may begin another call, if the last one is whole: this one never is.
    let piece = |arguments: &str| {
        delta(
            &json!({ "tool_calls": [{ "index": 0, "function": { "name": "time", "arguments": arguments } }] }),
        )
    };
    decoder.read("", &piece("[").to_string()).unwrap();
    let more = piece(&format!("\"{}\",", "x".repeat(60))).to_string();
    for _ in 0..20_000 {
        decoder.read("", &more).unwrap();
    }
    // And each other call that begins makes one ask whether this one is whole.
    for index in 1..1000 {
        let other = json!({ "index": index, "id": index, "function": { "name": "time" } });
        decoder
            .read("", &delta(&json!({ "tool_calls": [other] })).to_string())
            .unwrap();
    }
    decoder.read("", &finish("tool_calls").to_string()).unwrap();
    let calls = decoder
        .events()
        .iter()
        .filter(|event| matches!(event, ChatEvent::ToolCall(_)));
    assert_eq!(calls.count(), 1000);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}
