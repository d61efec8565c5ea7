use crate::wire::Decoder;
use gatepass_core::{ChatEvent, ChatReply, FinishReason, Part, Reasoning};
use gatepass_wire::{Fault, StreamDecoder};
use serde_json::{Value, json};

/// The events of these chunks, and of the end.
pub(super) fn events(chunks: &[Value]) -> Vec<ChatEvent> {
    let mut decoder = Decoder::default();
    for chunk in chunks {
        decoder.read("", &chunk.to_string()).unwrap();
    }
    decoder.end();
    std::mem::take(decoder.events()).into()
}

pub(super) fn collected(chunks: &[Value]) -> ChatReply {
    let mut reply = ChatReply::default();
    events(chunks).into_iter().for_each(|event| reply.add(event));
    reply
}

/// A chunk with this delta.
pub(super) fn delta(delta: &Value) -> Value {
    json!({ "id": "c", "model": "m", "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] })
}

pub(super) fn finish(word: &str) -> Value {
    json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": word }] })
}

#[test]
fn an_answer_is_told_from_its_start_to_its_usage() {
    let usage = json!({ "prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3 });
    let told = events(&[
        delta(&json!({ "role": "assistant", "content": "", "refusal": null })),
        delta(&json!({ "reasoning_content": "hm" })),
        delta(&json!({ "content": "Par" })),
        delta(&json!({ "content": "is \n🦀" })),
        finish("stop"),
        json!({ "id": "c", "choices": [], "usage": usage }),
    ]);
    let [started, thought, first, second, end, usage] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(
        *started,
        ChatEvent::Started {
            id: Some("c".into()),
            model: Some("m".into()),
            wire: Some("openai-chat".into()),
        }
    );
    assert_eq!(*thought, ChatEvent::Reasoning(Reasoning::new("hm")));
    assert_eq!(*first, ChatEvent::Text("Par".into()));
    assert_eq!(*second, ChatEvent::Text("is \n🦀".into()));
    assert_eq!(*end, ChatEvent::Finish(FinishReason::Stop));
    assert!(matches!(usage, ChatEvent::Usage(usage) if usage.total_tokens == Some(3)));
}

#[test]
fn the_start_is_told_once_and_not_by_an_empty_chunk() {
    let filter = json!({ "id": "", "model": "", "choices": [], "prompt_filter_results": [{ "ok": true }] });
    let told = events(&[
        filter,
        delta(&json!({ "content": "a" })),
        delta(&json!({ "content": "b" })),
    ]);
    let starts = told
        .iter()
        .filter(|event| matches!(event, ChatEvent::Started { .. }));
    assert_eq!(starts.count(), 1);
    assert!(matches!(&told[0], ChatEvent::Started { id: Some(id), .. } if id == "c"));
    let ChatEvent::Extra { reply, .. } = &told[told.len() - 1] else {
        panic!("{told:?}")
    };
    assert_eq!(reply["prompt_filter_results"], json!([{ "ok": true }]));
}

#[test]
fn a_repeated_end_is_told_once_and_usage_as_often_as_it_comes() {
    let usage = |tokens| json!({ "choices": [{ "delta": {} }], "usage": { "completion_tokens": tokens } });
    let told = events(&[usage(1), usage(2), finish("length"), finish("length"), finish("")]);
    let ends = told.iter().filter(|event| matches!(event, ChatEvent::Finish(_)));
    assert_eq!(ends.count(), 1);
    let usages: Vec<_> = told
        .iter()
        .filter_map(|event| match event {
            ChatEvent::Usage(usage) => usage.output_tokens,
            _ => None,
        })
        .collect();
    assert_eq!(usages, [1, 2]);
}

#[test]
fn other_choices_are_left_out() {
    let told = collected(&[
        json!({ "choices": [{ "index": 1, "delta": { "content": "second" }, "finish_reason": "length" }] }),
        json!({ "choices": [{ "index": 1, "delta": { "content": "x" } }, { "index": 0, "delta": { "content": "first" } }] }),
        json!({ "choices": [{ "delta": { "content": "!" } }] }),
    ]);
    assert_eq!((told.text().as_str(), told.finish), ("first!", None));
}

#[test]
fn a_streamed_refusal_is_text_and_ends_as_content_that_was_withheld() {
    let told = collected(&[
        delta(&json!({ "refusal": "I " })),
        delta(&json!({ "refusal": "won't." })),
        finish("stop"),
    ]);
    assert_eq!(told.text(), "I won't.");
    assert_eq!(told.finish, Some(FinishReason::ContentFilter));
}

#[test]
fn content_in_pieces_is_told_by_their_kinds() {
    let told = collected(&[
        delta(
            &json!({ "content": [{ "type": "thinking", "thinking": [{ "type": "text", "text": "hm" }] }] }),
        ),
        delta(
            &json!({ "content": [{ "type": "text", "text": "Paris" }, { "type": "reference", "reference_ids": [3] }] }),
        ),
    ]);
    let [Part::Reasoning(thought), Part::Text(text), Part::Other(other)] = &told.message.parts[..] else {
        panic!("{told:?}")
    };
    assert_eq!((thought.text.as_str(), &**text), ("hm", "Paris"));
    assert_eq!(other["reference_ids"], json!([3]));
}

#[test]
fn what_is_unknown_is_put_together_and_told_at_the_end() {
    let details = |text| delta(&json!({ "reasoning_details": [{ "text": text }], "channel": "analysis" }));
    let chunk = json!({
        "id": "c", "object": "chat.completion.chunk", "created": 7, "obfuscation": "x", "service_tier": "flex",
        "choices": [{ "index": 0, "delta": { "content": "a" }, "logprobs": { "content": [1] } }],
    });
    let last = json!({
        "choices": [{ "delta": { "content": "b" }, "logprobs": { "content": [2] }, "finish_reason": "stop", "stop_reason": 9 }],
        "x_groq": { "id": "req" },
    });
    let told = collected(&[chunk, details("h"), details("m"), last]);
    assert_eq!(
        Value::Object(told.message.extra),
        json!({ "reasoning_details": [{ "text": "h" }, { "text": "m" }], "channel": "analysis" })
    );
    assert_eq!(
        Value::Object(told.extra),
        json!({
            "created": 7, "service_tier": "flex", "stop_reason": 9, "x_groq": { "id": "req" },
            "logprobs": { "content": [1, 2] },
        })
    );
}

#[test]
fn an_error_in_a_chunk_comes_after_what_the_chunk_tells() {
    let mut decoder = Decoder::default();
    let chunk = json!({
        "choices": [{ "delta": { "content": "half" }, "finish_reason": "length" }],
        "usage": { "prompt_tokens": 1 },
        "error": { "code": 400 },
    });
    let fault = decoder.read("", &chunk.to_string()).unwrap_err();
    assert!(matches!(fault, Fault::Told(error) if error["code"] == 400));
    assert_eq!(decoder.events().len(), 4, "{:?}", decoder.events());
    let fault = decoder
        .read("", r#"{"object":"error","message":"no"}"#)
        .unwrap_err();
    assert!(matches!(fault, Fault::Told(error) if error["message"] == "no"));
}

#[test]
fn unknown_chunks_say_nothing() {
    let told = events(&[
        json!({}),
        json!({ "type": "ping" }),
        json!({ "choices": null }),
        json!({ "choices": [{}] }),
    ]);
    assert_eq!(told.len(), 1 + 1, "a start, and the unknown members: {told:?}");
    let mut decoder = Decoder::default();
    assert!(matches!(decoder.read("", "pong"), Err(Fault::Unreadable(_))));
    assert!(matches!(
        decoder.read("", r#"{"choices":[{"#),
        Err(Fault::Unreadable(_))
    ));
}

#[test]
fn a_chunk_with_an_object_of_the_wrong_kind_does_not_end_the_stream() {
    for odd in [json!([]), json!("n/a"), json!(7)] {
        let told = collected(&[
            json!({ "choices": [{ "delta": { "content": "a" } }], "usage": odd }),
            json!({ "choices": [{ "delta": odd }], "usage": { "prompt_tokens_details": odd, "completion_tokens": 1 } }),
            json!({ "choices": [{ "delta": { "content": "b", "tool_calls": [odd], "function_call": odd } }] }),
            json!({ "choices": {}, "usage": odd }),
            finish("stop"),
        ]);
        assert_eq!(
            (told.text().as_str(), told.finish),
            ("ab", Some(FinishReason::Stop)),
            "{odd}"
        );
        assert_eq!(told.usage.unwrap().output_tokens, Some(1), "{odd}");
    }
}
