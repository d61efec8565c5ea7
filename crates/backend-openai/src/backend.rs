use crate::answer::{read_models, read_reply, read_stream};
use crate::dialect::Dialect;
use crate::wire::{Mode, encode};
use async_trait::async_trait;
use gatepass_core::{
    BackendError, ChatReply, ChatRequest, ChatStream, ConfigError, LlmBackend, ModelInfo, TokenSource,
};
use gatepass_http::{
    AuthorizedClient, HttpClient, HttpOptions, HttpResponse, RetryPolicy, ServerUrl, Transport,
};
use gatepass_wire::read_error;
use http::HeaderMap;
use std::sync::Arc;

/// OpenAI, or a server that speaks its language: chat completions, whole or streamed.
///
/// # How a request is said
/// * `max_tokens` becomes `max_completion_tokens` at `api.openai.com`, whose reasoning models refuse the other
///   name, and stays `max_tokens` everywhere else.
/// * A message with several tool results becomes one message a result; one of [`Role::Tool`] has nothing else.
///   Thoughts ([`Part::Reasoning`]), [`ToolResult::is_error`] and [`ToolResult::name`] are left out: the wire has
///   no place for them. That a tool failed has to be said in [`ToolResult::content`].
/// * Streams are asked to tell their usage (`stream_options`), but for Mistral, which does so unasked.
/// * [`ChatRequest::extra`] and [`Message::extra`] are added last, and win.
///
/// # How an answer is read
/// * The first choice counts.
/// * A refusal is text, and ends with [`FinishReason::ContentFilter`] where OpenAI says `stop`.
/// * A tool call without id gets one: `call_0`, `call_1`, … A call of a custom tool has its input as arguments.
/// * What the vocabulary doesn't have is in [`ChatReply::extra`] and [`Message::extra`], unless it says nothing
///   (`null`, or empty); what else the usage tells, in `extra["usage"]`.
/// * A stream is complete with `[DONE]`, or at its end if the answer has said why it ended. One that ends earlier
///   is [`BackendError::Network`]; an error within it, [`BackendError::Provider`] with status 200. A server that
///   answers in one piece instead is understood.
/// * A whole answer may have 64 MiB, and so may the tool calls and the `extra` members of a stream, which are held
///   back until they are whole; no answer may have more than 1024 tool calls. More is [`BackendError::Decode`].
///
/// [`Part::Reasoning`]: gatepass_core::Part::Reasoning
/// [`Role::Tool`]: gatepass_core::Role::Tool
/// [`ToolResult::is_error`]: gatepass_core::ToolResult::is_error
/// [`ToolResult::name`]: gatepass_core::ToolResult::name
/// [`ToolResult::content`]: gatepass_core::ToolResult::content
/// [`Message::extra`]: gatepass_core::Message::extra
/// [`FinishReason::ContentFilter`]: gatepass_core::FinishReason::ContentFilter
#[derive(Debug)]
pub struct OpenAiBackend {
    client: AuthorizedClient,
    dialect: Dialect,
}

impl OpenAiBackend {
    /// Asks the server at `base_url` (`https://api.openai.com/v1`, say) with tokens of `source`; nobody else
    /// gets them. An API key is a [`StaticTokenSource`](gatepass_core::StaticTokenSource).
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for a `base_url` that can't be used, or would send secrets unencrypted.
    pub fn new(base_url: &str, source: impl TokenSource + 'static) -> Result<Self, ConfigError> {
        let base_url = ServerUrl::parse(base_url, "base_url", Transport::Encrypted)?;
        let http = HttpClient::new(HttpOptions::default())?;
        Ok(Self::with_http(http, base_url, Arc::new(source)))
    }

    /// As [`new`](Self::new), through an HTTP client with options of its own.
    #[must_use]
    pub fn with_http(http: HttpClient, base_url: ServerUrl, source: Arc<dyn TokenSource>) -> Self {
        let dialect = Dialect::of(&base_url);
        let client = AuthorizedClient::new(http, base_url, source, read_error);
        Self { client, dialect }
    }

    /// Adds headers to every request (`OpenAI-Organization`, say). They never replace the credential.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.client = self.client.with_headers(headers);
        self
    }

    /// Sets how failures are tried again: [`RetryPolicy::models`], if nothing is said.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.client = self.client.with_retry(retry);
        self
    }

    async fn ask(&self, request: &ChatRequest, mode: Mode) -> Result<HttpResponse, BackendError> {
        let body = encode(request, self.dialect, mode)?;
        self.client.post_json("chat/completions", body).await
    }
}

#[async_trait]
impl LlmBackend for OpenAiBackend {
    async fn chat(&self, request: ChatRequest) -> Result<ChatReply, BackendError> {
        read_reply(self.ask(&request, Mode::Whole).await?).await
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        read_stream(self.ask(&request, Mode::Streamed).await?).await
    }

    async fn models(&self) -> Result<Vec<ModelInfo>, BackendError> {
        read_models(self.client.get("models").await?).await
    }
}
