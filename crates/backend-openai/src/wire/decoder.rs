use super::calls::Calls;
use super::content;
use super::lenient::{Content, Count, First, Indexed, Text};
use super::reply::{Answer, Call, Spoken, finish_reason};
use super::usage::Tokens;
use gatepass_core::{ChatEvent, FinishReason, JsonObject, Part, Reasoning};
use serde::Deserialize;
use serde_json::Value;
use std::collections::VecDeque;

/// Reads the chunks of a streamed answer into events.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    pub(crate) events: VecDeque<ChatEvent>,
    calls: Calls,
    started: bool,
    refused: bool,
    finish: Option<FinishReason>,
    /// What the vocabulary doesn't have.
    message_rest: JsonObject,
    reply_rest: JsonObject,
}

/// Why a chunk ends the stream.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It can't be read.
    Unreadable(serde_json::Error),
    /// It tells of an error.
    Told(Value),
    /// The arguments of its tool calls are larger than anyone wants.
    TooLarge,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chunk<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    object: Text<'a>,
    #[serde(borrow)]
    choices: First<Choice<'a>>,
    usage: Option<Tokens>,
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice<'a> {
    index: Count,
    #[serde(borrow)]
    delta: Option<Spoken<'a>>,
    #[serde(borrow)]
    finish_reason: Text<'a>,
    logprobs: Option<Value>,
}

impl Indexed for Choice<'_> {
    fn index(&self) -> Option<u64> {
        self.index.0
    }
}

impl Decoder {
    /// Reads the data of one event.
    pub(crate) fn read(&mut self, data: &str) -> Result<(), Fault> {
        let chunk: Chunk<'_> = serde_json::from_str(data).map_err(Fault::Unreadable)?;
        if chunk.object.as_str() == "error" {
            return Err(Fault::Told(
                serde_json::from_str(data).map_err(Fault::Unreadable)?,
            ));
        }
        if !self.started || self.finish.is_some() || chunk.choices.0.is_none() {
            self.keep_rest(data);
        }
        self.start(chunk.id, chunk.model, chunk.choices.0.is_some());
        let choice = chunk.choices.0.unwrap_or_default();
        if choice.index.0.unwrap_or_default() == 0 {
            self.add_choice(choice, data)?;
        }
        self.events
            .extend(chunk.usage.map(|usage| ChatEvent::Usage(usage.usage())));
        chunk.error.map_or(Ok(()), |error| Err(Fault::Told(error)))
    }

    /// Whether the server has said why the answer ended.
    pub(crate) const fn has_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Tells what is left at the end of a complete answer.
    pub(crate) fn end(&mut self) {
        self.calls.close(&mut self.events);
        self.break_off();
    }

    /// Tells what is left when the answer breaks off; a tool call that isn't whole stays untold.
    pub(crate) fn break_off(&mut self) {
        let message = std::mem::take(&mut self.message_rest);
        let reply = std::mem::take(&mut self.reply_rest);
        if !(message.is_empty() && reply.is_empty()) {
            self.events.push_back(ChatEvent::Extra { message, reply });
        }
    }

    /// Some servers begin with a chunk that says nothing, of their content filter's making for instance.
    fn start(&mut self, id: Text<'_>, model: Text<'_>, has_choice: bool) {
        if self.started || (id.is_empty() && model.is_empty() && !has_choice) {
            return;
        }
        self.started = true;
        self.events.push_back(ChatEvent::Started {
            id: id.into_owned(),
            model: model.into_owned(),
        });
    }

    fn add_choice(&mut self, choice: Choice<'_>, data: &str) -> Result<(), Fault> {
        if let Some(logprobs) = choice.logprobs {
            merge(&mut self.reply_rest, [("logprobs".to_owned(), logprobs)], append);
        }
        if let Some(spoken) = choice.delta {
            self.add_spoken(spoken)?;
        }
        let finish = finish_reason(choice.finish_reason, self.refused);
        if finish.is_some() && finish != self.finish {
            self.keep_rest(data);
            self.calls.close(&mut self.events);
            self.events.extend(finish.clone().map(ChatEvent::Finish));
            self.finish = finish;
        }
        Ok(())
    }

    fn add_spoken(&mut self, mut spoken: Spoken<'_>) -> Result<(), Fault> {
        let thought = spoken.take_thought().into_owned();
        self.events
            .extend(thought.map(|text| ChatEvent::Reasoning(Reasoning::new(text))));
        self.add_content(spoken.content);
        self.refused |= !spoken.refusal.is_empty();
        self.events
            .extend(spoken.refusal.into_owned().map(ChatEvent::Text));
        for call in spoken.tool_calls.into_iter().flatten() {
            self.calls.add(call, &mut self.events)?;
        }
        if let Some(function) = spoken.function_call.filter(|function| !function.is_empty()) {
            self.calls.add(Call::of_function(function), &mut self.events)?;
        }
        merge(&mut self.message_rest, spoken.rest.0, append);
        Ok(())
    }

    fn add_content(&mut self, content: Content<'_>) {
        // The rule, without a list.
        if let Content::Text(text) = content {
            self.events
                .extend(Text::from(text).into_owned().map(ChatEvent::Text));
            return;
        }
        self.events
            .extend(content::parts(content).into_iter().map(|part| match part {
                Part::Text(text) => ChatEvent::Text(text),
                Part::Reasoning(thought) => ChatEvent::Reasoning(thought),
                part => ChatEvent::Part(part),
            }));
    }

    /// Reads a chunk once more, for what the vocabulary doesn't have. The first chunk and the last ones tell
    /// it; to look for it in all of them would take longer than to read them.
    fn keep_rest(&mut self, data: &str) {
        if let Ok(answer) = serde_json::from_str::<Answer<'_>>(data) {
            let rest = answer.into_rest().into_iter();
            let rest = rest.filter(|(name, _)| name != "logprobs");
            merge(&mut self.reply_rest, rest, replace);
        }
    }
}

/// Adds members that come in several chunks. Objects are merged, `join` joins two lists, and of anything else
/// the last one counts.
fn merge(
    into: &mut JsonObject,
    members: impl IntoIterator<Item = (String, Value)>,
    join: fn(&mut Vec<Value>, Vec<Value>),
) {
    for (name, value) in members {
        match (into.get_mut(&name), value) {
            (Some(Value::Array(items)), Value::Array(more)) => join(items, more),
            (Some(Value::Object(inner)), Value::Object(more)) => merge(inner, more, join),
            (_, value) => {
                into.insert(name, value);
            }
        }
    }
}

/// A list comes in pieces.
fn append(items: &mut Vec<Value>, more: Vec<Value>) {
    items.extend(more);
}

/// A list comes whole, and maybe again.
fn replace(items: &mut Vec<Value>, again: Vec<Value>) {
    *items = again;
}
