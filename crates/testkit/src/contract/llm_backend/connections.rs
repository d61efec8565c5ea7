//! A connection breaks, or nobody needs it any more.

use super::sure::{question, stream};
use crate::answer::Answer;
use crate::contract::within;
use crate::model::ModelServer;
use crate::wait::eventually;
use gatepass_core::{BackendError, LlmBackend};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(super) async fn suite<B: LlmBackend + 'static>(backend: &Arc<B>, server: &ModelServer) {
    a_broken_stream_is_an_error_and_keeps_what_came(&**backend, server).await;
    dropping_a_chat_closes_its_connection(backend, server).await;
    dropping_a_stream_closes_its_connection(&**backend, server).await;
}

async fn a_broken_stream_is_an_error_and_keeps_what_came(backend: &impl LlmBackend, server: &ModelServer) {
    let chunk = half(server);
    server.push(Answer::sse([format!("data: {chunk}\n\n")]).then_close_abruptly());
    let streamed = within("chat_stream()", backend.chat_stream(question())).await;
    if !streams(server) {
        return;
    }
    let Ok(events) = streamed else {
        panic!("a stream that breaks after its first event must begin")
    };
    match within("collect() of a broken stream", events.collect()).await {
        Err(BackendError::Interrupted { partial, .. }) => {
            assert_eq!(partial.text(), "Half", "a broken stream must keep what had come");
        }
        other => panic!("a stream that breaks must end with an error; it ended with {other:?}"),
    }
}

/// A chunk with a part of the answer, on the wire that the last request spoke.
fn half(server: &ModelServer) -> Value {
    if speaks(server, "/responses") {
        return json!({ "type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Half" });
    }
    if speaks(server, "/messages") {
        let block = json!({ "type": "text", "text": "Half" });
        return json!({ "type": "content_block_start", "index": 0, "content_block": block });
    }
    if speaks(server, "enerateContent") {
        let content = json!({ "role": "model", "parts": [{ "text": "Half" }] });
        return json!({ "candidates": [{ "content": content, "index": 0 }], "modelVersion": "test-model" });
    }
    let delta =
        json!({ "index": 0, "delta": { "role": "assistant", "content": "Half" }, "finish_reason": null });
    json!({
        "id": "1", "object": "chat.completion.chunk", "created": 0, "model": "test-model", "choices": [delta],
    })
}

fn speaks(server: &ModelServer, path: &str) -> bool {
    let requests = server.requests();
    requests.last().is_some_and(|last| last.path.ends_with(path))
}

async fn dropping_a_chat_closes_its_connection<B: LlmBackend + 'static>(
    backend: &Arc<B>,
    server: &ModelServer,
) {
    let (asked, aborted) = (server.requests().len(), server.aborted());
    server.push(Answer::hang());
    let caller = tokio::spawn({
        let backend = Arc::clone(backend);
        async move { backend.chat(question()).await.is_ok() }
    });
    eventually("chat() asks the server", || server.requests().len() > asked).await;
    caller.abort();
    eventually("dropping the future of chat() closes its connection", || {
        server.aborted() > aborted
    })
    .await;
}

async fn dropping_a_stream_closes_its_connection(backend: &impl LlmBackend, server: &ModelServer) {
    let aborted = server.aborted();
    server.set_chunk_delay(Duration::from_millis(500));
    let mut events = stream(backend, question()).await;
    if streams(server) {
        let first = within("the first event", events.try_next()).await;
        assert!(
            matches!(first, Ok(Some(_))),
            "the first event must come before the last"
        );
        drop(events);
        eventually("dropping a stream closes its connection", || {
            server.aborted() > aborted
        })
        .await;
    }
    server.set_chunk_delay(Duration::ZERO);
}

/// Whether the last answer was streamed; a backend may also answer in one piece.
fn streams(server: &ModelServer) -> bool {
    let requests = server.requests();
    requests.last().is_some_and(|last| {
        last.json.get("stream") == Some(&json!(true)) || last.path.ends_with(":streamGenerateContent")
    })
}
