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
    /// A sum of the names that have none here: another one than that of the last chunk tells that there are others.
    pub(super) others: usize,
}

impl<'de> Object<'de> for Chunk<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "id" => self.id = members.next_value()?,
            "model" => self.model = members.next_value()?,
            "object" => self.object = members.next_value()?,
            "choices" => _ = read_first(&mut self.choice, members)?,
            "usage" => read_into(Optional(&mut self.usage), members)?,
            "error" => self.error = said(members)?.map(Box::new),
            other => {
                self.others += weight_of_name(other);
                pass_over(members)?;
            }
        }
        Ok(())
    }
}

impl Chunk<'_> {
    /// Nothing that belongs to an answer: a sign of life, or an error.
    pub(super) fn says_nothing(&self) -> bool {
        self.choice.is_none() && self.id.is_empty() && self.usage.is_none() && self.error.is_none()
    }
}

/// What tells most names apart, and costs next to nothing. A member is missed whose name is as long as that of the one before
/// and begins alike.
fn weight_of_name(name: &str) -> usize {
    name.len() + usize::from(name.as_bytes().first().copied().unwrap_or_default()) * 64
}

/// What a chunk adds to one answer of several.
#[derive(Debug, Default)]
pub(super) struct Choice<'a> {
    pub(super) index: Count,
    pub(super) delta: Spoken<'a>,
    /// All of the answer, from servers that only look as if they streamed, or tell it once more at the end.
    pub(super) message: Option<Box<Spoken<'a>>>,
    pub(super) finish_reason: Text<'a>,
    pub(super) logprobs: Option<Box<Value>>,
    pub(super) error: Option<Box<Value>>,
    /// As [`Chunk::others`].
    pub(super) others: usize,
}

impl<'de> Object<'de> for Choice<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "index" => self.index = members.next_value()?,
            "delta" => read_into(Place(&mut self.delta), members)?,
            "message" => read_into(Optional(&mut self.message), members)?,
            "finish_reason" => self.finish_reason = members.next_value()?,
            "logprobs" => self.logprobs = said(members)?.map(Box::new),
            "error" => self.error = said(members)?.map(Box::new),
            other => {
                self.others += weight_of_name(other);
                pass_over(members)?;
            }
        }
        Ok(())
    }

    fn index(&self) -> Option<u64> {
        self.index.0
    }
}
