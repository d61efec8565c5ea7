use crate::answer::reply;
use crate::server::Server;
use crate::wire::{Decoder, Mode, encode};
use async_trait::async_trait;
use gatepass_core::{
    Answered, BackendError, ChatReply, ChatRequest, ChatStream, ConfigError, EmbeddingRequest, Embeddings,
    LlmBackend, ModelInfo, TokenSource,
};
use gatepass_http::{Call, HttpClient, HttpOptions, RetryPolicy, ServerUrl, Transport};
use gatepass_wire::{chat_reply, chat_stream};
use http::HeaderMap;
use std::sync::Arc;

/// OpenAI, or a server that speaks its language: chat completions, whole or streamed; vectors; a list of models.
///
/// [`OpenAiResponsesBackend`](crate::OpenAiResponsesBackend) speaks OpenAI's other language to the same servers.
///
/// # How a request is said
/// * `max_tokens` becomes `max_completion_tokens` where reasoning models refuse the other name (OpenAI, Azure, Groq,
///   OpenRouter), and stays `max_tokens` everywhere else.
/// * [`ChatRequest::reasoning`] becomes `reasoning_effort`; at OpenRouter the object `reasoning`, with the budget, too;
///   no thinking at all is `thinking` at DeepSeek, Moonshot and Z.ai. `top_k` is left out where it is refused.
/// * [`ChatRequest::provider_tools`] stand behind the other tools, as they are.
/// * A message with several tool results becomes one message a result; one of [`Role::Tool`] has nothing else.
///   [`ToolResult::is_error`] and [`ToolResult::name`] are left out: the wire has no place for them. That a tool
///   failed has to be said in [`ToolResult::content`]. OpenAI takes nothing but text of a tool.
/// * Thoughts ([`Part::Reasoning`]) go back to the server that told them, under the name that it has for them; OpenAI
///   tells none. DeepSeek and its like get an empty one with tool calls that came without, as they demand.
/// * An answer of another wire ([`Message::wire`]) is sent as text and tool calls; what only that wire understands
///   is left out.
/// * A call's id that Mistral would refuse (it wants nine letters and digits) becomes one that it takes, with the call and with
///   its result.
/// * A system message with [`Message::extra`] `role` `developer` is one of that role.
/// * Streams are asked to tell their usage (`stream_options`), but for Mistral, which does so unasked.
/// * [`ChatRequest::extra`], [`Message::extra`] and a part's `extra` (`cache_control`, say) are added last, and win.
///
/// # How an answer is read
/// * The first choice counts. The others of a whole answer (`n`) are in `extra["choices"]` of the reply, as they came; those of
///   a stream are passed over.
/// * A refusal is text, and ends with [`FinishReason::ContentFilter`] where OpenAI says `stop`.
/// * An error of the choice (`choices[0].error`, as OpenRouter tells what the model's own provider said) is
///   [`BackendError::Provider`] with status 200, and [`BackendError::Interrupted`] if something had come before it.
/// * `reasoning_details` and `audio` that a stream tells in pieces are put together as a whole answer has them.
/// * A tool call without id gets one: `call_0`, `call_1`, … A call of a custom tool has its input as arguments. A call of a
///   type of its own, of a tool that the server runs, is named by that type; what it is stands in its `extra`, and goes back
///   so.
/// * A stream that tells the whole answer in one chunk is understood; one that tells it once more at its end tells it once.
/// * What the vocabulary doesn't have is in [`ChatReply::extra`], [`Message::extra`] and [`Usage::extra`], unless it
///   says nothing (`null`, or empty).
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
/// [`Message::wire`]: gatepass_core::Message::wire
/// [`Usage::extra`]: gatepass_core::Usage::extra
/// [`FinishReason::ContentFilter`]: gatepass_core::FinishReason::ContentFilter
#[derive(Debug)]
pub struct OpenAiBackend {
    server: Server,
}

impl OpenAiBackend {
    /// Asks the server at `base_url` (`https://api.openai.com/v1`, say) with tokens of `source`; nobody else
    /// gets them. An API key is a [`StaticTokenSource`](gatepass_core::StaticTokenSource). The hosts of OpenAI, Mistral, Groq and
    /// OpenRouter may be named without the path.
    ///
    /// At a host of Azure's (`https://NAME.openai.azure.com/openai/v1`) an API key
    /// ([`AccessToken::api_key`](gatepass_core::AccessToken::api_key)) goes into the header `api-key`, everywhere else
    /// into `Authorization`, as a bearer token does.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for a `base_url` that can't be used, or would send secrets unencrypted.
    pub fn new(base_url: &str, source: impl TokenSource + 'static) -> Result<Self, ConfigError> {
        let server = Server::new(base_url, source)?;
        Ok(Self { server })
    }

    /// Asks the deployments of an Azure resource (`https://NAME.openai.azure.com`) by a dated version of its API
    /// (`2024-10-21`): the request's model is the deployment's name.
    ///
    /// An API key ([`AccessToken::api_key`](gatepass_core::AccessToken::api_key)) goes into the header `api-key`, a
    /// token of Entra ID's into `Authorization`. Azure's undated API has no deployments in its path: see
    /// [`new`](Self::new).
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for a `resource` or an `api_version` that can't be used.
    pub fn azure(
        resource: &str,
        api_version: &str,
        source: impl TokenSource + 'static,
    ) -> Result<Self, ConfigError> {
        let resource = ServerUrl::parse(resource, "resource", Transport::Encrypted)?;
        let http = HttpClient::new(HttpOptions::default())?;
        Self::azure_with_http(http, &resource, api_version, Arc::new(source))
    }

    /// As [`azure`](Self::azure), through an HTTP client with options of its own.
    ///
    /// # Errors
    /// As [`azure`](Self::azure).
    pub fn azure_with_http(
        http: HttpClient,
        resource: &ServerUrl,
        api_version: &str,
        source: Arc<dyn TokenSource>,
    ) -> Result<Self, ConfigError> {
        let server = Server::azure(http, resource, api_version, source)?;
        Ok(Self { server })
    }

    /// As [`new`](Self::new), through an HTTP client with options of its own.
    #[must_use]
    pub fn with_http(http: HttpClient, base_url: ServerUrl, source: Arc<dyn TokenSource>) -> Self {
        let server = Server::with_http(http, base_url, source);
        Self { server }
    }

    /// Adds headers to every request (`OpenAI-Organization`, say). They never replace the credential.
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

    /// Begins to ask. The request isn't needed any longer then, and a call keeps what it needs until it ends.
    fn ask<'a>(&'a self, request: &ChatRequest, mode: Mode) -> Result<Call<'a>, BackendError> {
        let body = encode(request, self.server.dialect, mode)?;
        self.server
            .post("chat/completions", request.model.as_deref(), body)
    }
}

#[async_trait]
impl LlmBackend for OpenAiBackend {
    fn chat<'s: 'a, 'a>(&'s self, request: ChatRequest) -> Answered<'a, ChatReply>
    where
        Self: 'a,
    {
        chat_reply::<Decoder>(self.ask(&request, Mode::Whole), reply)
    }

    fn chat_stream<'s: 'a, 'a>(&'s self, request: ChatRequest) -> Answered<'a, ChatStream>
    where
        Self: 'a,
    {
        chat_stream::<Decoder>(self.ask(&request, Mode::Streamed), reply)
    }

    async fn embed(&self, request: EmbeddingRequest) -> Result<Embeddings, BackendError> {
        self.server.embed(&request).await
    }

    async fn models(&self) -> Result<Vec<ModelInfo>, BackendError> {
        self.server.models().await
    }
}
