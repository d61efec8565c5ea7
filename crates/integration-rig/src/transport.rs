use crate::error::provider_error;
use crate::model::Chat;
use futures_util::StreamExt;
use gatepass_core::{ChatEvent, ChatRequest, ChatStream, LlmBackend};
use rig_core::driver::{Exchange, Opened, Opening, Transport};
use rig_core::error::ProviderError;
use rig_core::wire::Mode;
use std::sync::Arc;

/// Carries a request to the backend, and its answer back.
#[derive(Clone)]
pub(crate) struct Answering(Arc<dyn LlmBackend>);

impl Answering {
    pub(crate) fn new(backend: impl LlmBackend + 'static) -> Self {
        Self(Arc::new(backend))
    }
}

impl Transport<Chat> for Answering {
    fn send(&self, request: ChatRequest, exchange: Exchange) -> Opening<ChatEvent> {
        let backend = Arc::clone(&self.0);
        Opening::new(async move {
            match exchange.mode {
                Mode::Unary => whole(&*backend, request).await,
                Mode::Streaming => streamed(&*backend, request).await,
            }
        })
    }
}

async fn whole(backend: &dyn LlmBackend, request: ChatRequest) -> Result<Opened<ChatEvent>, ProviderError> {
    let reply = backend.chat(request).await.map_err(provider_error)?;
    let document = serde_json::to_value(&reply).unwrap_or_default();
    Ok(opened(ChatStream::of_reply(reply)).with_document(document))
}

async fn streamed(
    backend: &dyn LlmBackend,
    request: ChatRequest,
) -> Result<Opened<ChatEvent>, ProviderError> {
    let events = backend.chat_stream(request).await.map_err(provider_error)?;
    Ok(opened(events))
}

fn opened(events: ChatStream) -> Opened<ChatEvent> {
    let request_id = events.metadata().request_id.clone();
    Opened::new(events.map(|event| event.map_err(provider_error))).with_request_id(request_id)
}
