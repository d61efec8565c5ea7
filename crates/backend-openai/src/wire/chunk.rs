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
    pub(super) others: u64,
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
                self.others = self.others.wrapping_add(weight_of_name(other));
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

/// What tells names apart, and costs next to nothing: their length, beginning and end.
fn weight_of_name(name: &str) -> u64 {
    // The fraction of the golden ratio: odd, and without a pattern.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let name = name.as_bytes();
    let (begins, ends) = match (name.first_chunk(), name.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
    };
    let mixed = (begins ^ name.len() as u64).wrapping_mul(SPREAD) ^ ends;
    (mixed ^ (mixed >> 32)).wrapping_mul(SPREAD)
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
    pub(super) others: u64,
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
                self.others = self.others.wrapping_add(weight_of_name(other));
                pass_over(members)?;
            }
        }
        Ok(())
    }

    fn index(&self) -> Option<u64> {
        self.index.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_weigh_differently() {
        let names = [
            "",
            "a",
            "b",
            "aa",
            "ab",
            "ba",
            "usage",
            "usagf",
            "vsage",
            "created",
            "creates",
            "citation",
            "citatiom",
            "citations",
            "citatione",
            "service_tier",
            "service_type",
            "system_fingerprint",
            "system_fingerprinu",
            "tystem_fingerprint",
        ];
        let mut weights = names.map(weight_of_name);
        weights.sort_unstable();
        assert!(weights.windows(2).all(|pair| pair[0] != pair[1]));
        // Nor does one make up for another.
        let sum = |names: [&str; 2]| weight_of_name(names[0]).wrapping_add(weight_of_name(names[1]));
        assert_ne!(sum(["a", "d"]), sum(["b", "c"]));
        assert_ne!(sum(["citation", "usagf"]), sum(["citatiom", "usage"]));
    }
}
