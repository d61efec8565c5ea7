use crate::chat::{ChatReply, ChatRequest, ChatStream, EmbeddingRequest, Embeddings, ModelInfo};
use crate::error::BackendError;
use async_trait::async_trait;
use std::pin::Pin;
use std::sync::Arc;

/// Anything that can answer a [`ChatRequest`].
///
/// One method is required; the others say [`BackendError::Unsupported`] until a backend has them, but for
/// [`chat_stream`](Self::chat_stream), which then answers in one piece. In the repository, `examples/custom_backend.rs` is a
/// short one that keeps the contract.
#[async_trait]
pub trait LlmBackend: Send + Sync {
    /// Asks the model and returns its whole answer.
    ///
    /// Safe to call from many tasks at once; dropping the future closes the connection.
    ///
    /// # Errors
    /// See [`BackendError`]; [`BackendError::advice`] tells what the caller can do.
    async fn chat(&self, request: ChatRequest) -> Result<ChatReply, BackendError>;

    /// Asks the model and returns its answer as it is written. Dropping the stream closes the connection.
    ///
    /// # Errors
    /// As [`chat`](Self::chat), before the first event; later ones come through the stream.
    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        Ok(ChatStream::of_reply(self.chat(request).await?))
    }

    /// Turns each text into a vector.
    ///
    /// # Errors
    /// [`BackendError::Unsupported`] where a backend has none.
    async fn embed(&self, request: EmbeddingRequest) -> Result<Embeddings, BackendError> {
        _ = request;
        Err(BackendError::Unsupported { what: "embeddings" })
    }

    /// Lists the models that the credential may use.
    ///
    /// # Errors
    /// [`BackendError::Unsupported`] where a backend has none.
    async fn models(&self) -> Result<Vec<ModelInfo>, BackendError> {
        Err(BackendError::Unsupported {
            what: "a list of models",
        })
    }

    /// Counts the input tokens of a request without asking the model.
    ///
    /// # Errors
    /// [`BackendError::Unsupported`] where a backend has none.
    async fn count_tokens(&self, request: &ChatRequest) -> Result<u64, BackendError> {
        _ = request;
        Err(BackendError::Unsupported { what: "token counts" })
    }
}

/// What [`macro@async_trait`] makes of an `async fn`, for who writes a method of [`LlmBackend`] without it: to hand on
/// another backend's future, or to be done with the request before there is one, which would hold it until it ends.
pub type Answered<'a, T> = Pin<Box<dyn Future<Output = Result<T, BackendError>> + Send + 'a>>;

impl<T: LlmBackend + ?Sized> LlmBackend for Arc<T> {
    fn chat<'s: 'a, 'a>(&'s self, request: ChatRequest) -> Answered<'a, ChatReply>
    where
        Self: 'a,
    {
        self.as_ref().chat(request)
    }

    fn chat_stream<'s: 'a, 'a>(&'s self, request: ChatRequest) -> Answered<'a, ChatStream>
    where
        Self: 'a,
    {
        self.as_ref().chat_stream(request)
    }

    fn embed<'s: 'a, 'a>(&'s self, request: EmbeddingRequest) -> Answered<'a, Embeddings>
    where
        Self: 'a,
    {
        self.as_ref().embed(request)
    }

    fn models<'s: 'a, 'a>(&'s self) -> Answered<'a, Vec<ModelInfo>>
    where
        Self: 'a,
    {
        self.as_ref().models()
    }

    fn count_tokens<'s: 'a, 'r: 'a, 'a>(&'s self, request: &'r ChatRequest) -> Answered<'a, u64>
    where
        Self: 'a,
    {
        self.as_ref().count_tokens(request)
    }
}
