use super::{object, read};
use crate::responses::reply::Response;
use gatepass_core::{FinishReason, Media, Part, Reasoning, ToolCall};
use serde_json::{Value, json};

#[test]
fn items_are_parts_that_know_whose_pieces_they_are() {
    let search =
        json!({ "type": "web_search_call", "id": "ws_1", "status": "completed", "action": { "query": "q" } });
    let citation = json!({ "type": "url_citation", "url": "https://a.example" });
    let reply = read(&json!([
        { "type": "reasoning", "id": "rs_1", "summary": [
            { "type": "summary_text", "text": "First." }, { "type": "summary_text", "text": "Then." },
        ], "encrypted_content": "proof" },
        search,
        { "type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "final_answer", "content": [
            { "type": "output_text", "text": "Paris", "annotations": [citation], "logprobs": [] },
            { "type": "output_text", "text": ".", "annotations": [] },
        ] },
        { "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": "{}", "status": "completed" },
        { "type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "AAAA", "output_format": "webp" },
    ]));
    let thought = |text: &str| Part::Reasoning(Reasoning::new(text)).with_extra("type", "summary_text");
    let mut then = thought("Then.").with_extra("item", json!({ "id": "rs_1" }));
    if let Part::Reasoning(thought) = &mut then {
        thought.signature = Some("proof".into());
    }
    let mut call = ToolCall::new("call_1", "weather", "{}");
    call.extra = object(json!({ "id": "fc_1", "status": "completed" }));
    let image = Part::Image(Media::base64("image/webp", "AAAA"))
        .with_extra("type", "image_generation_call")
        .with_extra("id", "ig_1")
        .with_extra("status", "completed")
        .with_extra("output_format", "webp");
    let expected = [
        thought("First.").with_extra("item", json!({ "id": "rs_1" })),
        then,
        Part::Other(object(search)),
        Part::text("Paris")
            .with_extra("annotations", json!([citation]))
            .with_extra("item", json!({ "id": "msg_1" })),
        Part::text(".").with_extra(
            "item",
            json!({ "id": "msg_1", "status": "completed", "phase": "final_answer" }),
        ),
        Part::ToolCall(call),
        image,
    ];
    assert_eq!(reply.message.parts, expected);
    assert_eq!(reply.finish, Some(FinishReason::ToolCalls));
}

#[test]
fn a_thought_without_words_keeps_its_proof() {
    let reply =
        read(&json!([{ "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "proof" }]));
    let thought = Reasoning::default().with_signature("proof");
    let expected = Part::Reasoning(thought).with_extra("item", json!({ "id": "rs_1" }));
    assert_eq!(reply.message.parts, [expected]);
}

#[test]
fn a_custom_tools_input_is_its_arguments() {
    let reply = read(
        &json!([{ "type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "sql", "input": "select 1" }]),
    );
    let call = reply.tool_calls().next().unwrap();
    assert_eq!((call.id.as_str(), call.arguments.as_str()), ("c", "select 1"));
    assert_eq!(call.extra["type"], "custom_tool_call");
}

#[test]
fn why_it_ended_is_told_in_our_words() {
    let finish = |response: Value| Response::read(object(response)).into_reply().finish;
    let text = json!([{ "type": "message", "content": [{ "type": "output_text", "text": "a" }] }]);
    let refusal = json!([{ "type": "message", "content": [{ "type": "refusal", "refusal": "No." }] }]);
    let incomplete = |reason: &str| json!({ "status": "incomplete", "incomplete_details": { "reason": reason }, "output": [] });
    let other = |word: &str| Some(FinishReason::Other(word.into()));
    for (response, expected) in [
        (
            json!({ "status": "completed", "output": text }),
            Some(FinishReason::Stop),
        ),
        (
            json!({ "status": "completed", "output": refusal }),
            Some(FinishReason::ContentFilter),
        ),
        (incomplete("max_output_tokens"), Some(FinishReason::Length)),
        (incomplete("content_filter"), Some(FinishReason::ContentFilter)),
        (incomplete("tired"), other("tired")),
        (json!({ "status": "queued", "output": [] }), other("queued")),
        (json!({ "status": "cancelled", "output": [] }), other("cancelled")),
        // Asked for in the background, and not written yet.
        (
            json!({ "status": "in_progress" }),
            Some(FinishReason::Other("in_progress".into())),
        ),
    ] {
        assert_eq!(finish(response.clone()), expected, "{response}");
    }
}

#[test]
fn a_refusal_is_text_that_stays_a_refusal() {
    let reply = read(
        &json!([{ "type": "message", "id": "m", "role": "assistant", "content": [{ "type": "refusal", "refusal": "No." }] }]),
    );
    assert_eq!(reply.text(), "No.");
    assert_eq!(reply.message.parts[0].extra()["type"], "refusal");
}

#[test]
fn usage_is_told_with_all_its_details() {
    let response = Response::read(object(
        json!({ "status": "completed", "output": [], "service_tier": "flex", "user": null, "usage": {
        "input_tokens": 10, "input_tokens_details": { "cached_tokens": 4, "cache_write_tokens": 2, "audio_tokens": 0 },
        "output_tokens": 5.0, "output_tokens_details": { "reasoning_tokens": 3, "audio_tokens": 1 }, "total_tokens": "15", "cost": 0.5,
    } }),
    ));
    let reply = response.into_reply();
    let usage = reply.usage.unwrap();
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.total_tokens),
        (Some(10), Some(5), Some(15))
    );
    assert_eq!(
        (
            usage.cached_input_tokens,
            usage.cache_write_tokens,
            usage.reasoning_tokens
        ),
        (Some(4), Some(2), Some(3))
    );
    let extra = json!({ "cost": 0.5, "output_tokens_details": { "audio_tokens": 1 } });
    assert_eq!(usage.extra, object(extra));
    assert_eq!(reply.extra, object(json!({ "service_tier": "flex" })));
}

#[test]
fn what_is_of_another_shape_is_read_as_far_as_it_can_be() {
    let reply = read(&json!([
        7, null, "words", {},
        { "type": "message", "content": "plain" },
        { "type": "message", "content": { "type": "text", "text": "alone" } },
        { "type": "message", "content": [{ "type": "output_text", "text": { "a": 1 } }, 5, { "type": "new", "x": 1 }] },
        { "type": "function_call", "name": "f", "arguments": { "city": "Rome" } },
        { "type": "reasoning", "summary": "no list", "content": null },
    ]));
    assert_eq!(reply.text(), "plainalone{\"a\":1}5");
    assert_eq!(
        reply.tool_calls().next().unwrap().arguments,
        "{\"city\":\"Rome\"}"
    );
}
