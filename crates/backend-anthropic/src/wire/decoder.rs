use super::WIRE;
use super::event::{Delta, Event};
use super::finish::finish_reason;
use super::open::{Open, Told};
use super::part::Piece;
use super::reply::{Answer, TOO_MANY};
use super::usage::Tokens;
use gatepass_core::{ChatEvent, FinishReason, JsonObject};
use gatepass_wire::{Budget, Fault, ITEMS_LIMIT, Progress, StreamDecoder, append, from_str, merge};
use serde_json::Value;
use std::collections::VecDeque;

/// Reads the events of a streamed answer into ours.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    told: Told,
    /// The pieces that are being written: one, as a rule.
    open: Vec<Open>,
    pieces: usize,
    started: bool,
    finish: Option<FinishReason>,
    tokens: Tokens,
    /// What the vocabulary doesn't have.
    rest: JsonObject,
    /// For all that is held back.
    pub(super) budget: Budget,
}

impl StreamDecoder for Decoder {
    fn read(&mut self, name: &str, data: &str) -> Result<Progress, Fault> {
        match from_str(data) {
            Ok(event) => self.add(event, name),
            // An event of another kind, a sign of life for instance.
            Err(_) if !is_ours(name) => Ok(Progress::More),
            Err(error) => Err(Fault::Unreadable(error)),
        }
    }

    fn events(&mut self) -> &mut VecDeque<ChatEvent> {
        &mut self.told.events
    }

    fn has_finished(&self) -> bool {
        self.finish.is_some()
    }

    fn end(&mut self) {
        for open in std::mem::take(&mut self.open) {
            open.close(&mut self.told);
        }
        self.break_off();
    }

    fn break_off(&mut self) {
        for open in std::mem::take(&mut self.open)
            .into_iter()
            .filter(Open::may_be_cut)
        {
            open.close(&mut self.told);
        }
        let reply = std::mem::take(&mut self.rest);
        if !reply.is_empty() {
            let message = JsonObject::new();
            self.told.events.push_back(ChatEvent::Extra { message, reply });
        }
    }
}

fn is_ours(name: &str) -> bool {
    matches!(name, "" | "message") || name.starts_with("message_") || name.starts_with("content_block_")
}

impl Decoder {
    fn add(&mut self, mut event: Event<'_>, name: &str) -> Result<Progress, Fault> {
        let kind = std::mem::take(&mut event.kind);
        let kind = if kind.is_empty() { name } else { kind.as_str() };
        match kind {
            "message_start" => {
                if let Some(message) = event.message {
                    self.start(*message)?;
                }
            }
            "content_block_start" => {
                if let Some(piece) = event.content_block {
                    self.open(event.index.0, piece)?;
                }
                self.keep(event.rest)?;
            }
            "content_block_delta" => {
                self.go_on(event.index.0, event.delta)?;
                self.keep(event.rest)?;
            }
            "content_block_stop" => {
                self.keep(event.rest)?;
                if let Some(position) = self.position(event.index.0) {
                    self.open.remove(position).close(&mut self.told);
                }
            }
            "message_delta" => {
                self.count(event.usage);
                self.keep(event.rest)?;
                self.finish(event.delta.stop_reason.as_str(), event.delta.rest)?;
            }
            "message_stop" => return Ok(Progress::Done),
            "error" => return Err(Fault::Told(event.error.map_or(Value::Null, |error| *error))),
            // Gateways tell their own errors without a type.
            "" | "message" => {
                return event
                    .error
                    .map_or(Ok(Progress::More), |error| Err(Fault::Told(*error)));
            }
            _ => {}
        }
        Ok(Progress::More)
    }

    /// Begins the answer. One that goes on with what a program on the server's side asks for may be told whole here.
    fn start(&mut self, mut message: Answer<'_>) -> Result<(), Fault> {
        if self.started {
            return Ok(());
        }
        let word = std::mem::take(&mut message.stop_reason);
        let is_whole = !message.content.is_empty();
        self.started = true;
        self.told.events.push_back(ChatEvent::Started {
            id: message.id.into_owned(),
            model: message.model.into_owned(),
            wire: Some(WIRE.into()),
        });
        self.count(message.usage);
        self.keep(message.rest)?;
        for piece in message.content {
            self.open(None, piece)?;
            if let Some(open) = self.open.pop() {
                open.close(&mut self.told);
            }
        }
        if is_whole {
            self.finish(word.as_str(), JsonObject::new())?;
        }
        Ok(())
    }

    fn open(&mut self, index: Option<u64>, piece: Piece) -> Result<(), Fault> {
        self.pieces += 1;
        if self.pieces > ITEMS_LIMIT {
            return Err(Fault::TooLarge(TOO_MANY));
        }
        let open = Open::start(index, piece, &mut self.told, &mut self.budget)?;
        self.open.push(open);
        Ok(())
    }

    fn go_on(&mut self, index: Option<u64>, delta: Delta<'_>) -> Result<(), Fault> {
        let mut position = self.position(index);
        if position.is_none()
            && let Some(piece) = Piece::begun_by(delta.kind.as_str())
        {
            self.open(index, piece)?;
            position = self.position(index);
        }
        match position.and_then(|position| self.open.get_mut(position)) {
            Some(open) => {
                let rest = open.add(delta, &mut self.told, &mut self.budget)?;
                self.keep(rest)
            }
            None => Ok(()),
        }
    }

    /// The piece with this index, or the last one.
    fn position(&self, index: Option<u64>) -> Option<usize> {
        let by_index = self.open.iter().rposition(|open| open.index == index);
        by_index.or_else(|| self.open.len().checked_sub(1))
    }

    fn count(&mut self, tokens: Option<Box<Tokens>>) {
        if let Some(tokens) = tokens {
            self.tokens.update(*tokens);
            let usage = self.tokens.usage();
            self.told.events.push_back(ChatEvent::Usage(usage));
        }
    }

    fn finish(&mut self, word: &str, mut rest: JsonObject) -> Result<(), Fault> {
        let finish = finish_reason(word, &mut rest);
        self.keep(rest)?;
        if finish.is_some() && finish != self.finish {
            self.told.events.extend(finish.clone().map(ChatEvent::Finish));
            self.finish = finish;
        }
        Ok(())
    }

    fn keep(&mut self, rest: JsonObject) -> Result<(), Fault> {
        merge(&mut self.rest, rest, append, &mut self.budget)
    }
}
