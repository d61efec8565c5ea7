use super::WIRE;
use super::answer::{Answer, Candidate, TOO_MANY, finish_reason, lost_word};
use super::piece::{Calls, Piece};
use super::usage::usage;
use gatepass_core::{ChatEvent, FinishReason, JsonObject, Part, Reasoning, Text};
use gatepass_wire::{Budget, Fault, ITEMS_LIMIT, Progress, StreamDecoder, append, merge, replace};
use std::collections::VecDeque;

/// Lists that a stream tells piece by piece; all others come whole, and maybe again.
const IN_PIECES: [&str; 2] = ["logprobsResult", "citationMetadata"];

/// Reads the chunks of a streamed answer into events.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    events: VecDeque<ChatEvent>,
    calls: Calls,
    started: bool,
    finish: Option<FinishReason>,
    tail: Tail,
    /// As JSON, and told with the end: each chunk tells it anew.
    usage: String,
    /// What the vocabulary doesn't have.
    message_rest: JsonObject,
    reply_rest: JsonObject,
    /// For all that is held back.
    budget: Budget,
}

/// What the part that was told last is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// Text that the next text goes on with.
    Text,
    /// Text with fields of its own, which no other text belongs to.
    SealedText,
    /// A thought that the next thought goes on with.
    Thought,
    /// A thought with fields of its own.
    SealedThought,
    #[default]
    Other,
}

impl StreamDecoder for Decoder {
    fn read(&mut self, name: &str, data: &str) -> Result<Progress, Fault> {
        let mut chunk = match Answer::read_chunk(data) {
            Ok(chunk) => chunk,
            // An event of another kind, a sign of life for instance.
            Err(_) if !matches!(name, "" | "message") => return Ok(Progress::More),
            Err(error) => return Err(Fault::Unreadable(error)),
        };
        if chunk.has_too_many_parts() {
            return Err(Fault::TooLarge(TOO_MANY));
        }
        self.start(&chunk);
        let error = chunk.take_error();
        if let Some(told) = chunk.usage {
            self.usage.clear();
            self.usage.push_str(told.get());
        }
        let rest = std::mem::take(&mut chunk.rest);
        merge(&mut self.reply_rest, rest, replace, &mut self.budget)?;
        if let Some(candidate) = chunk.candidate.filter(|candidate| candidate.index.0 <= Some(0)) {
            self.add(candidate)?;
        } else if self.finish.is_some() {
            self.tell_usage();
        }
        error.map_or(Ok(Progress::More), |error| Err(Fault::Told(error)))
    }

    fn events(&mut self) -> &mut VecDeque<ChatEvent> {
        &mut self.events
    }

    fn has_finished(&self) -> bool {
        self.finish.is_some()
    }

    fn end(&mut self) {
        self.break_off();
    }

    fn break_off(&mut self) {
        self.tell_usage();
        let message = std::mem::take(&mut self.message_rest);
        let reply = std::mem::take(&mut self.reply_rest);
        if !(message.is_empty() && reply.is_empty()) {
            self.events.push_back(ChatEvent::Extra { message, reply });
        }
    }
}

impl Decoder {
    fn start(&mut self, chunk: &Answer<'_>) {
        if self.started || (chunk.id.is_empty() && chunk.model.is_empty() && chunk.candidate.is_none()) {
            return;
        }
        self.started = true;
        self.calls = Calls::of(&chunk.id);
        let said = |text: &gatepass_wire::Text<'_>| (!text.is_empty()).then(|| text.as_str().to_owned());
        self.events.push_back(ChatEvent::Started {
            id: said(&chunk.id),
            model: said(&chunk.model),
            wire: Some(WIRE.into()),
        });
    }

    fn tell_usage(&mut self) {
        self.events.extend(usage(&self.usage).map(ChatEvent::Usage));
        self.usage.clear();
    }

    fn add(&mut self, candidate: Candidate<'_>) -> Result<(), Fault> {
        let mut is_first = true;
        for piece in candidate.content.parts {
            self.add_piece(piece, is_first)?;
            is_first = false;
        }
        merge(
            &mut self.message_rest,
            candidate.content.rest,
            replace,
            &mut self.budget,
        )?;
        for (name, value) in candidate.rest {
            let join = if IN_PIECES.contains(&&*name) {
                append
            } else {
                replace
            };
            merge(&mut self.reply_rest, [(name, value)], join, &mut self.budget)?;
        }
        if !candidate.finish_reason.is_empty()
            && let Some(call) = self.calls.close()
        {
            self.add_whole(call);
        }
        let finish = finish_reason(&candidate.finish_reason, self.calls.count > 0);
        if finish.is_some() && finish != self.finish {
            self.reply_rest
                .extend(lost_word(&candidate.finish_reason, finish.as_ref()));
            self.tell_usage();
            self.events.extend(finish.clone().map(ChatEvent::Finish));
            self.finish = finish;
        }
        Ok(())
    }

    fn add_piece(&mut self, piece: Piece<'_>, is_first: bool) -> Result<(), Fault> {
        self.budget.take(piece.held_back())?;
        let [part, other] = piece.into_parts(&mut self.calls);
        if self.calls.count > ITEMS_LIMIT {
            return Err(Fault::TooLarge(TOO_MANY));
        }
        let is_signed = other.is_some();
        for part in [part, other].into_iter().flatten() {
            match part {
                Part::Text(text) => self.add_text(text, is_first && !is_signed),
                Part::Reasoning(thought) => self.add_thought(thought, is_first),
                part => self.add_whole(part),
            }
        }
        Ok(())
    }

    /// Texts of two chunks are one text; but Google wants a part with a signature, and one with fields of its own, as
    /// it came.
    fn add_text(&mut self, text: Text, goes_on: bool) {
        let is_plain = goes_on && text.extra.is_empty();
        if self.tail == Tail::SealedText || (self.tail == Tail::Text && !is_plain) {
            self.events.push_back(ChatEvent::Part(Part::text("")));
        }
        self.events.push_back(ChatEvent::Text(text.text));
        self.tail = Tail::Text;
        if !text.extra.is_empty() {
            self.events.push_back(ChatEvent::PartExtra(text.extra));
            self.tail = Tail::SealedText;
        }
    }

    /// As [`add_text`](Self::add_text). A proof without a thought is told whole, so that no thought takes it for its
    /// own.
    fn add_thought(&mut self, thought: Reasoning, goes_on: bool) {
        if thought.text.is_empty() {
            self.events.push_back(ChatEvent::Part(Part::Reasoning(thought)));
            self.tail = Tail::Other;
            return;
        }
        let is_plain = goes_on && thought.signature.is_none() && thought.extra.is_empty();
        if self.tail == Tail::SealedThought || (self.tail == Tail::Thought && !is_plain) {
            self.events
                .push_back(ChatEvent::Part(Part::Reasoning(Reasoning::default())));
        }
        self.tail = match thought {
            Reasoning {
                signature: Some(_), ..
            } => Tail::Other,
            _ if thought.extra.is_empty() => Tail::Thought,
            _ => Tail::SealedThought,
        };
        self.events.push_back(ChatEvent::Reasoning(thought));
    }

    fn add_whole(&mut self, part: Part) {
        self.tail = Tail::Other;
        match part {
            Part::ToolCall(call) => {
                let index = self.calls.count - 1;
                self.events.extend([
                    ChatEvent::ToolCallStart {
                        index,
                        id: call.id.clone(),
                        name: call.name.clone(),
                    },
                    ChatEvent::ToolCallArguments {
                        index,
                        arguments: call.arguments.clone(),
                    },
                    ChatEvent::ToolCall(call),
                ]);
            }
            part => self.events.push_back(ChatEvent::Part(part)),
        }
    }
}
