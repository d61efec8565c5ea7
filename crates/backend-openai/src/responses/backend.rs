use super::answer::{read_count, reply};
use super::decoder::Decoder;
use super::request::{Mode, encode};
use crate::server::Server;
use async_trait::async_trait;
use gatepass_core::{
    Answered, BackendError, ChatReply, ChatRequest, ChatStream, ConfigError, EmbeddingRequest, Embeddings,
    LlmBackend, ModelInfo, TokenSource,
};
use gatepass_http::{Call, HttpClient, RetryPolicy, ServerUrl};
use gatepass_wire::{chat_reply, chat_stream};
use http::HeaderMap;
use std::sync::Arc;

/// OpenAI's Responses API, or a server that speaks it: answers, whole or streamed; vectors; a list of models; a count
/// of tokens.
///
/// A type of its own beside [`OpenAiBackend`](crate::OpenAiBackend): the server, the token and the models are the same,
/// but what is sent, what can be asked for and what comes back isn't.
///
/// # How a request is said
/// * A system message of plain text that stands first is `instructions`; all other messages, tool calls and results are
///   items of `input`, in order.
/// * An answer of this API goes back as the items that it came in, with their ids. Another wire's goes back as text and
///   tool calls.
/// * [`ChatRequest::provider_tools`] (`web_search`, `mcp`, `code_interpreter`, …) stand behind the other tools, as they
///   are. A tool is strict only if it says so.
/// * [`ChatRequest::reasoning`] with `visible` asks for a summary of the thoughts; a budget is left out, and so are
///   `seed`, `top_k` and penalties, which the API doesn't have. Texts that end the answer are refused.
/// * `previous_response_id`, `conversation`, `store`, `include`, `background`, … are [`ChatRequest::extra`] members, which
///   are added last, and win; `text` and `reasoning` are joined with ours. With `store` `false` the thoughts travel
///   encrypted, if [`ChatRequest::reasoning`] is set, and those that can't are left out.
/// * A [`Part::Other`] is an item of its own, or a piece of its message if its type is that of a piece
///   (`input_text`, …).
///
/// # How an answer is read
/// * Each item is one part: a function or custom tool call, an image that the model drew, and as [`Part::Other`] whatever
///   the provider's tools did. A message or a thought is one part for each of its pieces; the member `item` of the part's
///   `extra` says which item it is a piece of, and what else that item says. What proves a thought is its signature.
/// * Citations are in the text's `extra`, under `annotations`. A refusal is text with the `type` `refusal`, and ends with
///   [`FinishReason::ContentFilter`].
/// * An answer with tool calls ends with [`FinishReason::ToolCalls`]; one in the background with
///   [`FinishReason::Other`] and the status.
/// * A response that failed is [`BackendError::Provider`]; what it had put out is in [`BackendError::Interrupted`].
/// * Events that aren't known are passed over; what they tell of comes once more with their item.
/// * Limits are those of [`OpenAiBackend`](crate::OpenAiBackend).
///
/// [`Part::Other`]: gatepass_core::Part::Other
/// [`FinishReason::ContentFilter`]: gatepass_core::FinishReason::ContentFilter
/// [`FinishReason::ToolCalls`]: gatepass_core::FinishReason::ToolCalls
/// [`FinishReason::Other`]: gatepass_core::FinishReason::Other
#[derive(Debug)]
pub struct OpenAiResponsesBackend {
    server: Server,
}

impl OpenAiResponsesBackend {
    /// Asks the server at `base_url` (`https://api.openai.com/v1`, `https://NAME.openai.azure.com/openai/v1`) with tokens
    /// of `source`; nobody else gets them. An API key goes into the header that the host wants it in.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for a `base_url` that can't be used, or would send secrets unencrypted.
    pub fn new(base_url: &str, source: impl TokenSource + 'static) -> Result<Self, ConfigError> {
        let server = Server::new(base_url, source)?;
        Ok(Self { server })
    }

    /// As [`new`](Self::new), through an HTTP client with options of its own.
    #[must_use]
    pub fn with_http(http: HttpClient, base_url: ServerUrl, source: Arc<dyn TokenSource>) -> Self {
        let server = Server::with_http(http, base_url, source);
        Self { server }
    }

    /// Adds headers to every request (`OpenAI-Project`, say). They never replace the credential.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.server = self.server.with_headers(headers);
        self
    }

    /// Sets how failures are tried again: [`RetryPolicy::models`], if nothing is said.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.server = self.server.with_retry(retry);
        self
    }

    /// Begins to ask. The request isn't needed any longer then.
    fn ask<'a>(&'a self, path: &str, request: &ChatRequest, mode: Mode) -> Result<Call<'a>, BackendError> {
        let body = encode(request, mode)?;
        self.server.post(path, request.model.as_deref(), body)
    }
}

#[async_trait]
impl LlmBackend for OpenAiResponsesBackend {
    fn chat<'s: 'a, 'a>(&'s self, request: ChatRequest) -> Answered<'a, ChatReply>
    where
        Self: 'a,
    {
        chat_reply::<Decoder>(self.ask("responses", &request, Mode::Whole), reply)
    }

    fn chat_stream<'s: 'a, 'a>(&'s self, request: ChatRequest) -> Answered<'a, ChatStream>
    where
        Self: 'a,
    {
        chat_stream::<Decoder>(self.ask("responses", &request, Mode::Streamed), reply)
    }

    async fn embed(&self, request: EmbeddingRequest) -> Result<Embeddings, BackendError> {
        self.server.embed(&request).await
    }

    async fn models(&self) -> Result<Vec<ModelInfo>, BackendError> {
        self.server.models().await
    }

    async fn count_tokens(&self, request: &ChatRequest) -> Result<u64, BackendError> {
        read_count(
            self.ask("responses/input_tokens", request, Mode::Counted)?
                .await?,
        )
        .await
    }
}
