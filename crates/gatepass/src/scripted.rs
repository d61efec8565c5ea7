//! A backend for tests: it answers what it was told to, and remembers what it was asked.

use gatepass_core::{
    BackendError, ChatReply, ChatRequest, FinishReason, LlmBackend, Message, Part, Role, ToolCall,
    async_trait,
};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
pub(crate) struct Scripted {
    answers: Arc<Mutex<VecDeque<Result<ChatReply, BackendError>>>>,
    asked: Arc<Mutex<Vec<ChatRequest>>>,
}

impl Scripted {
    pub(crate) fn says(self, text: &str) -> Self {
        self.answers([Part::text(text)], FinishReason::Stop)
    }

    pub(crate) fn calls(self, calls: impl IntoIterator<Item = ToolCall>) -> Self {
        let parts: Vec<_> = calls.into_iter().map(Part::ToolCall).collect();
        self.answers(parts, FinishReason::ToolCalls)
    }

    pub(crate) fn answers(self, parts: impl Into<Vec<Part>>, finish: FinishReason) -> Self {
        let mut reply = ChatReply::new(Message::new(Role::Assistant, parts));
        reply.finish = Some(finish);
        self.answers.lock().unwrap().push_back(Ok(reply));
        self
    }

    pub(crate) fn fails(self, error: BackendError) -> Self {
        self.answers.lock().unwrap().push_back(Err(error));
        self
    }

    pub(crate) fn asked(&self) -> Vec<ChatRequest> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl LlmBackend for Scripted {
    async fn chat(&self, request: ChatRequest) -> Result<ChatReply, BackendError> {
        self.asked.lock().unwrap().push(request);
        self.answers
            .lock()
            .unwrap()
            .pop_front()
            .expect("an answer is scripted")
    }
}
