use crate::chat::{ChatReply, ChatRequest, ChatStream, EmbeddingRequest, Embeddings, ModelInfo};
use crate::error::BackendError;
use async_trait::async_trait;
use std::sync::Arc;

/// Anything that can answer a [`ChatRequest`].
///
/// One method is required; the others say [`BackendError::Unsupported`] until a backend has them, but for
/// [`chat_stream`](Self::chat_stream), which then answers in one piece.
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

#[async_trait]
impl<T: LlmBackend + ?Sized> LlmBackend for Arc<T> {
    async fn chat(&self, request: ChatRequest) -> Result<ChatReply, BackendError> {
        self.as_ref().chat(request).await
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        self.as_ref().chat_stream(request).await
    }

    async fn embed(&self, request: EmbeddingRequest) -> Result<Embeddings, BackendError> {
        self.as_ref().embed(request).await
    }

    async fn models(&self) -> Result<Vec<ModelInfo>, BackendError> {
        self.as_ref().models().await
    }

    async fn count_tokens(&self, request: &ChatRequest) -> Result<u64, BackendError> {
        self.as_ref().count_tokens(request).await
    }
}
