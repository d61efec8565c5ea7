//! Calls whose errors end the test.

use crate::contract::within;
use gatepass_core::{ChatReply, ChatRequest, ChatStream, LlmBackend, Message};

pub(in crate::contract) fn question() -> ChatRequest {
    ChatRequest::new([Message::user("Say something.")]).with_model("test-model")
}

pub(in crate::contract) async fn chat(backend: &impl LlmBackend, request: ChatRequest) -> ChatReply {
    match within("chat()", backend.chat(request)).await {
        Ok(reply) => reply,
        Err(error) => panic!("chat() must answer; it failed: {error}"),
    }
}

pub(in crate::contract) async fn stream(backend: &impl LlmBackend, request: ChatRequest) -> ChatStream {
    match within("chat_stream()", backend.chat_stream(request)).await {
        Ok(events) => events,
        Err(error) => panic!("chat_stream() must answer; it failed: {error}"),
    }
}

pub(in crate::contract) async fn collect(events: ChatStream) -> ChatReply {
    match within("collect()", events.collect()).await {
        Ok(reply) => reply,
        Err(error) => panic!("a stream must come to its end; it failed: {error}"),
    }
}
