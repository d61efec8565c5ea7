use super::reply::Spoken;
use super::usage::Tokens;
use gatepass_wire::{Count, Text};
use gatepass_wire::{Object, Optional, Place, read_first, read_into};
use gatepass_wire::{pass_over, said};
use serde::de::MapAccess;
use serde_json::Value;

/// A chunk of a streamed answer.
#[derive(Debug, Default)]
pub(super) struct Chunk<'a> {
    pub(super) id: Text<'a>,
    pub(super) model: Text<'a>,
    pub(super) object: Text<'a>,
    pub(super) choice: Option<Choice<'a>>,
    pub(super) usage: Option<Box<Tokens>>,
    pub(super) error: Option<Box<Value>>,
}

impl<'de> Object<'de> for Chunk<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "id" => self.id = members.next_value()?,
            "model" => self.model = members.next_value()?,
            "object" => self.object = members.next_value()?,
            "choices" => read_first(&mut self.choice, members)?,
            "usage" => read_into(Optional(&mut self.usage), members)?,
            "error" => self.error = said(members)?.map(Box::new),
            _ => pass_over(members)?,
        }
        Ok(())
    }
}

/// What a chunk adds to one answer of several.
#[derive(Debug, Default)]
pub(super) struct Choice<'a> {
    pub(super) index: Count,
    pub(super) delta: Spoken<'a>,
    pub(super) finish_reason: Text<'a>,
    pub(super) logprobs: Option<Box<Value>>,
    pub(super) error: Option<Box<Value>>,
}

impl<'de> Object<'de> for Choice<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "index" => self.index = members.next_value()?,
            "delta" => read_into(Place(&mut self.delta), members)?,
            "finish_reason" => self.finish_reason = members.next_value()?,
            "logprobs" => self.logprobs = said(members)?.map(Box::new),
            "error" => self.error = said(members)?.map(Box::new),
            _ => pass_over(members)?,
        }
        Ok(())
    }

    fn index(&self) -> Option<u64> {
        self.index.0
    }
}
