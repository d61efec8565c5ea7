use crate::config::LlmConfig;
use crate::connect;
use gatepass_core::{
    BackendError, ChatReply, ChatRequest, ChatStream, ConfigError, EmbeddingRequest, Embeddings, LlmBackend,
    Message, ModelInfo,
};
use std::fmt;
use std::sync::Arc;

/// A model that is ready to be asked. Cheap to clone.
///
/// In one process, all `Llm`s of one provider share its token source and its connections.
#[derive(Clone)]
pub struct Llm {
    backend: Arc<dyn LlmBackend>,
    model: String,
    defaults: ChatRequest,
}

impl Llm {
    /// The model `PROVIDER/NAME` of `./litellm_config.json` or `./gatepass.toml`; or a vendor's, by its API key:
    /// `gpt-4o-mini` with `OPENAI_API_KEY`. Asks no server yet.
    ///
    /// # Errors
    /// [`ConfigError`], with what to do about it.
    pub async fn connect(model: impl Into<String>) -> Result<Self, ConfigError> {
        Self::with_config(&LlmConfig::new(model)).await
    }

    /// The model that `config` names. Asks no server yet.
    ///
    /// It is [`connect`](Self::connect) with all that can be said besides. Nothing is waited for today; it is async so that a
    /// configuration which has to be fetched needn't change any caller.
    ///
    /// # Errors
    /// [`ConfigError`], with what to do about it.
    pub async fn with_config(config: &LlmConfig) -> Result<Self, ConfigError> {
        let (backend, model) = connect::connect(config)?;
        let mut defaults = ChatRequest::new([]);
        defaults.temperature = config.temperature;
        defaults.max_tokens = config.max_tokens;
        defaults.top_p = config.top_p;
        Ok(Self {
            backend,
            model,
            defaults,
        })
    }

    /// A model of a backend of your own.
    pub fn new(backend: impl LlmBackend + 'static, model: impl Into<String>) -> Self {
        Self {
            backend: Arc::new(backend),
            model: model.into(),
            defaults: ChatRequest::new([]),
        }
    }

    /// Asks one question and returns the answer's text.
    ///
    /// # Errors
    /// See [`BackendError`].
    pub async fn ask(&self, question: impl Into<String>) -> Result<String, BackendError> {
        Ok(self
            .chat(ChatRequest::new([Message::user(question)]))
            .await?
            .text())
    }

    /// Asks with a whole request. What it leaves open is taken from the configuration.
    ///
    /// # Errors
    /// See [`BackendError`].
    pub async fn chat(&self, request: ChatRequest) -> Result<ChatReply, BackendError> {
        self.backend.chat(self.complete(request)).await
    }

    /// As [`chat`](Self::chat), with the answer as it is written.
    ///
    /// # Errors
    /// See [`BackendError`].
    pub async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        self.backend.chat_stream(self.complete(request)).await
    }

    /// Turns texts into vectors, with this model if the request names none.
    ///
    /// # Errors
    /// See [`BackendError`]; [`BackendError::Unsupported`] where a backend has none.
    pub async fn embed(&self, mut request: EmbeddingRequest) -> Result<Embeddings, BackendError> {
        request.model.get_or_insert_with(|| self.model.clone());
        self.backend.embed(request).await
    }

    /// Counts the input tokens of a request without asking the model.
    ///
    /// # Errors
    /// See [`BackendError`]; [`BackendError::Unsupported`] where a backend has no such count.
    pub async fn count_tokens(&self, request: ChatRequest) -> Result<u64, BackendError> {
        self.backend.count_tokens(&self.complete(request)).await
    }

    /// Lists the models that the credential may use.
    ///
    /// # Errors
    /// See [`BackendError`]; [`BackendError::Unsupported`] where a backend has no list.
    pub async fn models(&self) -> Result<Vec<ModelInfo>, BackendError> {
        self.backend.models().await
    }

    /// The model's name, as its provider knows it.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The backend that answers.
    #[must_use]
    pub const fn backend(&self) -> &Arc<dyn LlmBackend> {
        &self.backend
    }

    fn complete(&self, mut request: ChatRequest) -> ChatRequest {
        request.model.get_or_insert_with(|| self.model.clone());
        request.temperature = request.temperature.or(self.defaults.temperature);
        request.max_tokens = request.max_tokens.or(self.defaults.max_tokens);
        request.top_p = request.top_p.or(self.defaults.top_p);
        request
    }
}

impl fmt::Debug for Llm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Llm")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// Asks the model that `config` names one question and returns the answer's text.
///
/// The configuration is read each time; token and connections are shared with all other calls.
///
/// # Errors
/// See [`BackendError`].
pub async fn call_llm(question: impl Into<String>, config: &LlmConfig) -> Result<String, BackendError> {
    Llm::with_config(config).await?.ask(question).await
}
