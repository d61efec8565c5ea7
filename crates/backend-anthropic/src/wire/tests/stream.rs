use crate::wire::Decoder;
use gatepass_core::{ChatEvent, ChatReply, FinishReason, Part, Reasoning};
use gatepass_http::SseDecoder;
use gatepass_wire::{Fault, Progress, StreamDecoder};
use serde_json::{Value, json};

/// The events of these, and of the end.
pub(super) fn events(events: &[Value]) -> Vec<ChatEvent> {
    let mut decoder = Decoder::default();
    for event in events {
        let name = event["type"].as_str().unwrap_or_default();
        if decoder.read(name, &event.to_string()).unwrap() == Progress::Done {
            break;
        }
    }
    decoder.end();
    std::mem::take(decoder.events()).into()
}

pub(super) fn collected(told: &[Value]) -> ChatReply {
    let mut reply = ChatReply::default();
    events(told).into_iter().for_each(|event| reply.add(event));
    reply
}

pub(super) fn start(index: u64, block: &Value) -> Value {
    json!({ "type": "content_block_start", "index": index, "content_block": block })
}

pub(super) fn delta(index: u64, delta: &Value) -> Value {
    json!({ "type": "content_block_delta", "index": index, "delta": delta })
}

fn stop(index: u64) -> Value {
    json!({ "type": "content_block_stop", "index": index })
}

fn text(index: u64, text: &str) -> [Value; 3] {
    [
        start(index, &json!({ "type": "text", "text": "" })),
        delta(index, &json!({ "type": "text_delta", "text": text })),
        stop(index),
    ]
}

#[test]
fn an_answer_is_told_from_its_start_to_its_usage() {
    let told = events(&[
        json!({ "type": "message_start", "message": {
            "id": "msg_1", "model": "m", "content": [], "usage": { "input_tokens": 3, "cache_read_input_tokens": 5, "output_tokens": 1 },
        } }),
        start(0, &json!({ "type": "thinking", "thinking": "", "signature": "" })),
        delta(0, &json!({ "type": "thinking_delta", "thinking": "hm" })),
        json!({ "type": "ping" }),
        delta(0, &json!({ "type": "signature_delta", "signature": "pro" })),
        delta(0, &json!({ "type": "signature_delta", "signature": "of==" })),
        stop(0),
        start(1, &json!({ "type": "text", "text": "" })),
        delta(1, &json!({ "type": "text_delta", "text": "Par" })),
        delta(1, &json!({ "type": "text_delta", "text": "is 🦀" })),
        stop(1),
        start(
            2,
            &json!({ "type": "tool_use", "id": "t", "name": "time", "input": {}, "caller": { "type": "direct" } }),
        ),
        delta(2, &json!({ "type": "input_json_delta", "partial_json": "" })),
        delta(
            2,
            &json!({ "type": "input_json_delta", "partial_json": "{\"a\":" }),
        ),
        delta(2, &json!({ "type": "input_json_delta", "partial_json": "1}" })),
        stop(2),
        json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use", "stop_sequence": null }, "usage": { "output_tokens": 9 } }),
        json!({ "type": "message_stop" }),
    ]);
    let proof = Reasoning::default().with_signature("proof==");
    let mut usage = gatepass_core::Usage::default();
    usage.input_tokens = Some(8);
    usage.cached_input_tokens = Some(5);
    usage.output_tokens = Some(1);
    usage.extra.insert("input_tokens".into(), 3.into());
    let mut last = usage.clone();
    last.output_tokens = Some(9);
    let mut call = gatepass_core::ToolCall::new("t", "time", "{\"a\":1}");
    call.extra.insert("caller".into(), json!({ "type": "direct" }));
    let piece = |arguments: &str| ChatEvent::ToolCallArguments {
        index: 0,
        arguments: arguments.into(),
    };
    let expected = [
        ChatEvent::Started {
            id: Some("msg_1".into()),
            model: Some("m".into()),
            wire: Some("anthropic-messages".into()),
        },
        ChatEvent::Usage(usage),
        ChatEvent::Reasoning(Reasoning::new("hm")),
        ChatEvent::Reasoning(proof),
        ChatEvent::Text("Par".into()),
        ChatEvent::Text("is 🦀".into()),
        ChatEvent::ToolCallStart {
            index: 0,
            id: "t".into(),
            name: "time".into(),
        },
        piece("{\"a\":"),
        piece("1}"),
        ChatEvent::ToolCall(call),
        ChatEvent::Usage(last),
        ChatEvent::Finish(FinishReason::ToolCalls),
    ];
    assert_eq!(told, expected);
}

/// Reads what has come, as the reader of a connection does.
fn read_on(sse: &mut SseDecoder, decoder: &mut Decoder) {
    while let Some(event) = sse.next().unwrap() {
        decoder.read(event.name, event.data).unwrap();
    }
}

#[test]
fn a_stream_cut_at_any_byte_tells_the_same() {
    let mut body = Vec::new();
    let thought = json!({ "type": "thinking", "thinking": "hm 🦀" });
    let call = json!({ "type": "tool_use", "id": "t", "name": "time", "input": {} });
    let told = [
        start(0, &thought),
        delta(0, &json!({ "type": "signature_delta", "signature": "proof==" })),
        stop(0),
        start(1, &call),
        delta(
            1,
            &json!({ "type": "input_json_delta", "partial_json": "{\"city\":\"Z\u{fc}rich\"}" }),
        ),
        stop(1),
        json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use" } }),
        json!({ "type": "message_stop" }),
    ];
    for event in &told {
        body.extend(
            format!(
                "event: {}\r\ndata: {event}\r\n\r\n",
                event["type"].as_str().unwrap()
            )
            .bytes(),
        );
    }
    let expected = events(&told);
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut sse, mut decoder) = (SseDecoder::default(), Decoder::default());
        for piece in pieces {
            sse.push(piece).unwrap();
            read_on(&mut sse, &mut decoder);
        }
        sse.finish();
        read_on(&mut sse, &mut decoder);
        decoder.end();
        Vec::from(std::mem::take(decoder.events()))
    };
    for at in 0..body.len() {
        let (first, second) = body.split_at(at);
        assert_eq!(read(&mut [first, second].into_iter()), expected, "cut at {at}");
    }
    assert_eq!(read(&mut body.chunks(1)), expected, "byte by byte");
}

#[test]
fn pieces_of_one_kind_side_by_side_stay_apart() {
    let thought = |index, proof: Option<&str>| {
        let mut told = vec![
            start(index, &json!({ "type": "thinking", "thinking": "a" })),
            delta(index, &json!({ "type": "thinking_delta", "thinking": "b" })),
        ];
        told.extend(
            proof.map(|proof| delta(index, &json!({ "type": "signature_delta", "signature": proof }))),
        );
        told.push(stop(index));
        told
    };
    let told = collected(
        &[
            thought(0, Some("1")),
            thought(1, None),
            thought(2, Some("3")),
            text(3, "One").to_vec(),
            text(4, "").to_vec(),
            text(5, "Two").to_vec(),
        ]
        .concat(),
    );
    let expected = [
        Part::Reasoning(Reasoning::new("ab").with_signature("1")),
        Part::Reasoning(Reasoning::new("ab")),
        Part::Reasoning(Reasoning::new("ab").with_signature("3")),
        Part::text("One"),
        Part::text("Two"),
    ];
    assert_eq!(told.message.parts, expected);
}

#[test]
fn thoughts_that_are_kept_back_keep_their_proof() {
    let hidden = |index, proof: &str| {
        [
            start(
                index,
                &json!({ "type": "thinking", "thinking": "", "signature": "" }),
            ),
            delta(index, &json!({ "type": "signature_delta", "signature": proof })),
            stop(index),
        ]
    };
    let redacted = json!({ "type": "redacted_thinking", "data": "x==" });
    let told = collected(
        &[
            hidden(0, "1"),
            hidden(1, "2"),
            [start(2, &redacted), stop(2), json!({ "type": "ping" })],
        ]
        .concat(),
    );
    let expected = [
        Part::Reasoning(Reasoning::default().with_signature("1")),
        Part::Reasoning(Reasoning::default().with_signature("2")),
        Part::Other(redacted.as_object().unwrap().clone()),
    ];
    assert_eq!(told.message.parts, expected);
}

#[test]
fn citations_and_tools_of_the_server_are_put_together() {
    let result = json!({ "type": "web_search_tool_result", "tool_use_id": "s", "content": [{ "url": "u", "page_age": null }] });
    let told = collected(&[
        start(
            0,
            &json!({ "type": "server_tool_use", "id": "s", "name": "web_search", "input": {} }),
        ),
        delta(
            0,
            &json!({ "type": "input_json_delta", "partial_json": "{\"query\":\"x\"}" }),
        ),
        stop(0),
        start(1, &result),
        stop(1),
        start(2, &json!({ "type": "text", "text": "", "citations": [] })),
        delta(2, &json!({ "type": "citations_delta", "citation": { "n": 1 } })),
        delta(2, &json!({ "type": "text_delta", "text": "Sunny" })),
        delta(2, &json!({ "type": "citations_delta", "citation": { "n": 2 } })),
        stop(2),
        start(3, &json!({ "type": "compaction", "content": null })),
        delta(3, &json!({ "type": "compaction_delta", "content": "Sum" })),
        delta(3, &json!({ "type": "compaction_delta", "content": "mary" })),
        stop(3),
    ]);
    let other = |value: Value| Part::Other(value.as_object().unwrap().clone());
    let expected = [
        other(
            json!({ "type": "server_tool_use", "id": "s", "name": "web_search", "input": { "query": "x" } }),
        ),
        other(result),
        Part::text("Sunny").with_extra("citations", json!([{ "n": 1 }, { "n": 2 }])),
        other(json!({ "type": "compaction", "content": "Summary" })),
    ];
    assert_eq!(told.message.parts, expected);
}

#[test]
fn what_is_unknown_is_kept_or_passed_over() {
    let told = collected(&[
        json!({ "type": "message_start", "message": { "id": "m", "container": { "id": "c" } } }),
        json!({ "type": "message_start", "message": { "id": "again" } }),
        json!({ "type": "weather_report", "rain": true }),
        delta(0, &json!({ "type": "text_delta", "text": "from nowhere" })),
        stop(0),
        start(0, &json!({ "type": "hologram", "light": 1 })),
        delta(0, &json!({ "type": "hologram_delta", "beams": [1] })),
        delta(
            0,
            &json!({ "type": "hologram_delta", "beams": [2], "light": 3, "text": "a" }),
        ),
        delta(0, &json!({ "type": "text_delta", "text": "b" })),
        stop(0),
        json!({ "type": "message_delta", "context_management": { "applied_edits": [1] }, "delta": {
            "stop_reason": "stop_sequence", "stop_sequence": "END", "container": { "id": "d" },
        } }),
        json!({ "type": "message_stop" }),
        json!({ "type": "error", "error": { "message": "after the end" } }),
    ]);
    let hologram = json!({ "type": "hologram", "light": 3, "beams": [1, 2], "text": "ab" });
    assert_eq!(
        told.message.parts,
        [
            Part::text("from nowhere"),
            Part::Other(hologram.as_object().unwrap().clone())
        ]
    );
    assert_eq!(
        (told.id.as_deref(), told.finish),
        (Some("m"), Some(FinishReason::Stop))
    );
    let expected = json!({
        "stop_reason": "stop_sequence", "stop_sequence": "END", "container": { "id": "d" },
        "context_management": { "applied_edits": [1] },
    });
    assert_eq!(Value::Object(told.extra), expected);
}

#[test]
fn what_is_told_beside_a_piece_is_kept_beside_the_answer() {
    let thought = json!({ "type": "thinking_delta", "thinking": "hm", "estimated_tokens": 7 });
    let told = collected(&[
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "thinking" }, "a": 1 }),
        json!({ "type": "content_block_delta", "index": 0, "delta": thought, "b": 2 }),
        json!({ "type": "content_block_stop", "index": 0, "c": 3 }),
        json!({ "type": "message_stop" }),
    ]);
    assert_eq!(told.message.parts, [Part::Reasoning(Reasoning::new("hm"))]);
    let expected = json!({ "a": 1, "b": 2, "c": 3, "estimated_tokens": 7 });
    assert_eq!(Value::Object(told.extra), expected);
}

#[test]
fn an_event_without_a_type_is_what_its_name_says() {
    let mut decoder = Decoder::default();
    for (name, event) in [
        (
            "content_block_start",
            json!({ "index": 0, "content_block": { "type": "text", "text": "Hi" } }),
        ),
        ("message_delta", json!({ "delta": { "stop_reason": "end_turn" } })),
    ] {
        decoder.read(name, &event.to_string()).unwrap();
    }
    assert!(decoder.has_finished());
    assert_eq!(decoder.read("message_stop", "{}").unwrap(), Progress::Done);
    assert!(decoder.events().contains(&ChatEvent::Text("Hi".into())));
}

#[test]
fn an_answer_that_breaks_off_keeps_what_was_whole() {
    let mut decoder = Decoder::default();
    for event in [
        start(0, &json!({ "type": "text", "text": "" })),
        delta(0, &json!({ "type": "text_delta", "text": "Half" })),
        delta(0, &json!({ "type": "citations_delta", "citation": 1 })),
        start(
            1,
            &json!({ "type": "tool_use", "id": "t", "name": "time", "input": {} }),
        ),
        delta(1, &json!({ "type": "input_json_delta", "partial_json": "{\"a" })),
    ] {
        decoder.read("", &event.to_string()).unwrap();
    }
    decoder.break_off();
    let mut reply = ChatReply::default();
    std::mem::take(decoder.events())
        .into_iter()
        .for_each(|event| reply.add(event));
    assert_eq!(reply.text(), "Half");
    assert_eq!(reply.tool_calls().count(), 0);
}

#[test]
fn an_error_ends_the_stream() {
    let mut decoder = Decoder::default();
    let error = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
    let fault = decoder.read("", &error.to_string()).unwrap_err();
    assert!(matches!(fault, Fault::Told(error) if error["type"] == "overloaded_error"));
    let of_gateway = json!({ "error": { "message": "No." } });
    let fault = decoder.read("", &of_gateway.to_string()).unwrap_err();
    assert!(matches!(fault, Fault::Told(error) if error["message"] == "No."));
    assert!(matches!(
        decoder.read("message_delta", "pong"),
        Err(Fault::Unreadable(_))
    ));
    assert!(matches!(decoder.read("", "[]"), Err(Fault::Unreadable(_))));
    assert!(matches!(decoder.read("heartbeat", "pong"), Ok(Progress::More)));
    assert!(decoder.events().is_empty());
}

#[test]
fn odd_members_do_not_end_the_stream() {
    for odd in [json!([]), json!("n/a"), json!(7), json!(null)] {
        let told = collected(&[
            json!({ "type": "message_start", "message": odd }),
            json!({ "type": "content_block_start", "index": odd, "content_block": odd }),
            start(0, &json!({ "type": "text", "text": odd, "citations": odd })),
            json!({ "type": "content_block_delta", "index": odd, "delta": odd }),
            delta(0, &json!({ "type": "text_delta", "text": "ok" })),
            json!({ "type": "message_delta", "delta": odd, "usage": odd }),
            json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" } }),
        ]);
        assert!(told.text().ends_with("ok"), "{odd}");
        assert_eq!(told.finish, Some(FinishReason::Stop), "{odd}");
    }
}
