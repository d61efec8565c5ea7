use super::part::Piece;
use super::reply::Answer;
use super::usage::Tokens;
use gatepass_core::JsonObject;
use gatepass_wire::{Count, Object, Optional, Place, Text, keep, read_into, said};
use serde::de::MapAccess;
use serde_json::Value;

/// An event of a streamed answer.
#[derive(Debug, Default)]
pub(super) struct Event<'a> {
    pub(super) kind: Text<'a>,
    pub(super) index: Count,
    pub(super) delta: Delta<'a>,
    pub(super) content_block: Option<Piece>,
    pub(super) message: Option<Box<Answer<'a>>>,
    pub(super) usage: Option<Box<Tokens>>,
    pub(super) error: Option<Box<Value>>,
    pub(super) rest: JsonObject,
}

impl<'de> Object<'de> for Event<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "type" => self.kind = members.next_value()?,
            "index" => self.index = members.next_value()?,
            "delta" => read_into(Place(&mut self.delta), members)?,
            "content_block" => read_into(Optional(&mut self.content_block), members)?,
            "message" => read_into(Optional(&mut self.message), members)?,
            "usage" => read_into(Optional(&mut self.usage), members)?,
            "error" => self.error = said(members)?.map(Box::new),
            _ => keep(&mut self.rest, name, members)?,
        }
        Ok(())
    }
}

/// What an event adds to a piece of the answer, or to the answer around them.
#[derive(Debug, Default)]
pub(super) struct Delta<'a> {
    pub(super) kind: Text<'a>,
    pub(super) text: Text<'a>,
    pub(super) thinking: Text<'a>,
    pub(super) signature: Text<'a>,
    pub(super) partial_json: Text<'a>,
    pub(super) stop_reason: Text<'a>,
    pub(super) rest: JsonObject,
}

impl<'de> Object<'de> for Delta<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "type" => self.kind = members.next_value()?,
            "text" => self.text = members.next_value()?,
            "thinking" => self.thinking = members.next_value()?,
            "signature" => self.signature = members.next_value()?,
            "partial_json" => self.partial_json = members.next_value()?,
            "stop_reason" => self.stop_reason = members.next_value()?,
            _ => keep(&mut self.rest, name, members)?,
        }
        Ok(())
    }
}

impl Delta<'_> {
    /// All that it says of a piece of a kind that nobody here knows.
    pub(super) fn into_members(self) -> impl Iterator<Item = (String, Value)> {
        let texts = [
            ("text", self.text),
            ("thinking", self.thinking),
            ("signature", self.signature),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), text.into_owned()?.into())));
        texts.chain(self.rest)
    }
}
