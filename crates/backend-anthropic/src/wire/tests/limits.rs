//! Answers that don't end: what would have to be held back is refused.

use super::stream::{delta, start};
use crate::wire::Decoder;
use crate::wire::reply::{Unfit, read};
use gatepass_core::ChatEvent;
use gatepass_wire::{Fault, StreamDecoder};
use serde_json::{Value, json};

/// A decoder that can hold back one more mebibyte: 64 pieces of [`long`] don't fit.
fn decoder(first: &Value) -> Decoder {
    let mut decoder = Decoder::default();
    decoder.budget.take(63 << 20).unwrap();
    decoder.read("", &first.to_string()).unwrap();
    decoder
}

fn long() -> String {
    "x".repeat(16 << 10)
}

/// Whether a piece that goes on like this without an end is refused.
fn is_refused(block: &Value, more: &Value) -> bool {
    let mut decoder = decoder(&start(0, block));
    for number in 0..80 {
        match decoder.read("", &delta(0, more).to_string()) {
            Ok(_) => decoder.events().clear(),
            Err(Fault::TooLarge(_)) => return number > 50,
            Err(fault) => panic!("{fault:?}"),
        }
    }
    false
}

#[test]
fn what_is_held_back_has_an_end() {
    let call = json!({ "type": "tool_use", "id": "t", "name": "time", "input": {} });
    assert!(is_refused(
        &call,
        &json!({ "type": "input_json_delta", "partial_json": long() })
    ));
    let thought = json!({ "type": "thinking" });
    assert!(is_refused(
        &thought,
        &json!({ "type": "signature_delta", "signature": long() })
    ));
    let text = json!({ "type": "text" });
    assert!(is_refused(
        &text,
        &json!({ "type": "citations_delta", "citation": long() })
    ));
    let other = json!({ "type": "compaction", "content": "" });
    assert!(is_refused(
        &other,
        &json!({ "type": "compaction_delta", "content": long() })
    ));
}

#[test]
fn text_and_thoughts_are_told_and_not_held_back() {
    let text = json!({ "type": "text_delta", "text": long() });
    assert!(!is_refused(&json!({ "type": "text" }), &text));
    let thought = json!({ "type": "thinking_delta", "thinking": long() });
    assert!(!is_refused(&json!({ "type": "thinking" }), &thought));
}

#[test]
fn blocks_and_members_around_them_have_an_end() {
    let mut decoder = decoder(&json!({ "type": "ping" }));
    let block = start(0, &json!({ "type": "web_search_tool_result", "content": long() }));
    let refused = (0..80).any(|_| matches!(decoder.read("", &block.to_string()), Err(Fault::TooLarge(_))));
    assert!(refused);
    let mut decoder = Decoder::default();
    decoder.budget.take(63 << 20).unwrap();
    let refused = (0..80).any(|number| {
        let event = json!({ "type": "message_delta", "delta": { number.to_string(): long() } });
        matches!(decoder.read("", &event.to_string()), Err(Fault::TooLarge(_)))
    });
    assert!(refused);
}

#[test]
fn an_answer_has_so_many_parts_and_no_more() {
    let call = json!({ "type": "tool_use", "id": "t", "name": "time", "input": {} });
    let whole = |count| json!({ "type": "message", "content": vec![call.clone(); count] }).to_string();
    assert_eq!(read(whole(1024).as_bytes()).unwrap().tool_calls().count(), 1024);
    let too_many = |unfit| matches!(unfit, Err(Unfit::Other("it has more than 1024 parts")));
    assert!(too_many(read(whole(1025).as_bytes())));
    assert!(too_many(read(whole(5000).as_bytes())));

    let mut decoder = Decoder::default();
    let event = start(0, &call).to_string();
    for _ in 0..1024 {
        decoder.read("", &event).unwrap();
    }
    assert!(matches!(
        decoder.read("", &event),
        Err(Fault::TooLarge("it has more than 1024 parts"))
    ));
    decoder.end();
    let calls = decoder
        .events()
        .iter()
        .filter(|event| matches!(event, ChatEvent::ToolCall(_)));
    assert_eq!(calls.count(), 1024);
}
