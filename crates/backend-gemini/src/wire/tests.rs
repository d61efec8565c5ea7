//! Streams of calls in pieces, and answers that nobody meant.

use super::{Answer, Decoder};
use fastrand::Rng;
use gatepass_core::{ChatEvent, ChatReply, FinishReason, Message, ToolCall};
use gatepass_wire::StreamDecoder;
use serde_json::{Value, json};

fn chunk(part: &Value, finish: &Value) -> String {
    let candidate = json!({ "content": { "parts": [part] }, "finishReason": finish });
    json!({ "candidates": [candidate], "responseId": "R" }).to_string()
}

fn collect(chunks: &[String]) -> ChatReply {
    let mut decoder = Decoder::default();
    for chunk in chunks {
        decoder.read("", chunk).unwrap();
    }
    decoder.end();
    let mut reply = ChatReply::default();
    decoder.events().drain(..).for_each(|event| reply.add(event));
    reply
}

#[test]
fn a_call_whose_arguments_come_in_pieces_is_told_whole() {
    let pieces =
        |path: &str, text: &str| json!([{ "jsonPath": path, "stringValue": text, "willContinue": true }]);
    let more = json!({ "functionCall": { "partialArgs": pieces("$.city", "Del"), "willContinue": true } });
    let parts = [
        json!({ "functionCall": { "name": "weather", "id": "c", "willContinue": true }, "thoughtSignature": "s" }),
        more.clone(),
        json!({ "functionCall": { "partialArgs": pieces("$.city", "hi"), "willContinue": true } }),
        json!({ "functionCall": {} }),
        json!({ "functionCall": { "name": "news", "willContinue": true } }),
        more,
    ];
    let mut chunks: Vec<_> = parts.iter().map(|part| chunk(part, &Value::Null)).collect();
    chunks.push(chunk(&json!({ "text": "" }), &json!("STOP")));
    let reply = collect(&chunks);
    let mut weather = ToolCall::new("c", "weather", r#"{"city":"Delhi"}"#);
    weather.signature = Some("s".into());
    let news = ToolCall::new("unnamed-R-1", "news", r#"{"city":"Del"}"#);
    assert_eq!(reply.tool_calls().collect::<Vec<_>>(), [&weather, &news]);
    assert_eq!(reply.finish, Some(FinishReason::ToolCalls));
}

#[test]
fn a_call_that_breaks_off_stays_untold() {
    let begun = json!({ "functionCall": { "name": "weather", "willContinue": true } });
    let mut decoder = Decoder::default();
    decoder.read("", &chunk(&begun, &Value::Null)).unwrap();
    decoder.break_off();
    assert!(
        !decoder
            .events()
            .iter()
            .any(|event| matches!(event, ChatEvent::ToolCall(_)))
    );
}

#[test]
fn numbers_of_a_call_stay_as_the_model_wrote_them() {
    let body = br#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"z":1e400,"a":12345678901234567890123}}}]}}]}"#;
    let reply = Answer::read(body).unwrap().into_reply().unwrap();
    let call = reply.tool_calls().next().unwrap();
    assert_eq!(call.arguments, r#"{"z":1e400,"a":12345678901234567890123}"#);
}

/// 100,000 answers with a few bytes changed, whole and as chunks: each is read or refused, and what is read can be
/// saved.
#[test]
fn no_answer_makes_the_reader_panic() {
    let parts = json!([
        { "text": "Hi \u{1f980}", "thought": true, "thoughtSignature": "cw==" },
        { "functionCall": { "name": "f", "id": "1", "args": { "a": [1, null] }, "willContinue": true } },
        { "functionCall": { "partialArgs": [{ "jsonPath": "$.a[0].b", "stringValue": "x" }] } },
        { "inlineData": { "mimeType": "image/png", "data": "aGk=" } },
        { "executableCode": { "code": "1" } },
    ]);
    let seeds = [
        json!({
            "candidates": [{ "content": { "parts": parts }, "index": 0, "finishReason": "STOP" }],
            "usageMetadata": { "promptTokenCount": 1, "thoughtsTokenCount": 2, "details": [{}] },
            "responseId": "R",
        }),
        json!({ "promptFeedback": { "blockReason": "SAFETY", "safetyRatings": [{ "category": "C", "blocked": true }] } }),
        json!({ "error": { "code": 429, "message": "No.", "details": [{ "retryDelay": "1.5s" }] } }),
    ];
    let seeds = seeds.map(|seed| seed.to_string().into_bytes());
    let mut random = Rng::with_seed(4711);
    let (mut read, mut refused) = (0, 0);
    for round in 0..100_000 {
        let mut body = seeds[round % seeds.len()].clone();
        for _ in 0..random.usize(1..5) {
            mutate(&mut body, &mut random);
        }
        match Answer::read(&body) {
            Ok(mut answer) => {
                read += 1;
                _ = answer.take_error();
                let reply = answer.into_reply();
                let saved = reply.map(|reply| serde_json::to_string(&reply.message).unwrap());
                assert!(saved.is_none_or(|saved| serde_json::from_str::<Message>(&saved).is_ok()));
            }
            Err(_) => refused += 1,
        }
        if let Ok(text) = std::str::from_utf8(&body) {
            let mut decoder = Decoder::default();
            _ = decoder.read("", text);
            _ = decoder.read("", text);
            decoder.end();
        }
    }
    assert!(read > 1000 && refused > 1000, "{read} read, {refused} refused");
}

fn mutate(body: &mut Vec<u8>, random: &mut Rng) {
    const PIECES: [&[u8]; 8] = [b"{", b"]", b"\"", b"null", b",", b"-1e9", b"\\ud800", b"\xff"];
    if body.is_empty() {
        return;
    }
    let at = random.usize(0..body.len());
    match random.u8(0..4) {
        0 => body[at] = random.u8(..),
        1 => _ = body.remove(at),
        2 => body.truncate(at.max(1)),
        _ => _ = body.splice(at..at, random.choice(PIECES).unwrap().iter().copied()),
    }
}
