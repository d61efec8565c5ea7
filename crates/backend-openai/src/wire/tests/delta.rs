use super::stream::{collected, delta, events, finish};
use gatepass_core::{ChatEvent, FinishReason};
use gatepass_wire::{Fault, StreamDecoder};
use serde_json::{Value, json};

/// What a stream of these deltas leaves in the message's `extra`.
fn kept(deltas: &[Value]) -> Value {
    let mut chunks: Vec<_> = deltas.iter().map(delta).collect();
    chunks.push(finish("stop"));
    collected(&chunks).message.extra.into()
}

fn details(items: &[Value]) -> Value {
    let deltas: Vec<_> = items
        .iter()
        .map(|item| json!({ "reasoning_details": [item] }))
        .collect();
    kept(&deltas)["reasoning_details"].take()
}

#[test]
fn a_thought_in_pieces_becomes_the_thought_that_a_whole_answer_tells() {
    let piece = |text: &str| json!({ "type": "reasoning.text", "text": text, "index": 0, "format": "anthropic-claude-v1", "signature": null });
    let signed =
        json!({ "type": "reasoning.text", "signature": "c2ln", "index": 0, "format": "anthropic-claude-v1" });
    let whole = json!({
        "type": "reasoning.text", "text": "Let me see.", "index": 0, "format": "anthropic-claude-v1",
        "signature": "c2ln",
    });
    assert_eq!(
        details(&[piece("Let"), piece(" me"), piece(" see."), signed.clone()]),
        json!([whole])
    );
    // What follows a signature is another thought, though the stream numbers both alike.
    let told = details(&[
        piece("Let"),
        piece(" me see."),
        signed.clone(),
        piece("Then"),
        signed,
    ]);
    assert_eq!(told[0], whole);
    assert_eq!(
        (&told[1]["text"], &told[1]["signature"]),
        (&json!("Then"), &json!("c2ln"))
    );
    assert_eq!(told.as_array().unwrap().len(), 2);
}

#[test]
fn thoughts_of_other_kinds_numbers_and_names_stay_apart() {
    let summary =
        |text: &str| json!({ "type": "reasoning.summary", "summary": text, "index": 0, "id": "rs_1" });
    let proof = json!({ "type": "reasoning.encrypted", "data": "Z0FB", "index": 0, "id": "rs_1" });
    let told = details(&[
        summary("**Look"),
        summary("ing**"),
        proof.clone(),
        proof.clone(),
        summary("More"),
    ]);
    assert_eq!(
        told,
        json!([summary("**Looking**"), proof, proof, summary("More")])
    );
    let numbered =
        |index: u64, id: Value| json!({ "type": "reasoning.text", "text": "a", "index": index, "id": id });
    let apart = [
        numbered(0, json!("x")),
        numbered(1, json!("x")),
        numbered(1, json!("y")),
    ];
    assert_eq!(details(&apart), json!(apart));
    let odd = [
        json!("a"),
        json!("b"),
        json!({ "type": 7 }),
        json!({ "type": "reasoning.text", "text": 7 }),
    ];
    assert_eq!(details(&odd), json!(odd));
}

#[test]
fn sound_goes_on_and_its_name_is_told_once() {
    let audio = |audio: Value| json!({ "audio": audio });
    let told = kept(&[
        audio(json!({ "id": "audio_1", "transcript": "Hel" })),
        audio(json!({ "id": "audio_1", "transcript": "lo", "data": "AAAA" })),
        audio(json!({ "data": "AAAA" })),
        audio(json!({ "data": "AQ==" })),
        // Encoded on its own.
        audio(json!({ "data": "Ag==" })),
        audio(json!({ "data": "AwQ=", "expires_at": 7 })),
    ]);
    let expected =
        json!({ "id": "audio_1", "transcript": "Hello", "data": "AAAAAAAAAQIDBA==", "expires_at": 7 });
    assert_eq!(told["audio"], expected);
}

#[test]
fn one_answer_of_several_may_tell_what_it_cost() {
    let end = json!({ "choices": [{
        "index": 0, "delta": {}, "finish_reason": "stop",
        "usage": { "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5 },
    }] });
    let told = collected(&[delta(&json!({ "content": "Hi" })), end]);
    assert_eq!(told.usage.unwrap().total_tokens, Some(5));
    assert!(!told.extra.contains_key("usage"));
}

#[test]
fn groq_tells_what_it_cost_to_those_who_did_not_ask_in_a_place_of_its_own() {
    let mut end = finish("stop");
    end["x_groq"] =
        json!({ "id": "req", "usage": { "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5 } });
    let told = collected(&[delta(&json!({ "content": "Hi" })), end]);
    assert_eq!(told.usage.unwrap().total_tokens, Some(5));
    assert_eq!(told.extra["x_groq"]["id"], "req");
}

#[test]
fn what_one_event_alone_tells_beside_its_choices_is_kept() {
    let with = |name: &str, value: u8| {
        let mut event = delta(&json!({ "content": "Hi" }));
        event[name] = json!(value);
        event
    };
    // Names of one length that begin alike, and the same one after the other again.
    let events = [
        with("citations", 1),
        with("creations", 2),
        with("citations", 3),
        finish("stop"),
    ];
    let told = collected(&events);
    assert_eq!(
        (&told.extra["citations"], &told.extra["creations"]),
        (&json!(3), &json!(2))
    );
}

#[test]
fn an_error_of_one_answer_ends_the_stream_after_what_had_come() {
    let mut decoder = crate::wire::Decoder::default();
    let chunk = json!({ "choices": [{
        "index": 0, "delta": { "content": "half" }, "finish_reason": "error",
        "error": { "code": 502, "message": "The provider left.", "metadata": { "provider_name": "P" } },
    }] });
    let fault = decoder.read("", &chunk.to_string()).unwrap_err();
    assert!(matches!(fault, Fault::Told(error) if error["code"] == 502));
    assert!(decoder.events().contains(&ChatEvent::Text("half".into())));
}

#[test]
fn an_end_may_have_the_word_of_the_servers_engine() {
    for (word, expected) in [
        ("model_length", FinishReason::Length),
        ("max_tokens", FinishReason::Length),
        ("eos_token", FinishReason::Stop),
        ("end_turn", FinishReason::Stop),
        ("sensitive", FinishReason::ContentFilter),
        (
            "insufficient_system_resource",
            FinishReason::Other("insufficient_system_resource".into()),
        ),
    ] {
        let told = events(&[finish(word)]);
        assert!(told.contains(&ChatEvent::Finish(expected)), "{word}: {told:?}");
    }
}
