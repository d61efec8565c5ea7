//! The Gemini backend, against a live local server.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod beside_chat;
mod conversation;
mod faults;
mod made_up;
mod recordings;
mod refusals;
mod requests;
mod tokens;

use gatepass_core::{AccessToken, ChatRequest, Message, StaticTokenSource, TokenSource};
use gatepass_gemini::GeminiBackend;
use gatepass_http::{HttpClient, HttpOptions, RetryPolicy, ServerUrl, Transport};
use gatepass_testkit::ModelServer;
use std::sync::Arc;
use std::time::Duration;

/// A secret that must not be seen anywhere.
const CANARY: &str = "AIza-canary-4711";

fn key() -> Arc<dyn TokenSource> {
    Arc::new(StaticTokenSource::new(AccessToken::api_key(CANARY).unwrap()))
}

/// Asks `server` at `path`; retries at once, so that tests don't wait.
fn backend_at(server: &ModelServer, path: &str, source: Arc<dyn TokenSource>) -> GeminiBackend {
    let url = format!("http://{}{path}", server.address());
    let url = ServerUrl::parse(&url, "base_url", Transport::Encrypted).unwrap();
    let http = HttpClient::new(HttpOptions::default()).unwrap();
    let backend = GeminiBackend::with_http(http, url, source);
    backend.with_retry(RetryPolicy::models().with_first_pause(Duration::from_millis(1)))
}

/// Asks `server` as the Gemini API, with an API key.
fn backend(server: &ModelServer) -> GeminiBackend {
    backend_at(server, "/v1beta", key())
}

fn question() -> ChatRequest {
    ChatRequest::new([Message::user("Say something.")]).with_model("test-model")
}
