use super::WIRE;
use super::calls::{Calls, TOO_MANY};
use super::chunk::{Choice, Chunk};
use super::content;
use super::delta;
use super::reply::{Answer, Spoken, finish_reason};
use gatepass_core::{ChatEvent, FinishReason, JsonObject, Part, Usage};
use gatepass_wire::Budget;
use gatepass_wire::Content;
use gatepass_wire::{Fault, Progress, StreamDecoder};
use gatepass_wire::{append, merge, replace};
use gatepass_wire::{error_in, read_str};
use std::collections::VecDeque;
use std::mem::take;

/// Reads the chunks of a streamed answer into events.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    events: VecDeque<ChatEvent>,
    calls: Calls,
    started: Started,
    refused: bool,
    /// It has thought.
    thought: bool,
    /// It has said something.
    said: bool,
    /// What it costs has been told.
    counted: bool,
    /// See [`Chunk::others`].
    others: u64,
    finish: Option<FinishReason>,
    /// What the vocabulary doesn't have.
    message_rest: JsonObject,
    reply_rest: JsonObject,
    /// For all that is held back.
    pub(super) budget: Budget,
}

/// Whether the answer has been begun. A server that names it later has that told once more then.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Started {
    #[default]
    No,
    Nameless,
    Named,
}

impl StreamDecoder for Decoder {
    fn read(&mut self, name: &str, data: &str) -> Result<Progress, Fault> {
        match self.read_chunk(data) {
            // An event of another kind, a sign of life for instance.
            Err(Fault::Unreadable(_)) if !matches!(name, "" | "message") => Ok(Progress::More),
            read => read.map(|()| Progress::More),
        }
    }

    fn events(&mut self) -> &mut VecDeque<ChatEvent> {
        &mut self.events
    }

    fn has_finished(&self) -> bool {
        self.finish.is_some()
    }

    fn end(&mut self) {
        self.calls.close(&mut self.events);
        self.break_off();
    }

    fn break_off(&mut self) {
        let message = take(&mut self.message_rest);
        let reply = take(&mut self.reply_rest);
        if !(message.is_empty() && reply.is_empty()) {
            self.events.push_back(ChatEvent::Extra { message, reply });
        }
    }
}

impl Decoder {
    fn read_chunk(&mut self, data: &str) -> Result<(), Fault> {
        // Into its place and from there on by reference: to move it would take a tenth of the time of reading it.
        let mut chunk = Chunk::default();
        read_str(&mut chunk, data).map_err(Fault::Unreadable)?;
        if chunk.object.as_str() == "error" {
            return Err(Fault::Told(
                serde_json::from_str(data).map_err(Fault::Unreadable)?,
            ));
        }
        if chunk.says_nothing()
            && let Some(error) = error_in(data.as_bytes())
        {
            return Err(Fault::Told(error));
        }
        let others = chunk
            .others
            .wrapping_add(chunk.choice.as_ref().map_or(0, |choice| choice.others));
        let is_alike = std::mem::replace(&mut self.others, others) == others;
        if self.started == Started::No || self.finish.is_some() || chunk.choice.is_none() || !is_alike {
            self.keep_rest(data)?;
        }
        self.start(&mut chunk);
        let mut error = chunk.error.take();
        let choice = chunk.choice.as_mut();
        if let Some(choice) = choice.filter(|choice| choice.index.0 <= Some(0)) {
            error = error.or_else(|| choice.error.take());
            self.add_choice(choice, data)?;
        }
        if let Some(usage) = chunk.usage {
            self.count(usage.into_usage());
        }
        error.map_or(Ok(()), |error| Err(Fault::Told(*error)))
    }

    /// The last count counts, if it is one.
    fn count(&mut self, usage: Usage) {
        let counts = [usage.input_tokens, usage.output_tokens, usage.total_tokens];
        if counts.iter().any(Option::is_some) || !self.counted {
            self.counted = true;
            self.events.push_back(ChatEvent::Usage(usage));
        }
    }

    /// Some servers begin with a chunk that says nothing, of their content filter's making for instance.
    fn start(&mut self, chunk: &mut Chunk<'_>) {
        let is_nameless = chunk.id.is_empty() && chunk.model.is_empty();
        self.started = match self.started {
            Started::Named => return,
            Started::Nameless if is_nameless => return,
            Started::No if is_nameless && chunk.choice.is_none() => return,
            _ if is_nameless => Started::Nameless,
            _ => Started::Named,
        };
        self.events.push_back(ChatEvent::Started {
            id: take(&mut chunk.id).into_owned(),
            model: take(&mut chunk.model).into_owned(),
            wire: Some(WIRE.into()),
        });
    }

    fn add_choice(&mut self, choice: &mut Choice<'_>, data: &str) -> Result<(), Fault> {
        if let Some(logprobs) = choice.logprobs.take() {
            let logprobs = [("logprobs".to_owned(), *logprobs)];
            merge(&mut self.reply_rest, logprobs, append, &mut self.budget)?;
        }
        let has_pieces = !choice.delta.tool_calls.is_empty();
        self.add_spoken(&mut choice.delta)?;
        if let Some(mut message) = choice.message.take()
            && !self.said
        {
            self.add_spoken(&mut message)?;
        }
        let finish = finish_reason(take(&mut choice.finish_reason), self.refused);
        if finish.is_some() && finish != self.finish {
            self.keep_rest(data)?;
            // Some servers say with each piece of a call why the answer will end.
            if has_pieces {
                self.calls.tell_whole(&mut self.events);
            } else {
                self.calls.close(&mut self.events);
            }
            self.events.extend(finish.clone().map(ChatEvent::Finish));
            self.finish = finish;
        }
        Ok(())
    }

    fn add_spoken(&mut self, spoken: &mut Spoken<'_>) -> Result<(), Fault> {
        if spoken.has_too_many_calls() {
            return Err(Fault::TooLarge(TOO_MANY));
        }
        if let Some((thought, field)) = spoken.take_thought() {
            self.said = true;
            let field = (!std::mem::replace(&mut self.thought, true)).then_some(field);
            self.events
                .push_back(ChatEvent::Reasoning(super::thought::thought(thought, field)));
        }
        self.add_content(take(&mut spoken.content));
        if let Some(refusal) = take(&mut spoken.refusal).into_owned() {
            (self.refused, self.said) = (true, true);
            self.events.push_back(ChatEvent::Text(refusal));
        }
        if !spoken.tool_calls.is_empty() {
            self.said = true;
            let pieces = take(&mut spoken.tool_calls);
            self.calls.add_all(pieces, &mut self.budget, &mut self.events)?;
        }
        let function = spoken.function_call.take();
        if let Some(function) = function.filter(|function| !function.is_empty()) {
            self.said = true;
            let call = (*function).into();
            self.calls.add(call, &mut self.budget, &mut self.events)?;
        }
        match spoken.rest.take() {
            Some(rest) => delta::add(&mut self.message_rest, rest, &mut self.budget),
            None => Ok(()),
        }
    }

    fn add_content(&mut self, content: Content<'_>) {
        match content {
            Content::None => {}
            // The rule, without a list.
            Content::Text(text) if text.is_empty() => {}
            Content::Text(text) => {
                self.said = true;
                self.events.push_back(ChatEvent::Text(text.into_owned()));
            }
            pieces @ Content::Other(_) => {
                self.said = true;
                for part in content::parts(pieces) {
                    match part {
                        Part::Text(gatepass_core::Text { text, extra, .. }) => {
                            self.events.push_back(ChatEvent::Text(text));
                            if !extra.is_empty() {
                                self.events.push_back(ChatEvent::PartExtra(extra));
                            }
                        }
                        Part::Reasoning(thought) => self.events.push_back(ChatEvent::Reasoning(thought)),
                        part => self.events.push_back(ChatEvent::Part(part)),
                    }
                }
            }
        }
    }

    /// Reads a chunk once more, for what the vocabulary doesn't have. The first chunk and the last ones tell
    /// it, and one that has other members than the one before it; to look for it in all of them would take longer than
    /// to read them.
    fn keep_rest(&mut self, data: &str) -> Result<(), Fault> {
        let Ok(mut answer) = Answer::read_chunk(data) else {
            return Ok(());
        };
        if answer.has_usage_elsewhere() {
            self.events.extend(answer.take_usage().map(ChatEvent::Usage));
        }
        let rest = answer.take_rest().into_iter();
        let rest = rest.filter(|(name, _)| name != "logprobs");
        merge(&mut self.reply_rest, rest, replace, &mut self.budget)
    }
}
