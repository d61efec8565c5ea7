use super::WIRE;
use super::finish::finish_reason;
use super::part::{Piece, Pieces};
use super::usage::Tokens;
use gatepass_core::{BackendError, ChatReply, JsonObject, Message, Part, Role};
use gatepass_wire::{ITEMS_LIMIT, Object, Optional, Origin, Text, from_slice, keep, read_into, said};
use serde::de::MapAccess;
use serde_json::Value;

/// What is wrong with an answer that has more parts than [`ITEMS_LIMIT`].
pub(super) const TOO_MANY: &str = "it has more than 1024 parts";

/// A message of the model: a whole answer, or the beginning of a streamed one.
#[derive(Debug, Default)]
pub(super) struct Answer<'a> {
    kind: Text<'a>,
    role: Text<'a>,
    pub(super) id: Text<'a>,
    pub(super) model: Text<'a>,
    pub(super) content: Vec<Piece>,
    /// All of the content, as compatible servers have it that only ever say one text.
    text: String,
    pub(super) stop_reason: Text<'a>,
    pub(super) usage: Option<Box<Tokens>>,
    error: Option<Value>,
    pub(super) rest: JsonObject,
}

impl<'de> Object<'de> for Answer<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "type" => self.kind = members.next_value()?,
            "role" => self.role = members.next_value()?,
            "id" => self.id = members.next_value()?,
            "model" => self.model = members.next_value()?,
            "content" => {
                let (pieces, text) = (&mut self.content, &mut self.text);
                read_into(Pieces { pieces, text }, members)?;
            }
            "stop_reason" => self.stop_reason = members.next_value()?,
            "usage" => read_into(Optional(&mut self.usage), members)?,
            "error" => self.error = said(members)?,
            _ => keep(&mut self.rest, name, members)?,
        }
        Ok(())
    }
}

/// Reads a whole answer.
pub(crate) fn reply(origin: &Origin, body: &[u8]) -> Result<ChatReply, BackendError> {
    read(body).map_err(|unfit| match unfit {
        Unfit::Unreadable(error) => origin.unparsable("it", &error),
        Unfit::Told(error) => origin.told(&error),
        Unfit::Other(what) => origin.unanswered(body, what),
    })
}

/// Why an answer is none.
#[derive(Debug)]
pub(super) enum Unfit {
    Unreadable(serde_json::Error),
    /// It is an error.
    Told(Value),
    /// Says what is wrong.
    Other(&'static str),
}

pub(super) fn read(body: &[u8]) -> Result<ChatReply, Unfit> {
    let mut answer: Answer<'_> = from_slice(body).map_err(Unfit::Unreadable)?;
    if let Some(error) = answer.error.take() {
        return Err(Unfit::Told(error));
    }
    if answer.content.len() > ITEMS_LIMIT {
        return Err(Unfit::Other(TOO_MANY));
    }
    if !answer.is_message() {
        return Err(Unfit::Other("it has no message"));
    }
    Ok(answer.into_reply())
}

impl Answer<'_> {
    fn is_message(&self) -> bool {
        self.kind.as_str() == "message" || self.role.as_str() == "assistant" || !self.content.is_empty()
    }

    fn into_reply(mut self) -> ChatReply {
        let mut parts = Vec::with_capacity(self.content.len());
        parts.extend((!self.text.is_empty()).then(|| Part::text(self.text)));
        let mut calls = 0;
        for piece in self.content {
            let part = piece.into_part(calls);
            calls += usize::from(matches!(part, Some(Part::ToolCall(_))));
            parts.extend(part);
        }
        let mut reply = ChatReply::new(Message::new(Role::Assistant, parts).with_wire(WIRE));
        reply.finish = finish_reason(self.stop_reason.as_str(), &mut self.rest);
        reply.usage = self.usage.map(|tokens| tokens.usage());
        reply.model = self.model.into_owned();
        reply.id = self.id.into_owned();
        reply.extra = self.rest;
        reply
    }
}
