use crate::answer::{read_count, read_models, read_vectors, reply};
use crate::place::{GEMINI, Place, express_url, vertex_url};
use crate::wire::{Decoder, Request, Texts};
use async_trait::async_trait;
use gatepass_core::{
    Answered, BackendError, ChatReply, ChatRequest, ChatStream, ConfigError, EmbeddingRequest, Embeddings,
    LlmBackend, ModelInfo, TokenSource,
};
use gatepass_http::{AuthorizedClient, Call, HttpClient, HttpOptions, RetryPolicy, ServerUrl, Transport};
use gatepass_wire::{chat_reply, chat_stream, read_error};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::sync::Arc;

const KEY_HEADER: HeaderName = HeaderName::from_static("x-goog-api-key");
const QUOTA_PROJECT: HeaderName = HeaderName::from_static("x-goog-user-project");

/// More pages than any list of models has.
const PAGES: usize = 100;

/// The Gemini API, or Vertex AI: chat, whole or streamed, vectors, models and token counts.
///
/// A model is called by its name (`gemini-2.5-flash`) or its resource name (`tunedModels/mine`, `endpoints/123`,
/// `publishers/meta/models/…`). A name that would lead to another path is refused.
///
/// # How a request is said
/// * Messages of [`Role::System`] become parts of `systemInstruction`, wherever they stand.
/// * Tool results that follow each other are sent together, as Gemini wants the answers to parallel calls. An
///   object is the tool's `response` as it stands, any other text its `output`, and that of a
///   [failed](gatepass_core::ToolResult::is_error) tool its `error`. A call's arguments that are no object are wrapped as
///   `{"INVALID_JSON": …}`.
/// * A schema is sent as JSON Schema (`parametersJsonSchema`, `responseJsonSchema`). `const`, a single `allOf`,
///   exclusive limits, draft 7's `definitions` and a `$ref` beside other members are said in Gemini's words; what
///   it has none for (`not`, `if`, several `allOf`, …) is refused where it shall be followed strictly, and else
///   left to Gemini, which passes over what it doesn't know.
/// * A [strict](gatepass_core::Tool::strict) tool sets the mode `VALIDATED`, unless a tool is chosen. Several calls at once can't
///   be forbidden.
/// * [`ReasoningOptions`] become `thinkingBudget` for Gemini 2.5 and `thinkingLevel` for later models, both never.
///   A model that can't do without thoughts thinks as little as it can. Earlier models aren't told.
/// * [`MediaSource::Id`] is a file's name at the Gemini API, [`MediaSource::Url`] any address that Google reads:
///   `gs://…`, YouTube.
/// * An object in [`ChatRequest::extra`] (`generationConfig`, `toolConfig`) adds to what is said of the same name,
///   and wins within it; any other value (`safetySettings`, `cachedContent`, `labels`) is sent as it stands. So is
///   [`EmbeddingRequest::extra`], with each text.
/// * A conversation of another provider is sent without its thoughts. To Gemini 3, which demands a proof with
///   calls, Google's word for calls of another model is sent in its place.
///
/// # How an answer is read
/// * The first candidate counts. The others of a whole answer (`candidateCount`) are in `extra["candidates"]` of the reply, as
///   they came; those of a stream are passed over.
/// * `STOP` is [`FinishReason::ToolCalls`] where tools are called. Words for withheld content are
///   [`FinishReason::ContentFilter`]; the word itself is then in `extra["finishReason"]`.
/// * A blocked prompt is [`BackendError::Provider`] of the kind [`ContentFilter`](gatepass_core::ErrorKind::ContentFilter), with
///   the reason as its code; but for `OTHER`, which is no judgement on the content and may pass the next time.
/// * A thought's signature is [`ToolCall::signature`], or [`Reasoning::signature`]. Any other part is followed by a
///   [`Reasoning`] without text that has its signature. Sent back, all parts are as they came.
/// * Code and its result, what Google's tools were asked and answered, and images within thoughts are
///   [`Part::Other`]. Grounding, citations, safety ratings and log probabilities are in [`ChatReply::extra`].
/// * A call without id gets one, which isn't sent back.
/// * [`Usage::output_tokens`] counts thoughts, too. Tokens by modality are in [`Usage::extra`].
/// * A stream is complete at its end if it has said why the answer ended. One that ends earlier is
///   [`BackendError::Network`]; an error within it, [`BackendError::Provider`] with status 200. A server that
///   answers in one piece instead, or with one JSON array, is understood.
/// * A whole answer may have 64 MiB, and so may what a stream holds back until it is whole; no answer may have more
///   than 1024 parts in one piece, or calls. More is [`BackendError::Decode`].
///
/// # Errors
/// Google's `status` is the code. A quota a day, and one of nothing at all, is final ([`ErrorKind::Quota`]); any
/// other is waited for as long as `RetryInfo` says, if that is not too long for the [`RetryPolicy`].
///
/// [`BackendError::Decode`]: gatepass_core::BackendError::Decode
/// [`BackendError::Network`]: gatepass_core::BackendError::Network
/// [`BackendError::Provider`]: gatepass_core::BackendError::Provider
/// [`ErrorKind::Quota`]: gatepass_core::ErrorKind::Quota
/// [`FinishReason::ContentFilter`]: gatepass_core::FinishReason::ContentFilter
/// [`FinishReason::ToolCalls`]: gatepass_core::FinishReason::ToolCalls
/// [`MediaSource::Id`]: gatepass_core::MediaSource::Id
/// [`MediaSource::Url`]: gatepass_core::MediaSource::Url
/// [`Part::Other`]: gatepass_core::Part::Other
/// [`Reasoning::signature`]: gatepass_core::Reasoning::signature
/// [`Reasoning`]: gatepass_core::Reasoning
/// [`ReasoningOptions`]: gatepass_core::ReasoningOptions
/// [`Role::System`]: gatepass_core::Role::System
/// [`ToolCall::signature`]: gatepass_core::ToolCall::signature
/// [`Usage::extra`]: gatepass_core::Usage::extra
/// [`Usage::output_tokens`]: gatepass_core::Usage::output_tokens
#[derive(Debug)]
pub struct GeminiBackend {
    client: AuthorizedClient,
    place: Place,
}

impl GeminiBackend {
    /// The address of the Gemini API.
    pub const BASE_URL: &str = GEMINI;

    /// Asks the Gemini API with tokens of `source`: a person's login, or an API key
    /// ([`StaticTokenSource`](gatepass_core::StaticTokenSource)). Nobody else gets them.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if the system's certificates can't be used.
    pub fn new(source: impl TokenSource + 'static) -> Result<Self, ConfigError> {
        Self::at(GEMINI, source)
    }

    /// Asks Vertex AI for `project`'s models at `location`: a region (`europe-west4`), `us` or `eu` for several
    /// regions, or `global`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for what is no id of a project, or no location.
    pub fn vertex(
        project: &str,
        location: &str,
        source: impl TokenSource + 'static,
    ) -> Result<Self, ConfigError> {
        let base_url = Self::vertex_url(project, location)?;
        let http = HttpClient::new(HttpOptions::default())?;
        Ok(Self::with_http(http, base_url, Arc::new(source)))
    }

    /// The address of `project`'s models at `location`: see [`vertex`](Self::vertex).
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for what is no id of a project, or no location.
    pub fn vertex_url(project: &str, location: &str) -> Result<ServerUrl, ConfigError> {
        let base_url = vertex_url(project, location)?;
        ServerUrl::parse(&base_url, "base_url", Transport::Encrypted)
    }

    /// Asks Vertex AI in express mode, where an API key stands for project and location.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn vertex_express(source: impl TokenSource + 'static) -> Result<Self, ConfigError> {
        Self::at(&express_url(), source)
    }

    fn at(base_url: &str, source: impl TokenSource + 'static) -> Result<Self, ConfigError> {
        let base_url = ServerUrl::parse(base_url, "base_url", Transport::Encrypted)?;
        let http = HttpClient::new(HttpOptions::default())?;
        Ok(Self::with_http(http, base_url, Arc::new(source)))
    }

    /// Asks the server at `base_url`, through an HTTP client with options of its own.
    ///
    /// An address that ends in `/publishers/google`, or in `/projects/P/locations/L`, is Vertex AI, and so is
    /// any at one of its hosts; every other one is the Gemini API. An address without a path gets the version:
    /// `v1beta`, or Vertex AI's `v1beta1`.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "as all backends' `with_http`")]
    pub fn with_http(http: HttpClient, base_url: ServerUrl, source: Arc<dyn TokenSource>) -> Self {
        let (root, place) = Place::of(&base_url);
        let client = AuthorizedClient::new(http, root, source, read_error).with_key_header(KEY_HEADER);
        Self { client, place }
    }

    /// Names the project that pays for calls with an OAuth2 token and whose quota they use, in
    /// `x-goog-user-project`. An API key has its project already.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for what no header can carry.
    pub fn with_quota_project(mut self, project: &str) -> Result<Self, ConfigError> {
        let value = HeaderValue::from_str(project)
            .ok()
            .filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| {
            let fix = "write the project's id, my-project for instance";
            ConfigError::invalid("quota_project", "is no id of a Google Cloud project", fix)
        })?;
        self.client = self
            .client
            .with_headers(HeaderMap::from_iter([(QUOTA_PROJECT, value)]));
        Ok(self)
    }

    /// Adds headers to every request. Those of a credential are left out: a request has one, and the source tells it.
    #[must_use]
    pub fn with_headers(mut self, mut headers: HeaderMap) -> Self {
        headers.remove(KEY_HEADER);
        headers.remove(header::AUTHORIZATION);
        self.client = self.client.with_headers(headers);
        self
    }

    /// Sets how failures are tried again: [`RetryPolicy::models`], if nothing is said.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.client = self.client.with_retry(retry);
        self
    }

    /// Begins to ask. The request isn't needed any longer then.
    fn ask<'a>(&'a self, request: &ChatRequest) -> Result<Call<'a>, BackendError> {
        let request = Request::new(request, &self.place)?;
        let path = format!("{}:generateContent", request.model);
        Ok(self.client.post_json(&path, request.encode()?))
    }

    fn ask_for_stream<'a>(&'a self, request: &ChatRequest) -> Result<Call<'a>, BackendError> {
        let request = Request::new(request, &self.place)?;
        let path = format!("{}:streamGenerateContent", request.model);
        let query = [("alt", "sse")];
        Ok(self.client.post_json_with_query(&path, &query, request.encode()?))
    }
}

#[async_trait]
impl LlmBackend for GeminiBackend {
    fn chat<'s: 'a, 'a>(&'s self, request: ChatRequest) -> Answered<'a, ChatReply>
    where
        Self: 'a,
    {
        chat_reply::<Decoder>(self.ask(&request), reply)
    }

    fn chat_stream<'s: 'a, 'a>(&'s self, request: ChatRequest) -> Answered<'a, ChatStream>
    where
        Self: 'a,
    {
        chat_stream::<Decoder>(self.ask_for_stream(&request), reply)
    }

    /// Texts that are too many for one request are sent in several, one after the other.
    async fn embed(&self, request: EmbeddingRequest) -> Result<Embeddings, BackendError> {
        let texts = Texts::new(&request, &self.place)?;
        let path = format!("{}:{}", texts.model, texts.way.method());
        let mut all = Embeddings::default();
        for (count, body) in texts.bodies() {
            let response = self.client.post_json(&path, body).await?;
            all.metadata = gatepass_wire::metadata(&response);
            read_vectors(response, count).await?.add_to(&mut all);
        }
        all.model.clone_from(&request.model);
        Ok(all)
    }

    async fn models(&self) -> Result<Vec<ModelInfo>, BackendError> {
        let mut all = Vec::new();
        let mut token = String::new();
        for _ in 0..PAGES {
            let query = [("pageSize", "1000"), ("pageToken", &*token)];
            let query = if token.is_empty() { &query[..1] } else { &query[..] };
            let response = self.client.get_with_query(self.place.models(), query).await?;
            match read_models(response).await?.add_to(&mut all) {
                Some(next) if next != token => token = next,
                _ => break,
            }
        }
        Ok(all)
    }

    async fn count_tokens(&self, request: &ChatRequest) -> Result<u64, BackendError> {
        let request = Request::new(request, &self.place)?;
        let path = format!("{}:countTokens", request.model);
        let body = request.encode_count(&self.place)?;
        read_count(self.client.post_json(&path, body).await?).await
    }
}
