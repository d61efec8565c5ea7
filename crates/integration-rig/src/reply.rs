//! A backend's answer, in rig's words.

use crate::kept::{Kept, is_plain};
use crate::request::image_to_rig;
use gatepass_core::{ChatEvent, FinishReason, JsonObject, Part, Reasoning, Text, ToolCall, Usage};
use rig_core::completion as rig;
use rig_core::error::ProviderError;
use rig_core::message::{CallId, ToolName};
use rig_core::operation::{Block, CallFragment, Completion, Finish};
use rig_core::wire::{Decoder, Flow, Out, WireEvent};
use std::borrow::Cow;
use std::collections::HashMap;
use std::marker::PhantomData;

/// Reads the events of one answer.
#[derive(Default)]
pub(crate) struct Reader<'id> {
    wire: Option<Cow<'static, str>>,
    /// The part that came last, still open: more of it may follow.
    last: Option<(usize, Part)>,
    /// The calls whose arguments are on their way: rig's index of each, by gatepass's and by id.
    calls: HashMap<usize, usize>,
    ids: HashMap<String, usize>,
    finish: Finish,
    brand: PhantomData<fn(&'id ()) -> &'id ()>,
}

type Written = Result<(), ProviderError>;

impl<'id> Decoder<'id, Completion, ChatEvent> for Reader<'id> {
    type Event = ChatEvent;

    fn classify(&self, event: ChatEvent) -> WireEvent<ChatEvent> {
        WireEvent::Known(event)
    }

    fn decode(&mut self, event: ChatEvent, mut out: Out<'id, Completion>) -> Result<Flow, ProviderError> {
        match event {
            ChatEvent::Started { id, model, wire } => {
                self.finish.response_id = id;
                self.finish.model = model;
                self.wire = wire;
            }
            ChatEvent::Text(more) => self.text(&mut out, more)?,
            ChatEvent::Reasoning(more) => self.reasoning(&mut out, more)?,
            ChatEvent::ToolCallStart { index, id, name } => self.call_starts(&mut out, index, id, &name)?,
            ChatEvent::ToolCallArguments { index, arguments } => {
                if let Some(&index) = self.calls.get(&index) {
                    out.push(index, &arguments)?;
                }
            }
            ChatEvent::ToolCall(call) => self.call_ends(&mut out, call)?,
            ChatEvent::Part(part) => self.part(&mut out, part)?,
            ChatEvent::PartExtra(more) => {
                if let Some((_, part)) = &mut self.last {
                    extend(part.extra_mut(), more);
                }
            }
            ChatEvent::Extra { message, .. } if !message.is_empty() => self.message(&mut out, message)?,
            ChatEvent::Usage(usage) => self.finish.usage = usage_of(&usage),
            ChatEvent::Finish(reason) => self.finish.reason = Some(reason_of(reason)),
            // The rest of an answer's fields is in its document.
            _ => {}
        }
        Ok(Flow::More)
    }

    /// A backend's stream ends after the answer, or with an error.
    fn eof(&mut self, mut out: Out<'id, Completion>) -> Result<Flow, ProviderError> {
        self.close(&mut out)?;
        Ok(out.end(std::mem::take(&mut self.finish)))
    }
}

impl<'id> Reader<'id> {
    fn text(&mut self, out: &mut Out<'id, Completion>, more: String) -> Written {
        if let Some((index, Part::Text(text))) = &mut self.last {
            text.text.push_str(&more);
            return out.push(*index, &more);
        }
        self.open(out, Block::Text, &more, Part::Text(Text::new(more.clone())))
    }

    fn reasoning(&mut self, out: &mut Out<'id, Completion>, more: Reasoning) -> Written {
        match &mut self.last {
            Some((index, Part::Reasoning(thought))) if thought.signature.is_none() => {
                thought.text.push_str(&more.text);
                thought.signature = more.signature;
                extend(&mut thought.extra, more.extra);
                out.push(*index, &more.text)
            }
            _ => {
                let redacted = more.text.is_empty() && more.signature.is_some();
                let text = more.text.clone();
                self.open(out, Block::Reasoning { redacted }, &text, Part::Reasoning(more))
            }
        }
    }

    fn call_starts(
        &mut self,
        out: &mut Out<'id, Completion>,
        number: usize,
        id: String,
        name: &str,
    ) -> Written {
        self.close(out)?;
        let index = out.fresh_index();
        let fragment = CallFragment {
            id: Some(&id),
            name: Some(name),
            arguments: None,
        };
        out.fragment(Some(index), fragment)?;
        self.calls.insert(number, index);
        self.ids.insert(id, index);
        Ok(())
    }

    fn call_ends(&mut self, out: &mut Out<'id, Completion>, call: ToolCall) -> Written {
        if let Some(index) = self.ids.remove(&call.id) {
            self.close(out)?;
            out.restate(index, &call.arguments)?;
            self.last = Some((index, Part::ToolCall(call)));
            return Ok(());
        }
        let Ok(name) = ToolName::new(call.name.clone()) else {
            return Err(ProviderError::Response(
                "the model called a tool without a name".into(),
            ));
        };
        let block = Block::Call {
            id: CallId::from_wire(call.id.clone()),
            name,
        };
        let arguments = call.arguments.clone();
        self.open(out, block, &arguments, Part::ToolCall(call))
    }

    fn part(&mut self, out: &mut Out<'id, Completion>, part: Part) -> Written {
        let (block, text) = match &part {
            Part::Text(text) => (Block::Text, text.text.clone()),
            Part::Reasoning(thought) => (Block::Reasoning { redacted: false }, thought.text.clone()),
            Part::Image(image) => (Block::Image(image_to_rig(image)), String::new()),
            Part::ToolCall(call) => return self.call_ends(out, call.clone()),
            _ => (Block::Opaque { replay: true }, String::new()),
        };
        self.open(out, block, &text, part)
    }

    fn message(&mut self, out: &mut Out<'id, Completion>, message: JsonObject) -> Written {
        self.close(out)?;
        let kept = Kept {
            wire: self.wire.clone(),
            part: None,
            message,
        };
        let index = out.fresh_index();
        out.whole(index, Block::Opaque { replay: true }, kept.to_item(), "")
    }

    fn open(&mut self, out: &mut Out<'id, Completion>, block: Block, text: &str, part: Part) -> Written {
        self.close(out)?;
        let index = out.fresh_index();
        out.open(index, block, serde_json::Value::Null)?;
        out.push(index, text)?;
        self.last = Some((index, part));
        Ok(())
    }

    fn close(&mut self, out: &mut Out<'id, Completion>) -> Written {
        let Some((index, part)) = self.last.take() else {
            return Ok(());
        };
        if !is_plain(&part) {
            let kept = Kept {
                wire: self.wire.clone(),
                part: Some(part),
                message: JsonObject::new(),
            };
            out.edit(index, |item| *item = kept.to_item())?;
        }
        out.finish(index)
    }
}

/// As gatepass does: a list goes on with the list of the same name.
fn extend(extra: &mut JsonObject, more: JsonObject) {
    for (field, value) in more {
        match (extra.get_mut(&field), value) {
            (Some(serde_json::Value::Array(list)), serde_json::Value::Array(more)) => list.extend(more),
            (_, value) => {
                extra.insert(field, value);
            }
        }
    }
}

fn reason_of(reason: FinishReason) -> rig::FinishReason {
    match reason {
        FinishReason::Stop => rig::FinishReason::Stop,
        FinishReason::Length => rig::FinishReason::Length,
        FinishReason::ToolCalls => rig::FinishReason::ToolCalls,
        FinishReason::ContentFilter => rig::FinishReason::ContentFilter,
        FinishReason::Other(word) => rig::FinishReason::Other(word),
        other => rig::FinishReason::Other(format!("{other:?}")),
    }
}

fn usage_of(usage: &Usage) -> rig::Usage {
    rig::Usage::new()
        .input_tokens(usage.input_tokens)
        .output_tokens(usage.output_tokens)
        .total_tokens(usage.total_tokens)
        .cached_input_tokens(usage.cached_input_tokens)
        .cache_creation_input_tokens(usage.cache_write_tokens)
        .reasoning_tokens(usage.reasoning_tokens)
}
