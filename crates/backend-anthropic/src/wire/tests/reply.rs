use crate::wire::reply::{Unfit, read};
use gatepass_core::{ChatReply, FinishReason, Part, Reasoning};
use serde_json::{Value, json};

fn reply(body: &Value) -> ChatReply {
    read(body.to_string().as_bytes()).unwrap()
}

fn with(content: &Value) -> Vec<Part> {
    reply(&json!({ "type": "message", "content": content }))
        .message
        .parts
}

#[test]
fn an_answer_is_read_with_all_that_stands_around_it() {
    let reply = reply(&json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-test",
        "content": [{ "type": "text", "text": "Paris", "citations": null }],
        "stop_reason": "end_turn", "stop_sequence": null, "stop_details": null,
        "container": { "id": "c" }, "brand_new": [1],
        "usage": {
            "input_tokens": 3, "cache_read_input_tokens": 1111, "cache_creation_input_tokens": 418,
            "cache_creation": { "ephemeral_5m_input_tokens": 418, "ephemeral_1h_input_tokens": 0 },
            "output_tokens": 33, "output_tokens_details": { "thinking_tokens": 20 }, "service_tier": "standard",
        },
    }));
    assert_eq!(reply.message.parts, [Part::text("Paris")]);
    assert_eq!(reply.message.wire.as_deref(), Some("anthropic-messages"));
    assert_eq!(
        (reply.id.as_deref(), reply.model.as_deref()),
        (Some("msg_1"), Some("claude-test"))
    );
    assert_eq!(reply.finish, Some(FinishReason::Stop));
    let usage = reply.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (Some(1532), Some(33)));
    assert_eq!(
        (usage.cached_input_tokens, usage.cache_write_tokens),
        (Some(1111), Some(418))
    );
    assert_eq!((usage.reasoning_tokens, usage.total_tokens), (Some(20), None));
    let expected = json!({
        "input_tokens": 3, "service_tier": "standard",
        "cache_creation": { "ephemeral_5m_input_tokens": 418, "ephemeral_1h_input_tokens": 0 },
    });
    assert_eq!(Value::Object(usage.extra), expected);
    let expected = json!({ "container": { "id": "c" }, "brand_new": [1] });
    assert_eq!(Value::Object(reply.extra), expected);
}

#[test]
fn content_that_is_one_text_is_that_text() {
    assert_eq!(with(&json!("Paris")), [Part::text("Paris")]);
    assert_eq!(with(&json!("")), []);
    assert_eq!(with(&json!(null)), []);
    assert_eq!(with(&json!({ "type": "text", "text": "no list" })), []);
}

#[test]
fn every_word_for_the_end_is_understood_or_kept() {
    for (word, expected, kept) in [
        ("end_turn", Some(FinishReason::Stop), None),
        ("stop_sequence", Some(FinishReason::Stop), Some("stop_sequence")),
        ("max_tokens", Some(FinishReason::Length), None),
        (
            "model_context_window_exceeded",
            Some(FinishReason::Length),
            Some("model_context_window_exceeded"),
        ),
        ("tool_use", Some(FinishReason::ToolCalls), None),
        ("refusal", Some(FinishReason::ContentFilter), None),
        ("pause_turn", Some(FinishReason::Other("pause_turn".into())), None),
        ("", None, None),
    ] {
        let reply = reply(&json!({ "type": "message", "content": [], "stop_reason": word }));
        assert_eq!(reply.finish, expected);
        assert_eq!(reply.extra.get("stop_reason").and_then(Value::as_str), kept);
    }
}

#[test]
fn parts_are_read_by_their_kinds_and_unknown_ones_stay_as_they_came() {
    let odd = json!({ "type": "hologram", "light": null });
    let parts = with(&json!([
        { "type": "thinking", "thinking": "hm", "signature": "proof==" },
        { "type": "thinking", "thinking": "", "signature": "hidden==" },
        { "type": "text", "text": "" },
        { "type": "text", "text": "a", "citations": [{ "n": 1 }] },
        { "type": "tool_use", "id": "t", "name": "time", "input": { "b": 1, "a": [2] }, "caller": { "type": "direct" } },
        { "type": "tool_use", "name": "bare" },
        odd,
        null,
        7,
        {},
    ]));
    let [
        thought,
        hidden,
        text,
        Part::ToolCall(call),
        Part::ToolCall(bare),
        other,
    ] = &parts[..]
    else {
        panic!("{parts:?}")
    };
    assert_eq!(
        *thought,
        Part::Reasoning(Reasoning::new("hm").with_signature("proof=="))
    );
    assert_eq!(
        *hidden,
        Part::Reasoning(Reasoning::default().with_signature("hidden=="))
    );
    assert_eq!(
        *text,
        Part::text("a").with_extra("citations", json!([{ "n": 1 }]))
    );
    assert_eq!((call.id.as_str(), call.name.as_str()), ("t", "time"));
    assert_eq!(call.parse::<Value>().unwrap(), json!({ "a": [2], "b": 1 }));
    assert_eq!(call.extra["caller"]["type"], "direct");
    assert_eq!((bare.id.as_str(), bare.arguments.as_str()), ("call_1", "{}"));
    assert_eq!(*other, Part::Other(odd.as_object().unwrap().clone()));
}

#[test]
fn what_is_no_answer_is_told_apart() {
    let unfit = |body: &str| read(body.as_bytes()).unwrap_err();
    assert!(matches!(unfit("pong"), Unfit::Unreadable(_)));
    assert!(matches!(unfit("[]"), Unfit::Unreadable(_)));
    for body in [
        json!({}),
        json!({ "content": "canary" }),
        json!({ "object": "chat.completion", "choices": [{ "message": { "content": "Hi" } }] }),
    ] {
        assert!(matches!(
            unfit(&body.to_string()),
            Unfit::Other("it has no message")
        ));
    }
    let error = json!({ "type": "error", "error": { "type": "overloaded_error" } });
    assert!(matches!(unfit(&error.to_string()), Unfit::Told(error) if error["type"] == "overloaded_error"));
}
