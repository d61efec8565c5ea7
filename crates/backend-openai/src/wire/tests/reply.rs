use super::whole_answer;
use crate::models::models;
use gatepass_core::{ChatReply, FinishReason, JsonObject, Part, Reasoning, ToolCall};
use serde_json::{Value, json};

fn read(answer: &Value) -> Option<ChatReply> {
    let text = answer.to_string();
    whole_answer(text.as_bytes()).unwrap().take_reply()
}

/// The reply whose message is this.
fn message(message: &Value) -> ChatReply {
    read(&json!({ "choices": [{ "message": message }] })).unwrap()
}

fn object(value: Value) -> JsonObject {
    serde_json::from_value(value).unwrap()
}

#[test]
fn a_whole_answer_is_read_to_its_last_member() {
    let reply = read(&json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "m-2",
        "service_tier": "default", "system_fingerprint": "fp", "empty": null, "none": [], "nothing": {},
        "choices": [{
            "index": 0, "finish_reason": "stop", "logprobs": null, "native_finish_reason": "STOP",
            "message": {
                "role": "assistant", "content": "Paris", "refusal": null, "annotations": [], "audio": null,
                "reasoning_details": [{ "signature": "s" }],
            },
        }],
        "usage": {
            "prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, "cost": 0.25,
            "prompt_tokens_details": { "cached_tokens": 4, "audio_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": 2, "audio_tokens": 1 },
        },
    }))
    .unwrap();
    assert_eq!(reply.message.parts, [Part::text("Paris")]);
    assert_eq!(
        reply.message.extra,
        object(json!({ "reasoning_details": [{ "signature": "s" }] }))
    );
    assert_eq!(reply.finish, Some(FinishReason::Stop));
    assert_eq!(
        (reply.id.as_deref(), reply.model.as_deref()),
        (Some("chatcmpl-1"), Some("m-2"))
    );
    let usage = reply.usage.unwrap();
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.total_tokens),
        (Some(9), Some(5), Some(14))
    );
    assert_eq!(
        (usage.cached_input_tokens, usage.reasoning_tokens),
        (Some(4), Some(2))
    );
    assert_eq!(
        reply.extra,
        object(json!({
            "created": 1_700_000_000, "service_tier": "default", "system_fingerprint": "fp", "native_finish_reason": "STOP",
        }))
    );
    assert_eq!(
        usage.extra,
        object(json!({ "cost": 0.25, "completion_tokens_details": { "audio_tokens": 1 } }))
    );
}

#[test]
fn content_comes_in_many_forms() {
    let parts = |content: Value| message(&json!({ "content": content })).message.parts;
    assert_eq!(parts(json!(null)), []);
    assert_eq!(parts(json!("")), []);
    assert_eq!(parts(json!("a\n\"b\" ü 🦀")), [Part::text("a\n\"b\" ü 🦀")]);
    assert_eq!(message(&json!({})).message.parts, []);
    let pieces = json!([
        { "type": "thinking", "thinking": [{ "type": "text", "text": "h" }, { "type": "text", "text": "m" }] },
        { "type": "text", "text": "Paris" },
        { "type": "reference", "reference_ids": [1] },
        { "type": "text", "text": "" },
    ]);
    assert_eq!(
        parts(pieces),
        [
            Part::Reasoning(Reasoning::new("hm")).with_extra("type", "thinking"),
            Part::text("Paris"),
            Part::Other(object(json!({ "type": "reference", "reference_ids": [1] }))),
        ]
    );
    assert_eq!(
        parts(json!({ "type": "text", "text": "alone" })),
        [Part::text("alone")]
    );
}

#[test]
fn thoughts_come_first_and_once() {
    for (said, field) in [
        (
            json!({ "content": "Paris", "reasoning_content": "hm" }),
            "reasoning_content",
        ),
        (
            json!({ "content": "Paris", "reasoning": "hm", "reasoning_content": null }),
            "reasoning",
        ),
        (
            json!({ "content": "Paris", "reasoning": "hm", "reasoning_content": "hm" }),
            "reasoning_content",
        ),
    ] {
        let reply = message(&said);
        let thought = Part::Reasoning(Reasoning::new("hm")).with_extra("field", field);
        assert_eq!(reply.message.parts, [thought, Part::text("Paris")], "{said}");
        assert!(reply.message.extra.is_empty());
    }
}

#[test]
fn a_refusal_is_text_and_ends_as_content_that_was_withheld() {
    let choice = |reason| json!({ "choices": [{ "finish_reason": reason, "message": { "content": null, "refusal": "No." } }] });
    let reply = read(&choice("stop")).unwrap();
    assert_eq!(reply.text(), "No.");
    assert_eq!(reply.finish, Some(FinishReason::ContentFilter));
    assert_eq!(
        read(&choice("length")).unwrap().finish,
        Some(FinishReason::Length)
    );
}

#[test]
fn tool_calls_are_read_from_exact_and_from_careless_servers() {
    let reply = message(&json!({ "content": null, "tool_calls": [
        { "id": "a", "type": "function", "index": 0, "function": { "name": "weather", "arguments": "{\"city\":\"Paris\"}" } },
        { "id": "", "function": { "name": "weather", "arguments": { "city": "Rome" } } },
        { "function": { "name": "time", "arguments": null }, "extra_content": { "google": { "thought_signature": "proof" } } },
        { "id": "d", "type": "custom", "custom": { "name": "sql", "input": "select 1" }, "function": { "name": "", "arguments": "" } },
        { "id": "placeholder", "function": { "name": "", "arguments": "" } },
    ] }));
    let mut time = ToolCall::new("call_2", "time", "");
    time.signature = Some("proof".into());
    let mut sql = ToolCall::new("d", "sql", "select 1");
    sql.extra.insert("type".into(), "custom".into());
    let expected = [
        ToolCall::new("a", "weather", r#"{"city":"Paris"}"#),
        ToolCall::new("call_1", "weather", r#"{"city":"Rome"}"#),
        time,
        sql,
    ];
    assert_eq!(reply.tool_calls().cloned().collect::<Vec<_>>(), expected);
}

#[test]
fn a_call_of_the_time_before_tools_is_a_call() {
    let reply =
        message(&json!({ "content": null, "function_call": { "name": "weather", "arguments": "{}" } }));
    let calls: Vec<_> = reply.tool_calls().cloned().collect();
    assert_eq!(calls, [ToolCall::new("call_0", "weather", "{}")]);
    let empty = message(
        &json!({ "content": "4", "function_call": { "name": "", "arguments": "" }, "tool_calls": null }),
    );
    assert_eq!(empty.tool_calls().count(), 0);
}

#[test]
fn the_first_choice_counts_wherever_it_stands() {
    let choice = |index, text| json!({ "index": index, "message": { "content": text } });
    let reply = read(&json!({ "choices": [choice(1, "second"), choice(0, "first")] })).unwrap();
    assert_eq!(reply.text(), "first");
    let reply =
        read(&json!({ "choices": [{ "message": { "content": "unnumbered" } }, choice(1, "second")] }))
            .unwrap();
    assert_eq!(reply.text(), "unnumbered");
}

#[test]
fn an_end_has_our_word_or_the_providers() {
    let finish = |word: Value| {
        read(&json!({ "choices": [{ "finish_reason": word, "message": {} }] }))
            .unwrap()
            .finish
    };
    for (word, expected) in [
        ("stop", FinishReason::Stop),
        ("length", FinishReason::Length),
        ("tool_calls", FinishReason::ToolCalls),
        ("function_call", FinishReason::ToolCalls),
        ("content_filter", FinishReason::ContentFilter),
        ("network_error", FinishReason::Other("network_error".into())),
    ] {
        assert_eq!(finish(json!(word)), Some(expected));
    }
    assert_eq!(finish(json!(null)), None);
    assert_eq!(finish(json!("")), None);
}

#[test]
fn members_of_the_wrong_kind_cost_themselves_and_no_more() {
    let reply = read(&json!({
        "id": 7, "model": null, "object": 3,
        "choices": [{ "index": "0", "message": { "role": null, "content": "4", "tool_calls": null, "refusal": "" } }],
        "usage": { "prompt_tokens": 3.0, "completion_tokens": "5", "total_tokens": -1, "prompt_tokens_details": null },
    }))
    .unwrap();
    assert_eq!(
        (reply.id.as_deref(), reply.model.as_deref(), reply.text().as_str()),
        (Some("7"), None, "4")
    );
    let usage = reply.usage.unwrap();
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.total_tokens),
        (Some(3), Some(5), None)
    );
}

#[test]
fn an_answer_without_a_message_is_none() {
    for answer in [
        json!({}),
        json!({ "choices": null }),
        json!({ "choices": [] }),
        json!({ "choices": [{ "finish_reason": "stop" }] }),
        json!({ "detail": "Not Found" }),
    ] {
        assert!(read(&answer).is_none(), "{answer}");
    }
}

#[test]
fn a_list_of_models_may_be_bare() {
    let model = json!({ "id": "m", "object": "model", "owned_by": "us" });
    for body in [json!({ "object": "list", "data": [model] }), json!([model])] {
        let models = models(body.to_string().as_bytes()).unwrap().unwrap();
        assert_eq!(models.len(), 1);
        assert_eq!(models[0].id, "m");
        assert_eq!(models[0].extra, object(json!({ "owned_by": "us" })));
    }
    assert!(models(b"{}").unwrap().is_none());
    assert!(models(b"{").is_err());
}

#[test]
fn an_object_of_the_wrong_kind_costs_itself_and_no_more() {
    for odd in [
        json!([]),
        json!([{ "a": 1 }]),
        json!("n/a"),
        json!(7),
        json!(-1),
        json!(0.5),
        json!(true),
    ] {
        let reply = read(&json!({
            "id": "c", "usage": odd, "choices": [{ "message": { "content": "4", "tool_calls": {}, "function_call": odd } }],
        }))
        .unwrap();
        assert_eq!((reply.text().as_str(), reply.usage), ("4", None), "{odd}");
        let reply = message(&json!({ "content": "4", "tool_calls": [
            odd, { "id": "a", "function": { "name": "time", "arguments": "{}" }, "custom": odd }, { "id": "b", "function": odd },
        ] }));
        let calls: Vec<_> = reply.tool_calls().cloned().collect();
        assert_eq!(calls, [ToolCall::new("a", "time", "{}")], "{odd}");
        let reply = read(&json!({
            "choices": [{ "message": { "content": "4" } }],
            "usage": { "prompt_tokens": 3, "prompt_tokens_details": odd, "completion_tokens_details": odd },
        }));
        assert_eq!(reply.unwrap().usage.unwrap().input_tokens, Some(3), "{odd}");
    }
}

#[test]
fn an_answer_that_is_no_object_is_none() {
    for answer in [
        "[]",
        "[{}]",
        "\"text\"",
        "7",
        "true",
        r#"{"choices":7}"#,
        r#"{"choices":{"0":{}}}"#,
    ] {
        assert!(whole_answer(answer.as_bytes()).is_err(), "{answer}");
    }
    assert!(whole_answer(b"{\"choices\":{}}").unwrap().take_reply().is_none());
}
