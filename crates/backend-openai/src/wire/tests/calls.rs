use super::stream::{collected, delta, events, finish};
use gatepass_core::{ChatEvent, ToolCall};
use serde_json::{Value, json};

/// The calls that these pieces make, each piece in a chunk of its own.
fn calls(pieces: &[Value]) -> Vec<ToolCall> {
    let chunks: Vec<_> = pieces
        .iter()
        .map(|piece| delta(&json!({ "tool_calls": [piece] })))
        .collect();
    calls_of(&chunks)
}

fn calls_of(chunks: &[Value]) -> Vec<ToolCall> {
    let mut chunks = chunks.to_vec();
    chunks.push(finish("tool_calls"));
    collected(&chunks).tool_calls().cloned().collect()
}

fn weather(id: &str) -> ToolCall {
    ToolCall::new(id, "weather", r#"{"city":"Paris"}"#)
}

fn time(id: &str) -> ToolCall {
    ToolCall::new(id, "time", r#"{"zone":"CET"}"#)
}

#[test]
fn calls_are_told_piece_by_piece_and_once_as_a_whole() {
    let chunks = [
        json!({ "index": 0, "id": "a", "type": "function", "function": { "name": "weather", "arguments": "" } }),
        json!({ "index": 0, "function": { "arguments": "{\"city\":" } }),
        json!({ "index": 0, "function": { "arguments": "\"Paris\"}" } }),
        json!({ "index": 1, "id": "b", "function": { "name": "time", "arguments": "{}" } }),
    ]
    .map(|piece| delta(&json!({ "tool_calls": [piece] })));
    let told = events(&[&chunks[..], &[finish("tool_calls")]].concat());
    let piece = |index, arguments: &str| ChatEvent::ToolCallArguments {
        index,
        arguments: arguments.into(),
    };
    let start = |index, id: &str, name: &str| ChatEvent::ToolCallStart {
        index,
        id: id.into(),
        name: name.into(),
    };
    assert_eq!(
        told[1..told.len() - 1],
        [
            start(0, "a", "weather"),
            piece(0, "{\"city\":"),
            piece(0, "\"Paris\"}"),
            ChatEvent::ToolCall(weather("a")),
            start(1, "b", "time"),
            piece(1, "{}"),
            ChatEvent::ToolCall(ToolCall::new("b", "time", "{}")),
        ]
    );
}

#[test]
fn a_server_may_leave_out_the_index() {
    let read = calls(&[
        json!({ "id": "a", "function": { "name": "weather", "arguments": "{\"city\":" } }),
        json!({ "function": { "arguments": "\"Paris\"}" } }),
        json!({ "id": "b", "function": { "name": "time", "arguments": "{\"zone\":" } }),
        json!({ "id": "b", "function": { "arguments": "\"CET\"}" } }),
    ]);
    assert_eq!(read, [weather("a"), time("b")]);
}

#[test]
fn a_server_may_leave_out_the_ids() {
    let read = calls(&[
        json!({ "index": 0, "id": "", "function": { "name": "weather", "arguments": "{\"city\":" } }),
        json!({ "index": 0, "id": "", "function": { "name": "", "arguments": "\"Paris\"}" } }),
        json!({ "index": 1, "id": null, "function": { "name": "time", "arguments": "{\"zone\":\"CET\"}" } }),
    ]);
    assert_eq!(read, [weather("call_0"), time("call_1")]);
}

#[test]
fn a_server_may_leave_out_both() {
    let whole = |name: &str, arguments: &str| json!({ "function": { "name": name, "arguments": arguments } });
    let paris = whole("weather", r#"{"city":"Paris"}"#);
    let read = calls(&[paris.clone(), paris.clone(), whole("time", r#"{"zone":"CET"}"#)]);
    assert_eq!(read, [weather("call_0"), weather("call_1"), time("call_2")]);
    let at_once = delta(&json!({ "tool_calls": [paris, whole("time", r#"{"zone":"CET"}"#)] }));
    assert_eq!(calls_of(&[at_once]), [weather("call_0"), time("call_1")]);
}

#[test]
fn a_server_may_give_all_calls_the_same_index() {
    let whole = |id: &str, name: &str, arguments: &str| json!({ "index": 0, "id": id, "function": { "name": name, "arguments": arguments } });
    let (paris, zone) = (r#"{"city":"Paris"}"#, r#"{"zone":"CET"}"#);
    assert_eq!(
        calls(&[whole("a", "weather", paris), whole("b", "time", zone)]),
        [weather("a"), time("b")]
    );
    assert_eq!(
        calls(&[whole("", "weather", paris), whole("", "time", zone)]),
        [weather("call_0"), time("call_1")]
    );
}

#[test]
fn a_server_may_repeat_id_and_name_with_every_piece() {
    let piece = |arguments: &str| json!({ "index": 0, "id": "a", "function": { "name": "weather", "arguments": arguments } });
    assert_eq!(
        calls(&[piece(""), piece("{\"city\":"), piece("\"Paris\"}"), piece("")]),
        [weather("a")]
    );
}

#[test]
fn a_server_may_make_up_a_new_id_for_every_piece() {
    let piece = |id: &str, name: Value, arguments: &str| json!({ "index": 0, "id": id, "function": { "name": name, "arguments": arguments } });
    let read = calls(&[
        piece("a", json!("weather"), ""),
        piece("x", json!(null), "{\"city\":"),
        piece("y", json!(null), "\"Paris\"}"),
    ]);
    assert_eq!(read, [weather("a")]);
}

#[test]
fn a_server_may_cut_names_and_send_ids_late() {
    let read = calls(&[
        json!({ "index": 0, "function": { "name": "wea" } }),
        json!({ "index": 0, "id": "a", "function": { "name": "ther" } }),
        json!({ "index": 0, "function": { "arguments": "{\"city\":\"Paris\"}" } }),
    ]);
    assert_eq!(read, [weather("a")]);
}

#[test]
fn a_server_may_write_two_calls_at_a_time() {
    let read = calls(&[
        json!({ "index": 0, "id": "a", "function": { "name": "weather" } }),
        json!({ "index": 1, "id": "b", "function": { "name": "time", "arguments": "{\"zone\":" } }),
        json!({ "index": 0, "function": { "arguments": "{\"city\":\"Paris\"}" } }),
        json!({ "index": 1, "function": { "arguments": "\"CET\"}" } }),
    ]);
    assert_eq!(read, [weather("a"), time("b")]);
}

#[test]
fn a_server_may_leave_out_the_list() {
    let piece =
        |function: &Value| delta(&json!({ "tool_calls": { "index": 0, "id": "", "function": function } }));
    let chunks = [
        piece(&json!({ "name": "weather", "arguments": "" })),
        piece(&json!({ "name": null, "arguments": "{\"city\":" })),
        piece(&json!({ "name": null, "arguments": "\"Paris\"}" })),
        delta(&json!({ "tool_calls": {} })),
    ];
    assert_eq!(calls_of(&chunks), [weather("call_0")]);
}

#[test]
fn what_is_said_of_a_function_is_kept() {
    let function = json!({ "name": "time", "arguments": "{}", "description": "Tells it.", "nothing": null });
    let call = &calls(&[json!({ "index": 0, "id": "a", "function": function })])[0];
    assert_eq!(
        Value::from(call.extra.clone()),
        json!({ "function": { "description": "Tells it." } })
    );
}

#[test]
fn arguments_may_be_an_object_and_a_call_may_be_old() {
    let object =
        json!({ "index": 0, "id": "a", "function": { "name": "weather", "arguments": { "city": "Paris" } } });
    assert_eq!(calls(&[object]), [weather("a")]);
    let old = [
        delta(&json!({ "function_call": { "name": "weather", "arguments": "" } })),
        delta(&json!({ "function_call": { "arguments": "{\"city\":\"Paris\"}" } })),
    ];
    assert_eq!(calls_of(&old), [weather("call_0")]);
}

#[test]
fn a_call_is_whole_at_the_end_even_if_no_end_was_told() {
    let piece = json!({ "index": 0, "id": "a", "function": { "name": "weather", "arguments": "{\"city\":\"Paris\"}" } });
    let told = collected(&[delta(&json!({ "tool_calls": [piece] }))]);
    assert_eq!(told.tool_calls().cloned().collect::<Vec<_>>(), [weather("a")]);
}

#[test]
fn a_proof_of_a_thought_is_kept_with_its_call() {
    let piece = json!({
        "index": 0, "id": "a", "function": { "name": "weather", "arguments": "{}" },
        "extra_content": { "google": { "thought_signature": "proof" } },
    });
    assert_eq!(calls(&[piece])[0].signature.as_deref(), Some("proof"));
}
