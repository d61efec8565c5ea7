use super::{events, object, read, streamed};
use gatepass_core::{ChatEvent, FinishReason, Part};
use gatepass_wire::Fault;
use serde_json::{Value, json};

fn added(index: u64, item: &Value) -> Value {
    json!({ "type": "response.output_item.added", "output_index": index, "item": item })
}

fn done(index: u64, item: &Value) -> Value {
    json!({ "type": "response.output_item.done", "output_index": index, "item": item })
}

fn delta(kind: &str, index: u64, delta: &str) -> Value {
    json!({ "type": format!("response.{kind}.delta"), "output_index": index, "content_index": 0, "delta": delta })
}

fn completed(output: &Value) -> Value {
    json!({ "type": "response.completed", "response": { "id": "resp_1", "model": "m", "status": "completed", "output": output } })
}

fn message(id: &str, texts: &[&str]) -> Value {
    let pieces: Vec<_> = texts
        .iter()
        .map(|text| json!({ "type": "output_text", "text": text, "annotations": [] }))
        .collect();
    json!({ "type": "message", "id": id, "role": "assistant", "status": "completed", "content": pieces })
}

fn call(id: &str, arguments: &str) -> Value {
    json!({ "type": "function_call", "id": format!("fc_{id}"), "call_id": id, "name": "weather", "arguments": arguments })
}

#[test]
fn words_thoughts_and_arguments_are_told_as_they_come() {
    let thought = json!({ "type": "reasoning", "id": "rs_1", "encrypted_content": "proof", "summary": [{ "type": "summary_text", "text": "hm" }] });
    let begun = json!({ "type": "reasoning", "id": "rs_1", "summary": [] });
    let said = message("msg_1", &["Paris"]);
    let asked = call("call_1", "{\"a\":1}");
    let output = json!([thought, said, asked]);
    let told = [
        json!({ "type": "response.created", "response": { "id": "resp_1", "model": "m", "status": "in_progress" } }),
        added(0, &begun),
        json!({ "type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 0, "part": {} }),
        json!({ "type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "h" }),
        json!({ "type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "m" }),
        json!({ "type": "response.reasoning_summary_part.done", "output_index": 0, "summary_index": 0, "part": { "type": "summary_text", "text": "hm" } }),
        done(0, &thought),
        added(1, &json!({ "type": "message", "id": "msg_1", "content": [] })),
        delta("output_text", 1, "Par"),
        delta("output_text", 1, "is"),
        json!({ "type": "response.content_part.done", "output_index": 1, "content_index": 0, "part": { "type": "output_text", "text": "Paris" } }),
        done(1, &said),
        added(2, &call("call_1", "")),
        delta("function_call_arguments", 2, "{\"a\""),
        delta("function_call_arguments", 2, ":1}"),
        done(2, &asked),
        json!({ "type": "response.something.new", "x": [1] }),
        completed(&output),
    ];
    let texts: Vec<_> = events(&told)
        .unwrap()
        .into_iter()
        .filter_map(|event| match event {
            ChatEvent::Text(text) => Some(text),
            ChatEvent::Reasoning(thought) if !thought.text.is_empty() => Some(thought.text),
            ChatEvent::ToolCallArguments { arguments, .. } => Some(arguments),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["h", "m", "Par", "is", "{\"a\"", ":1}"]);
    let reply = streamed(&told);
    assert_eq!(reply.message.parts, read(&output).message.parts);
    assert_eq!(reply.finish, Some(FinishReason::ToolCalls));
    assert_eq!(
        (reply.id.as_deref(), reply.model.as_deref()),
        (Some("resp_1"), Some("m"))
    );
    assert_eq!(reply.message.wire.as_deref(), Some("openai-responses"));
}

#[test]
fn a_server_may_leave_out_all_but_the_end() {
    let output = json!([
        { "type": "reasoning", "id": "rs_1", "summary": [], "content": [{ "type": "reasoning_text", "text": "hm" }] },
        message("msg_1", &["Par", "is"]),
        call("call_1", "{}"),
        { "type": "web_search_call", "id": "ws_1" },
    ]);
    let reply = streamed(&[completed(&output)]);
    assert_eq!(reply.message.parts, read(&output).message.parts);
}

#[test]
fn a_server_may_leave_the_output_out_of_the_end() {
    let said = message("msg_1", &["Paris"]);
    let told = [
        added(0, &said),
        delta("output_text", 0, "Paris"),
        done(0, &said),
        added(1, &call("call_1", "")),
        delta("function_call_arguments", 1, "{}"),
        json!({ "type": "response.completed", "response": { "status": "completed" } }),
    ];
    let reply = streamed(&told);
    assert_eq!(reply.text(), "Paris");
    let calls: Vec<_> = reply
        .tool_calls()
        .map(|call| (&*call.id, &*call.arguments))
        .collect();
    assert_eq!(calls, [("call_1", "{}")]);
    assert_eq!(reply.finish, Some(FinishReason::ToolCalls));
}

#[test]
fn a_server_may_name_its_model_at_the_end() {
    let told = [
        json!({ "type": "response.created", "response": { "id": "resp_1", "status": "in_progress" } }),
        json!({ "type": "response.in_progress", "response": { "id": "resp_1", "status": "in_progress" } }),
        delta("output_text", 0, "Paris"),
        completed(&json!([])),
    ];
    let reply = streamed(&told);
    assert_eq!(
        (reply.id.as_deref(), reply.model.as_deref()),
        (Some("resp_1"), Some("m"))
    );
    let starts = events(&told).unwrap();
    let starts = starts
        .iter()
        .filter(|event| matches!(event, ChatEvent::Started { .. }));
    assert_eq!(starts.count(), 2);
}

#[test]
fn a_server_that_numbers_nothing_is_understood_by_names_or_by_order() {
    for named in [true, false] {
        let told: Vec<_> = [
            added(0, &message("msg_1", &[])),
            delta("output_text", 0, "Paris"),
            done(0, &message("msg_1", &["Paris"])),
            added(1, &call("call_1", "")),
            delta("function_call_arguments", 1, "{}"),
            done(1, &call("call_1", "{}")),
            completed(&json!([message("msg_1", &["Paris"]), call("call_1", "{}")])),
        ]
        .into_iter()
        .map(|mut event| {
            let index = event.as_object_mut().unwrap().remove("output_index");
            if let (true, Some(index), true) = (named, index, event.get("delta").is_some()) {
                event["item_id"] =
                    json!(["msg_1", "fc_call_1"][usize::try_from(index.as_u64().unwrap()).unwrap()]);
            }
            event
        })
        .collect();
        let reply = streamed(&told);
        let expected = read(&json!([message("msg_1", &["Paris"]), call("call_1", "{}")]));
        assert_eq!(reply.message.parts, expected.message.parts, "{named}");
    }
}

#[test]
fn items_that_end_out_of_order_are_told_in_order() {
    let list = |id: &str| json!({ "type": "mcp_list_tools", "id": id, "tools": [] });
    let told = [
        added(0, &list("a")),
        added(1, &list("b")),
        done(1, &list("b")),
        done(0, &list("a")),
        completed(&json!([])),
    ];
    let ids = |parts: &[Part]| -> Vec<_> { parts.iter().map(|part| part.extra()["id"].clone()).collect() };
    assert_eq!(ids(&streamed(&told).message.parts), ["a", "b"]);
    // One that never ends comes with the response.
    let told = [
        added(0, &list("a")),
        added(1, &list("b")),
        done(1, &list("b")),
        completed(&json!([list("a"), list("b")])),
    ];
    assert_eq!(ids(&streamed(&told).message.parts), ["a", "b"]);
    // And when the stream breaks off, what had come isn't lost.
    let told = [added(0, &list("a")), added(1, &list("b")), done(1, &list("b"))];
    assert_eq!(ids(&streamed(&told).message.parts), ["b"]);
}

#[test]
fn a_thought_that_ends_after_the_answer_began_is_still_one() {
    let thought = json!({ "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "proof",
        "content": [{ "type": "reasoning_text", "text": "hm" }] });
    let told = [
        added(0, &json!({ "type": "reasoning", "id": "rs_1", "summary": [] })),
        delta("reasoning_text", 0, "hm"),
        added(1, &message("msg_1", &[])),
        delta("output_text", 1, "Paris"),
        done(1, &message("msg_1", &["Paris"])),
        done(0, &thought),
        completed(&json!([])),
    ];
    let reply = streamed(&told);
    assert_eq!(reply.text(), "Paris");
    let request =
        gatepass_core::ChatRequest::new([gatepass_core::Message::user("?"), reply.message]).with_model("m");
    let input = super::encode(&request)["input"].take();
    assert_eq!(input[1], thought);
    assert_eq!(input[2], message("msg_1", &["Paris"]));
}

#[test]
fn citations_that_come_on_their_own_are_kept() {
    let citation = json!({ "type": "url_citation", "url": "https://a.example" });
    let told = [
        added(0, &message("msg_1", &[])),
        delta("output_text", 0, "Paris"),
        json!({ "type": "response.output_text.annotation.added", "output_index": 0, "content_index": 0, "annotation": citation }),
        done(0, &message("msg_1", &["Paris"])),
        completed(&json!([])),
    ];
    assert_eq!(
        streamed(&told).message.parts[0].extra()["annotations"],
        json!([citation])
    );
}

#[test]
fn an_error_ends_the_stream_after_what_had_come() {
    let failed = json!({ "type": "response.failed", "response": { "status": "failed", "error": { "code": "server_error", "message": "boom" } } });
    for event in [
        failed,
        json!({ "type": "error", "code": "server_error", "message": "boom", "param": null }),
        json!({ "type": "error", "error": { "code": "server_error", "message": "boom" } }),
        json!({ "type": "response.error", "error": { "code": "server_error", "message": "boom" } }),
        json!({ "error": { "code": "server_error", "message": "boom" } }),
    ] {
        match events(&[delta("output_text", 0, "half"), event.clone()]) {
            Err(Fault::Told(error)) => {
                assert_eq!(
                    (&error["code"], &error["message"]),
                    (&json!("server_error"), &json!("boom"))
                );
            }
            other => panic!("{event}: {other:?}"),
        }
    }
}

#[test]
fn a_server_may_tell_each_text_at_once() {
    let whole = |kind: &str, index: u64, name: &str, text: &str| json!({ "type": format!("response.{kind}.done"), "output_index": index, "content_index": 0, "summary_index": 0, name: text });
    let told = [
        added(0, &json!({ "type": "reasoning", "id": "rs" })),
        whole("reasoning_summary_text", 0, "text", "hm"),
        done(
            0,
            &json!({ "type": "reasoning", "id": "rs", "summary": [{ "type": "summary_text", "text": "hm" }] }),
        ),
        added(1, &json!({ "type": "message", "id": "m1" })),
        whole("output_text", 1, "text", "Hi"),
        whole("output_text", 1, "text", "Hi"),
        done(1, &message("m1", &["Hi"])),
        added(2, &json!({ "type": "message", "id": "m2" })),
        whole("output_text", 2, "text", ""),
        done(
            2,
            &json!({ "type": "message", "id": "m2", "content": [{ "type": "output_text", "text": "", "kept": 1 }] }),
        ),
        completed(&json!([])),
    ];
    let reply = streamed(&told);
    assert_eq!(reply.text(), "Hi");
    assert_eq!(reply.message.parts[2].extra()["kept"], 1);
    assert!(matches!(&reply.message.parts[0], Part::Reasoning(thought) if thought.text == "hm"));
    let refused = streamed(&[
        added(0, &json!({ "type": "message", "id": "m1" })),
        whole("refusal", 0, "refusal", "No."),
        completed(&json!([])),
    ]);
    assert_eq!(
        (refused.text().as_str(), refused.finish),
        ("No.", Some(FinishReason::ContentFilter))
    );
}

#[test]
fn a_server_may_have_another_word_for_the_end() {
    let done = json!({ "type": "response.done", "response": { "status": "completed", "output": [message("m1", &["Hi"])] } });
    let reply = streamed(&[delta("output_text", 0, "Hi"), done]);
    assert_eq!(
        (reply.text().as_str(), reply.finish),
        ("Hi", Some(FinishReason::Stop))
    );
}

#[test]
fn an_answer_that_was_cut_says_why() {
    let cut = json!({ "type": "response.incomplete", "response": { "status": "incomplete", "incomplete_details": { "reason": "max_output_tokens" },
        "usage": { "input_tokens": 1, "output_tokens": 2 } } });
    let reply = streamed(&[delta("output_text", 0, "half"), cut]);
    assert_eq!(
        (reply.text().as_str(), reply.finish),
        ("half", Some(FinishReason::Length))
    );
    assert_eq!(reply.usage.unwrap().output_tokens, Some(2));
    assert_eq!(
        reply.extra,
        object(json!({ "incomplete_details": { "reason": "max_output_tokens" } }))
    );
}

#[test]
fn a_refusal_is_told_and_ends_as_one() {
    let refusal = json!({ "type": "message", "id": "m", "role": "assistant", "content": [{ "type": "refusal", "refusal": "No." }] });
    let told = [
        added(0, &message("m", &[])),
        delta("refusal", 0, "No."),
        done(0, &refusal),
        completed(&json!([refusal])),
    ];
    let reply = streamed(&told);
    assert_eq!(
        (reply.text().as_str(), &reply.finish),
        ("No.", &Some(FinishReason::ContentFilter))
    );
    assert_eq!(reply.message.parts, read(&json!([refusal])).message.parts);
}
