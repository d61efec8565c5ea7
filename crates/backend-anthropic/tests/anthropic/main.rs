//! The Anthropic backend, against a live local server.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod conversation;
mod faults;
mod made_up;
mod recordings;
mod refusals;
mod requests;
mod tokens;

use gatepass_anthropic::AnthropicBackend;
use gatepass_core::{AccessToken, ChatRequest, Message, StaticTokenSource};
use gatepass_http::RetryPolicy;
use gatepass_testkit::{ModelServer, Value};
use serde_json::json;
use std::time::Duration;

/// A secret that must not be seen anywhere.
const CANARY: &str = "sk-ant-canary-4711";

fn key() -> StaticTokenSource {
    StaticTokenSource::new(AccessToken::api_key(CANARY).unwrap())
}

/// Asks `server`; retries at once, so that tests don't wait.
fn backend(server: &ModelServer) -> AnthropicBackend {
    AnthropicBackend::new(&server.base_url(), key())
        .unwrap()
        .with_retry(RetryPolicy::models().with_first_pause(Duration::from_millis(1)))
}

fn question() -> ChatRequest {
    ChatRequest::new([Message::user("Say something.")]).with_model("test-model")
}

/// A whole answer with this content.
fn message(content: &Value) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-test", "content": content,
        "stop_reason": "end_turn", "stop_sequence": null, "usage": { "input_tokens": 3, "output_tokens": 1 },
    })
}

/// Events of a stream, as they stand on the wire.
fn sse(events: &[Value]) -> Vec<String> {
    let event = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    events.iter().map(event).collect()
}
