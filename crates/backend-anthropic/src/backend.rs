use crate::error::read_error;
use crate::wire::{Decoder, Mode, Page, count, encode, reply};
use async_trait::async_trait;
use gatepass_core::{
    Answered, BackendError, ChatReply, ChatRequest, ChatStream, ConfigError, LlmBackend, ModelInfo,
    TokenSource,
};
use gatepass_http::{AuthorizedClient, Call, HttpClient, HttpOptions, RetryPolicy, ServerUrl, Transport};
use gatepass_wire::{chat_reply, chat_stream, read_json};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;

const VERSION: &str = "2023-06-01";
const KEY_HEADER: HeaderName = HeaderName::from_static("x-api-key");
const VERSION_HEADER: HeaderName = HeaderName::from_static("anthropic-version");
const BETA_HEADER: HeaderName = HeaderName::from_static("anthropic-beta");

/// As many models as a page may have.
const PAGE: &str = "1000";
/// More pages than any list has.
const PAGES_LIMIT: usize = 100;

/// Anthropic's Messages API, or a server that speaks it.
///
/// An API key goes as `x-api-key`, any other token as `Authorization: Bearer`; never both.
///
/// # How a request is said
/// * System messages before the conversation are `system`. A later one stays where it is, after what the person
///   says next to it, for models that take that (Claude 4.8 and later); for all others it joins `system`.
/// * The results of tools, and what the person says right after them, are one message, as the API wants it. Other
///   messages in a row stay apart: the API joins them itself.
/// * Left out: blank text and messages without content, which the API refuses; thoughts without a signature;
///   [`seed`](ChatRequest::seed) and both penalties, which it doesn't have; and from messages of another provider
///   what only that one understands.
/// * `max_tokens`, which the API insists on, is 4096 if nothing is said, and what may be thought besides (16384 where
///   the model decides itself).
/// * [`ReasoningOptions`]: an effort is `output_config.effort` and `adaptive` thinking for Claude 4.6 and later,
///   and a budget (1024 to 16384 tokens) for all others; a budget is left out where the model takes none (Claude
///   4.7 and later). Whether thoughts are visible is `display`.
/// * A JSON Schema is brought into the dialect that the provider enforces: objects are closed, and what it can't
///   enforce stands in the description. One with properties of any name is refused, and so is JSON without a
///   schema.
/// * [`Part::File`] takes PDF and text, its name is the document's title; arguments of a tool call that are no JSON object are wrapped as
///   `{"INVALID_JSON": …}`; ids of calls lose the characters that the API refuses, and the second of two that are the same gets a number.
/// * `cache_control` and all else goes as a field of a part ([`Part::with_extra`]), a tool ([`Tool::with_extra`])
///   or the request ([`ChatRequest::extra`], whose `output_config` is added to ours); the server's own tools are
///   [`ChatRequest::provider_tools`].
///
/// # How an answer is read
/// * A part that the vocabulary has no name for (`redacted_thinking`, a server's tool and its result) is
///   [`Part::Other`] as it came, and goes back so. Signatures go back byte by byte, and the order stays.
/// * A stream may tell parts, and its end, with its beginning, and text that it hasn't begun: all of it is told.
/// * [`Usage::input_tokens`] includes the tokens read from the cache and written to it, which the API counts apart;
///   its own `input_tokens` then stands in [`Usage::extra`].
/// * `refusal` is [`FinishReason::ContentFilter`], `stop_sequence` is [`FinishReason::Stop`] and
///   `model_context_window_exceeded` is [`FinishReason::Length`], with the provider's word in
///   `extra["stop_reason"]`. `pause_turn` is [`FinishReason::Other`]: send the answer back, and it goes on.
/// * A stream is complete with `message_stop`, or at its end if the answer has said why it ended. One that ends
///   earlier is [`BackendError::Network`]; an error within it, [`BackendError::Provider`] with status 200. A server
///   that answers in one piece instead is understood.
/// * A whole answer may have 64 MiB, and so may what a stream holds back until it is whole; no answer may have
///   more than 1024 parts. More is [`BackendError::Decode`].
///
/// Safe to share among tasks. Nothing is cached; retries are the [`RetryPolicy`]'s, to which `overloaded_error` (529)
/// is transient.
///
/// [`FinishReason::ContentFilter`]: gatepass_core::FinishReason::ContentFilter
/// [`FinishReason::Length`]: gatepass_core::FinishReason::Length
/// [`FinishReason::Other`]: gatepass_core::FinishReason::Other
/// [`FinishReason::Stop`]: gatepass_core::FinishReason::Stop
/// [`Part::File`]: gatepass_core::Part::File
/// [`Part::Other`]: gatepass_core::Part::Other
/// [`Part::with_extra`]: gatepass_core::Part::with_extra
/// [`ReasoningOptions`]: gatepass_core::ReasoningOptions
/// [`Tool::with_extra`]: gatepass_core::Tool::with_extra
/// [`Usage::extra`]: gatepass_core::Usage::extra
/// [`Usage::input_tokens`]: gatepass_core::Usage::input_tokens
#[derive(Debug)]
pub struct AnthropicBackend {
    client: AuthorizedClient,
    /// `v1/`, unless the base URL ends with it.
    version_path: &'static str,
    beta: Option<HeaderValue>,
}

impl AnthropicBackend {
    /// Asks the server at `base_url` (`https://api.anthropic.com`, say; with or without `/v1`) with tokens of
    /// `source`; nobody else gets them. An API key is a [`StaticTokenSource`](gatepass_core::StaticTokenSource).
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
        let version_path = if names_version(base_url.path()) { "" } else { "v1/" };
        let version = HeaderMap::from_iter([(VERSION_HEADER, HeaderValue::from_static(VERSION))]);
        let client = AuthorizedClient::new(http, base_url, source, read_error)
            .with_key_header(KEY_HEADER)
            .with_headers(version);
        Self {
            client,
            version_path,
            beta: None,
        }
    }

    /// Adds headers to every request; another `anthropic-version` takes the place of ours (2023-06-01), and
    /// `anthropic-beta` is added to what [`with_beta`](Self::with_beta) says. They never replace the credential.
    #[must_use]
    pub fn with_headers(mut self, mut headers: HeaderMap) -> Self {
        let betas: Vec<_> = headers.get_all(BETA_HEADER).iter().cloned().collect();
        headers.remove(BETA_HEADER);
        self.client = self.client.with_headers(headers);
        betas.into_iter().fold(self, Self::with_beta)
    }

    /// Turns on a feature that is still tried out (`files-api-2025-04-14`, say), besides those turned on already.
    #[must_use]
    pub fn with_beta(mut self, name: HeaderValue) -> Self {
        let beta = match self.beta.take() {
            Some(beta) => joined(&beta, &name),
            None => name,
        };
        let header = HeaderMap::from_iter([(BETA_HEADER, beta.clone())]);
        self.client = self.client.with_headers(header);
        self.beta = Some(beta);
        self
    }

    /// Sets how failures are tried again: [`RetryPolicy::models`], if nothing is said.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.client = self.client.with_retry(retry);
        self
    }

    /// Begins to ask. The request isn't needed any longer then.
    fn ask<'a>(&'a self, request: &ChatRequest, mode: Mode) -> Result<Call<'a>, BackendError> {
        let body = encode(request, mode)?;
        let path = match mode {
            Mode::Whole | Mode::Streamed => "messages",
            Mode::Count => "messages/count_tokens",
        };
        Ok(self.client.post_json(&self.path(path), body))
    }

    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.version_path)
    }

    async fn page(&self, after: Option<&str>) -> Result<Page, BackendError> {
        let mut query = vec![("limit", PAGE)];
        query.extend(after.map(|id| ("after_id", id)));
        let response = self.client.get_with_query(&self.path("models"), &query).await?;
        read_json(response, Page::read).await
    }
}

/// Whether the last step of a path is an API's version, `v1` for instance.
fn names_version(path: &str) -> bool {
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let number = last.strip_prefix('v').unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Two values of a header as one: what may stand in each may stand in both.
fn joined(first: &HeaderValue, second: &HeaderValue) -> HeaderValue {
    let both = [first.as_bytes(), b",", second.as_bytes()].concat();
    HeaderValue::from_bytes(&both).unwrap_or_else(|_| second.clone())
}

#[async_trait]
impl LlmBackend for AnthropicBackend {
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

    async fn models(&self) -> Result<Vec<ModelInfo>, BackendError> {
        let mut models = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..PAGES_LIMIT {
            let page = self.page(after.as_deref()).await?;
            models.extend(page.models);
            if page.next.is_none() || page.next == after {
                break;
            }
            after = page.next;
        }
        Ok(models)
    }

    async fn count_tokens(&self, request: &ChatRequest) -> Result<u64, BackendError> {
        read_json(self.ask(request, Mode::Count)?.await?, count).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_known_at_the_end_of_a_path() {
        for (path, expected) in [
            ("/v1", true),
            ("/anthropic/v1/", true),
            ("/v12", true),
            ("/", false),
            ("/anthropic", false),
            ("/v1/proxy", false),
            ("/v", false),
            ("/v1beta", false),
        ] {
            assert_eq!(names_version(path), expected, "{path}");
        }
    }
}
