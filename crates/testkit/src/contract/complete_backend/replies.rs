//! What the model says, in all its forms.

use crate::contract::llm_backend::sure::{chat, collect, question, stream};
use crate::contract::within;
use crate::model::{ModelServer, ScriptedReply};
use gatepass_core::{ChatEvent, LlmBackend, ReplyMetadata};
use serde_json::json;
use std::time::Duration;

pub(super) async fn suite(backend: &impl LlmBackend, server: &ModelServer) {
    words_and_calls_are_the_same_streamed(backend, server).await;
    a_stream_is_told_as_it_is_written(backend, server).await;
    an_answer_follows_a_schema(backend).await;
}

async fn words_and_calls_are_the_same_streamed(backend: &impl LlmBackend, server: &ModelServer) {
    let reply = ScriptedReply::text("Let me see.")
        .with_tool_call("weather", r#"{"city":"Paris","days":[1,2]}"#)
        .with_tool_call("time", "{}")
        .with_usage(5, 6);
    server.reply(reply);
    let mut whole = chat(backend, question()).await;
    let mut collected = collect(stream(backend, question()).await).await;
    server.normal();
    assert_eq!(
        whole.tool_calls().count(),
        2,
        "a reply must have all calls that the model made"
    );
    for reply in [&mut whole, &mut collected] {
        reply.metadata = ReplyMetadata::default();
    }
    assert_eq!(
        collected, whole,
        "a stream of words and calls, collected, must be the reply that chat() returns"
    );
}

async fn a_stream_is_told_as_it_is_written(backend: &impl LlmBackend, server: &ModelServer) {
    server.push_reply(ScriptedReply::text("One two three"));
    server.set_chunk_delay(Duration::from_millis(20));
    let mut events = stream(backend, question()).await;
    let mut words = Vec::new();
    while let Ok(Some(event)) = within("the next event", events.try_next()).await {
        if let ChatEvent::Text(word) = event {
            words.push(word);
        }
    }
    server.set_chunk_delay(Duration::ZERO);
    assert_eq!(
        words,
        ["One ", "two ", "three"],
        "a stream must tell the words as they come"
    );
}

async fn an_answer_follows_a_schema(backend: &impl LlmBackend) {
    let schema = json!({
        "type": "object", "required": ["city"], "properties": { "city": { "type": "string", "enum": ["Paris"] } },
    });
    let reply = chat(backend, question().with_json_schema("city", schema)).await;
    assert_eq!(
        reply.text(),
        r#"{"city":"Paris"}"#,
        "an answer must follow the schema that was asked for"
    );
}
