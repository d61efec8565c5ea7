//! What the model says arrives, whole or streamed.

use super::sure::{chat, collect, question, stream};
use crate::contract::within;
use crate::model::ModelServer;
use gatepass_core::{ErrorKind, FinishReason, LlmBackend, Role, Tool, ToolChoice};
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;

pub(super) async fn suite<B: LlmBackend + 'static>(backend: &Arc<B>) {
    a_chat_is_answered(&**backend).await;
    a_stream_tells_what_a_chat_answers(&**backend).await;
    many_may_chat_at_once(backend).await;
    a_demanded_tool_is_called_or_refused(&**backend).await;
}

async fn a_chat_is_answered(backend: &impl LlmBackend) {
    let reply = chat(backend, question()).await;
    assert_eq!(
        reply.text(),
        ModelServer::TEXT,
        "chat() must answer with the model's text"
    );
    assert_eq!(
        reply.message.role,
        Role::Assistant,
        "a reply must be the assistant's"
    );
    assert_eq!(
        reply.finish,
        Some(FinishReason::Stop),
        "a complete reply must end with Stop"
    );
    assert!(
        reply.usage.is_some_and(|usage| usage.output_tokens.is_some()),
        "a reply must tell the usage that the server told"
    );
    assert!(
        reply.metadata.request_id.is_some(),
        "a reply must tell the server's request id"
    );
}

async fn a_stream_tells_what_a_chat_answers(backend: &impl LlmBackend) {
    let whole = chat(backend, question()).await;
    let events = stream(backend, question()).await;
    assert!(
        events.metadata().request_id.is_some(),
        "a stream must tell the server's request id"
    );
    let collected = collect(events).await;
    assert_eq!(
        collected.message, whole.message,
        "a stream, collected, must be the message that chat() returns"
    );
    assert_eq!(
        collected.finish, whole.finish,
        "a stream must tell why the answer ended"
    );
}

async fn many_may_chat_at_once<B: LlmBackend + 'static>(backend: &Arc<B>) {
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let backend = Arc::clone(backend);
        callers.spawn(async move { chat(&*backend, question()).await.text() });
    }
    let texts = within("chat() from many tasks", callers.join_all()).await;
    assert_eq!(
        texts,
        [ModelServer::TEXT; 16],
        "chat() must answer many tasks at once"
    );
}

async fn a_demanded_tool_is_called_or_refused(backend: &impl LlmBackend) {
    let schema =
        json!({ "type": "object", "required": ["city"], "properties": { "city": { "type": "string" } } });
    let request = question()
        .with_tools([Tool::new("weather", schema)])
        .with_tool_choice(ToolChoice::Required);
    let reply = match within("chat()", backend.chat(request.clone())).await {
        Ok(reply) => reply,
        Err(error) => {
            assert!(
                matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidRequest),
                "a backend without tools must say so; it failed with {error}"
            );
            return;
        }
    };
    let called: Vec<_> = reply.tool_calls().map(|call| call.name.as_str()).collect();
    assert_eq!(
        called,
        ["weather"],
        "a reply must have the tool call that the model made"
    );
    assert_eq!(
        reply.finish,
        Some(FinishReason::ToolCalls),
        "a reply that waits for a tool must end with ToolCalls"
    );
    let collected = collect(stream(backend, request).await).await;
    assert_eq!(
        collected.message, reply.message,
        "a streamed tool call, collected, must be the one that chat() returns"
    );
}
