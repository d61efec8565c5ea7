use super::{KEY, MODEL, PROMPT, SYSTEM};
use crate::Job;
use crate::stub::{TEXT, stream_bytes};
use gatepass_core::{
    AccessToken, CachedTokenSource, ChatEvent, ChatRequest, LlmBackend, Message, StaticTokenSource,
};
use gatepass_openai::OpenAiBackend;
use std::error::Error;
use std::sync::Arc;

const NAME: &str = "gatepass";

/// The backend as users have it: with a cached token, retries, timeouts and limits.
#[derive(Clone)]
pub(crate) struct Ours(Arc<OpenAiBackend>);

impl Ours {
    pub(crate) fn new(base_url: &str) -> Result<Self, Box<dyn Error>> {
        let source = CachedTokenSource::new(StaticTokenSource::new(AccessToken::bearer(KEY)?));
        Ok(Self(Arc::new(OpenAiBackend::new(base_url, source)?)))
    }

    pub(crate) fn call(self) -> Job {
        Job::new(NAME, TEXT.len(), move || {
            let backend = Arc::clone(&self.0);
            async move {
                let reply = backend.chat(request()).await;
                reply.map_or(0, |reply| reply.text().len())
            }
        })
    }

    pub(crate) fn stream(self) -> Job {
        Job::new(NAME, stream_bytes(), move || {
            let backend = Arc::clone(&self.0);
            async move {
                let Ok(mut events) = backend.chat_stream(request()).await else {
                    return 0;
                };
                let mut bytes = 0;
                while let Ok(Some(event)) = events.try_next().await {
                    if let ChatEvent::Text(text) = event {
                        bytes += text.len();
                    }
                }
                bytes
            }
        })
    }
}

fn request() -> ChatRequest {
    ChatRequest::new([Message::system(SYSTEM), Message::user(PROMPT)]).with_model(MODEL)
}
