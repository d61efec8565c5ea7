//! The OpenAI backend, against a live local server.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod allocations;
mod azure;
mod broken_off;
mod conversation;
mod embeddings;
mod faults;
mod recordings;
mod refusals;
mod responses;
mod tokens;

use gatepass_core::{AccessToken, ChatRequest, Message, StaticTokenSource};
use gatepass_http::RetryPolicy;
use gatepass_openai::{OpenAiBackend, OpenAiResponsesBackend};
use gatepass_testkit::ModelServer;
use std::time::Duration;

/// A secret that must not be seen anywhere.
const CANARY: &str = "sk-canary-4711";

fn key() -> StaticTokenSource {
    StaticTokenSource::new(AccessToken::bearer(CANARY).unwrap())
}

/// Asks `server`; retries at once, so that tests don't wait.
fn backend(server: &ModelServer) -> OpenAiBackend {
    OpenAiBackend::new(&server.base_url(), key())
        .unwrap()
        .with_retry(RetryPolicy::models().with_first_pause(Duration::from_millis(1)))
}

/// Asks `server` in the language of the Responses API.
fn responses_backend(server: &ModelServer) -> OpenAiResponsesBackend {
    OpenAiResponsesBackend::new(&server.base_url(), key())
        .unwrap()
        .with_retry(RetryPolicy::models().with_first_pause(Duration::from_millis(1)))
}

fn question() -> ChatRequest {
    ChatRequest::new([Message::user("Say something.")]).with_model("test-model")
}
