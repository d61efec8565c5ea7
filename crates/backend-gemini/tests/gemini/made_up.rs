//! Exchanges that Google's documentation tells of, and nobody here has recorded.

#![expect(
    clippy::needless_pass_by_value,
    reason = "values that are written where they are passed"
)]

use gatepass_testkit::Value;
use gatepass_testkit::recordings::Recording;
use serde_json::json;

pub(crate) fn exchanges() -> Vec<Recording> {
    let mut exchanges = whole();
    exchanges.extend(streamed());
    exchanges
}

fn said(text: &str, finish: &str) -> Value {
    json!({ "text": text, "tool_calls": [], "finish": finish, "usage": { "input": 9, "total": 13 } })
}

fn called(name: &str, args: Value, finish: &str) -> Value {
    let calls = json!([{ "name": name, "args": args }]);
    json!({ "text": "", "tool_calls": calls, "finish": finish, "usage": { "input": 9, "total": 13 } })
}

fn usage() -> Value {
    json!({ "promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13 })
}

fn answer(candidate: Value) -> Value {
    json!({
        "candidates": [candidate], "usageMetadata": usage(), "modelVersion": "gemini-1", "responseId": "r-1",
    })
}

fn parts(parts: Value, finish: &str) -> Value {
    answer(json!({ "content": { "role": "model", "parts": parts }, "finishReason": finish, "index": 0 }))
}

fn whole() -> Vec<Recording> {
    let rating = json!([{ "category": "HARM_CATEGORY_HARASSMENT", "probability": "HIGH", "blocked": true, "probabilityScore": 0.5, "severityScore": 0.25 }]);
    let unsafe_answer = answer(json!({ "finishReason": "SAFETY", "index": 0, "safetyRatings": rating }));
    let malformed = answer(
        json!({ "content": {}, "finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "Malformed function call: print(", "index": 0 }),
    );
    let blocked = json!({
        "promptFeedback": { "blockReason": "PROHIBITED_CONTENT", "safetyRatings": rating }, "usageMetadata": usage(),
        "modelVersion": "gemini-1",
    });
    let mut watched = parts(json!([{ "text": "Hi" }]), "STOP");
    watched["promptFeedback"] = json!({ "safetyRatings": [{ "category": "HARM_CATEGORY_HATE_SPEECH", "probability": "NEGLIGIBLE" }] });
    let mut grounded = parts(json!([{ "text": "Hi" }]), "STOP");
    grounded["candidates"][0]["groundingMetadata"] = json!({
        "groundingChunks": [{ "maps": { "uri": "https://maps.example", "title": "M", "placeId": "places/1" } }],
        "googleMapsWidgetContextToken": "widget", "retrievalMetadata": { "googleSearchDynamicRetrievalScore": 0.5 },
    });
    grounded["candidates"][0]["urlContextMetadata"] = json!({ "urlMetadata": [{ "retrievedUrl": "https://a.example", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS" }] });
    grounded["candidates"][0]["citationMetadata"] = json!({ "citationSources": [{ "startIndex": 1, "endIndex": 2, "uri": "https://b.example", "license": "mit" }] });
    let drawn = json!([{ "text": "Look:" }, { "inlineData": { "mimeType": "image/png", "data": "AAAA" }, "thoughtSignature": "c2ln" }]);
    let spoken = json!([{ "inlineData": { "mimeType": "audio/L16;codec=pcm;rate=24000", "data": "AAAA" } }]);
    let run = json!([
        { "executableCode": { "language": "PYTHON", "code": "1/0" } },
        { "codeExecutionResult": { "outcome": "OUTCOME_FAILED", "output": "ZeroDivisionError" } },
        { "text": "Hi" },
    ]);
    let calls = json!([
        { "functionCall": { "name": "time" }, "thoughtSignature": "c2ln" },
    ]);
    let thought = json!([{ "text": "hm", "thought": true }, { "text": "Hi", "thoughtSignature": "c2ln" }]);
    let something = json!([{ "somethingNew": { "deep": [{ "er": 1.5 }] } }, { "text": "Hi", "partMetadata": { "k": "v" } }]);
    let mut counted = parts(json!([{ "text": "Hi" }]), "STOP");
    counted["usageMetadata"] = json!({
        "promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13, "thoughtsTokenCount": 5, "trafficType": "PROVISIONED_THROUGHPUT",
        "candidatesTokensDetails": [{ "modality": "IMAGE", "tokenCount": 1290 }], "toolUsePromptTokenCount": 77,
    });
    [
        ("an answer that isn't safe", unsafe_answer, said("", "SAFETY")),
        (
            "a call that came out wrong",
            malformed,
            said("", "MALFORMED_FUNCTION_CALL"),
        ),
        ("a prompt that was blocked", blocked, said("", "")),
        ("a prompt that was looked at", watched, said("Hi", "STOP")),
        ("where it was found", grounded, said("Hi", "STOP")),
        (
            "an image that was drawn",
            parts(drawn, "STOP"),
            said("Look:", "STOP"),
        ),
        (
            "an answer that is spoken",
            parts(spoken, "STOP"),
            said("", "STOP"),
        ),
        ("a program that failed", parts(run, "STOP"), said("Hi", "STOP")),
        (
            "a call without arguments",
            parts(calls, "STOP"),
            called("time", json!({}), "STOP"),
        ),
        ("a thought", parts(thought, "STOP"), said("Hi", "STOP")),
        (
            "a part of a new kind",
            parts(something, "STOP"),
            said("Hi", "STOP"),
        ),
        (
            "an answer at its limit",
            parts(json!([{ "text": "Hi" }]), "MAX_TOKENS"),
            said("Hi", "MAX_TOKENS"),
        ),
        (
            "an end in a word of its own",
            parts(json!([{ "text": "Hi" }]), "UNHEARD_OF"),
            said("Hi", "UNHEARD_OF"),
        ),
        ("tokens of all kinds", counted, said("Hi", "STOP")),
        (
            "no image",
            answer(json!({ "content": {}, "finishReason": "NO_IMAGE", "index": 0 })),
            said("", "NO_IMAGE"),
        ),
    ]
    .map(|(id, body, expect)| asked("generateContent", Recording::made_up(id, &body, expect)))
    .into()
}

fn asked(method: &str, recording: Recording) -> Recording {
    recording.with_url(format!(
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro:{method}"
    ))
}

fn chunk(parts: Value) -> Value {
    json!({
        "candidates": [{ "content": { "role": "model", "parts": parts }, "index": 0 }],
        "usageMetadata": { "promptTokenCount": 9, "totalTokenCount": 9 }, "modelVersion": "gemini-1", "responseId": "r-1",
    })
}

fn end(finish: &str) -> Value {
    answer(json!({ "finishReason": finish, "index": 0 }))
}

fn streamed() -> Vec<Recording> {
    let late = json!({ "usageMetadata": usage(), "modelVersion": "gemini-1", "responseId": "r-1" });
    let mut early = end("STOP");
    early["usageMetadata"] = json!({ "promptTokenCount": 9, "totalTokenCount": 9 });
    let text = |text: &str| chunk(json!([{ "text": text }]));
    let thought = chunk(json!([{ "text": "hm", "thought": true }]));
    let proof = chunk(json!([{ "text": "", "thoughtSignature": "c2ln" }]));
    let call = chunk(
        json!([{ "functionCall": { "name": "time", "args": { "at": "noon" } }, "thoughtSignature": "c2ln" }]),
    );
    let drawn = chunk(json!([{ "inlineData": { "mimeType": "image/png", "data": "AAAA" } }]));
    let proven = chunk(
        json!([{ "inlineData": { "mimeType": "image/jpeg", "data": "AA==" }, "thoughtSignature": "c2ln" }]),
    );
    [
        (
            "an end without content",
            vec![text("Hi"), text(" you"), end("STOP")],
            said("Hi you", "STOP"),
        ),
        (
            "what it cost, after the end",
            vec![text("Hi"), early, late],
            said("Hi", "STOP"),
        ),
        (
            "an answer that turned unsafe",
            vec![text("Hi"), end("PROHIBITED_CONTENT")],
            said("Hi", "PROHIBITED_CONTENT"),
        ),
        (
            "a thought, and its proof at the end",
            vec![thought, text("Hi"), proof, end("STOP")],
            said("Hi", "STOP"),
        ),
        (
            "a call among words",
            vec![call, end("STOP")],
            called("time", json!({ "at": "noon" }), "STOP"),
        ),
        (
            "an image with its proof, and an empty text at the end",
            vec![proven, text(""), end("STOP")],
            said("", "STOP"),
        ),
        (
            "an image among words",
            vec![text("Look:"), drawn, end("STOP")],
            said("Look:", "STOP"),
        ),
    ]
    .map(|(id, events, expect)| {
        asked(
            "streamGenerateContent?alt=sse",
            Recording::made_up_stream(id, &events, expect),
        )
    })
    .into()
}
