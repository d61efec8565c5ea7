mod chat;
mod engine;
mod gemini;
mod messages;
mod reply;
mod responses;
mod sample;
mod wire;

pub use reply::ScriptedReply;

use crate::answer::Answer;
use crate::authorization::AuthorizationServer;
use crate::request::RecordedRequest;
use crate::server::Server;
use engine::{Door, Engine, Line};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A scriptable model server on a free port of 127.0.0.1: OpenAI-compatible, Anthropic-compatible, and Gemini.
/// Dropping it stops it.
///
/// | Path | What it is |
/// |---|---|
/// | `POST /v1/chat/completions` | chat, whole or streamed (`stream`, `stream_options.include_usage`) |
/// | `POST /v1/responses` | the same as OpenAI's Responses API has it, whole or streamed |
/// | `POST /v1/responses/input_tokens` | the number of the conversation's words |
/// | `POST /v1/messages` | the same as Anthropic has it, whole or streamed |
/// | `POST /v1/messages/count_tokens` | the number of the conversation's words |
/// | `POST /v1/embeddings` | a short vector for each text |
/// | `GET /v1/models` | the models [`MODELS`](Self::MODELS) |
/// | `…/models/MODEL:METHOD`, not below `/v1` | the Gemini API and Vertex AI: chat, vectors, token counts |
/// | `GET …/models`, not below `/v1` | the same models, as Gemini lists them |
///
/// Without a script it answers [`TEXT`](Self::TEXT); calls a tool where `tool_choice` demands one, with
/// arguments that fit the tool's schema; and fills in the schema of a `response_format`, `text.format` or `output_config`. All replies carry
/// `x-request-id` and `x-ratelimit-*` headers.
#[derive(Debug)]
pub struct ModelServer {
    server: Server,
    engine: Arc<Engine>,
}

impl ModelServer {
    /// What it answers, if nothing else is said.
    pub const TEXT: &'static str = "Naïve models answer the same words every time. 🦀";
    /// The models that it lists; it answers as any other, too.
    pub const MODELS: [&'static str; 2] = ["test-model", "test-model-large"];

    /// Starts a server. It answers within the tokio runtime that this is called in.
    ///
    /// # Panics
    /// If no port can be had.
    #[expect(
        clippy::unused_async,
        reason = "needs a runtime, and says so by being awaited"
    )]
    pub async fn start() -> Self {
        let (server, engine) = Server::start(|_| Engine::new());
        Self { server, engine }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The address that clients are configured with: `http://127.0.0.1:…/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.server.url("/v1")
    }
}

/// Who may come in. Without one of these, everybody may.
impl ModelServer {
    /// Accepts the access tokens that are active at `authorization`, and answers 401 with
    /// `WWW-Authenticate: Bearer error="invalid_token"` (RFC 6750 §3) to all others.
    pub fn require_token(&self, authorization: &AuthorizationServer) {
        self.engine.set_door(Door::ActiveToken(authorization.authority()));
    }

    /// Accepts this bearer token only, or this API key in `x-api-key` or `x-goog-api-key`.
    pub fn require_bearer(&self, token: impl Into<String>) {
        self.engine.set_door(Door::Bearer(token.into()));
    }
}

/// The script. It begins behind the door: who may not come in gets 401.
impl ModelServer {
    /// Answers this text to all chats.
    pub fn reply_text(&self, text: impl Into<String>) {
        self.reply(ScriptedReply::text(text));
    }

    /// Answers this to all chats, after what was pushed.
    pub fn reply(&self, reply: ScriptedReply) {
        self.engine.script.always(Line::Reply(reply));
    }

    /// Answers this to the next chat; called again, to the one after that.
    pub fn push_reply(&self, reply: ScriptedReply) {
        self.engine.script.push(Line::Reply(reply));
    }

    /// Gives this answer to the next request; called again, to the one after that.
    pub fn push(&self, answer: Answer) {
        self.engine.script.push(Line::Answer(answer));
    }

    /// Gives this answer to all requests, after what was pushed.
    pub fn always(&self, answer: Answer) {
        self.engine.script.always(Line::Answer(answer));
    }

    /// Forgets the script.
    pub fn normal(&self) {
        self.engine.script.clear();
    }

    /// Waits this long before each event of a stream but the first.
    pub fn set_chunk_delay(&self, delay: Duration) {
        self.engine.set_chunk_delay(delay);
    }
}

/// What it has seen.
impl ModelServer {
    /// All requests, in order; [`json`](RecordedRequest::json) is the body.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.server.requests()
    }

    /// The requests since this was asked last, in order, which are forgotten with it: for tests that run for long.
    #[must_use]
    pub fn take_requests(&self) -> Vec<RecordedRequest> {
        self.server.take_requests()
    }

    /// How many connections are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.server.open_connections()
    }

    /// How many answers clients didn't wait for: the connection was closed before the answer had ended.
    #[must_use]
    pub fn aborted(&self) -> usize {
        self.server.aborted()
    }

    /// The most requests that were under way at the same time.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.server.max_in_flight()
    }
}
