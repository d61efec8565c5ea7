//! The OpenAI backend, against a live local server.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod recordings;

use gatepass_core::{AccessToken, ChatRequest, Message, StaticTokenSource};
use gatepass_http::RetryPolicy;
use gatepass_openai::OpenAiBackend;
use gatepass_testkit::ModelServer;
use std::time::Duration;

/// A secret that must not be seen anywhere.
const CANARY: &str = "sk-canary-4711";

/// Asks `server`; retries at once, so that tests don't wait.
fn backend(server: &ModelServer) -> OpenAiBackend {
    let key = StaticTokenSource::new(AccessToken::bearer(CANARY).unwrap());
    OpenAiBackend::new(&server.base_url(), key)
        .unwrap()
        .with_retry(RetryPolicy::models().with_first_pause(Duration::from_millis(1)))
}

fn question() -> ChatRequest {
    ChatRequest::new([Message::user("Say something.")]).with_model("test-model")
}
