use gatepass_core::{ChatEvent, ChatReply};
use rig_core::operation::Completion;
use rig_core::wire::document::{Reassemble, Serves};
use serde_json::Value;

/// A streamed answer put together again: what rig calls its raw document.
#[derive(Debug, Default)]
pub(crate) struct Document(ChatReply);

impl Serves<Completion> for Document {}

impl Reassemble<ChatEvent> for Document {
    fn absorb(&mut self, event: &ChatEvent) {
        self.0.add(event.clone());
    }

    fn finish(self) -> Value {
        serde_json::to_value(self.0).unwrap_or_default()
    }
}
