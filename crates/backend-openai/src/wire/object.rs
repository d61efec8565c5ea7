//! Objects, read member by member into the place where they belong.
//!
//! A derived reader makes each object anew and moves it, and buffers all that it has no name for (`flatten`);
//! for a chunk of a stream that took half as long again as the reading. It also refuses an object that tells a
//! member twice.

use super::lenient::Text;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// An object of the wire. `null` reads as if it weren't there.
pub(super) trait Object<'de>: Default {
    /// Reads the value of the member `name`.
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error>;

    /// Which one it is among several, if it says so.
    fn index(&self) -> Option<u64> {
        None
    }
}

pub(super) fn from_str<'de, T: Object<'de>>(json: &'de str) -> Result<T, serde_json::Error> {
    let mut object = T::default();
    let mut json = serde_json::Deserializer::from_str(json);
    json.deserialize_any(Place(&mut object))?;
    json.end().map(|()| object)
}

pub(super) fn from_slice<'de, T: Object<'de>>(json: &'de [u8]) -> Result<T, serde_json::Error> {
    let mut object = T::default();
    let mut json = serde_json::Deserializer::from_slice(json);
    json.deserialize_any(Place(&mut object))?;
    json.end().map(|()| object)
}

/// Reads the value of a member into its place.
pub(super) fn read_into<'de, A, V>(place: V, members: &mut A) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    V: Visitor<'de, Value = ()>,
{
    members.next_value_seed(Seed(place))
}

struct Seed<V>(V);

impl<'de, V: Visitor<'de, Value = ()>> DeserializeSeed<'de> for Seed<V> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self.0)
    }
}

/// The place of an object.
pub(super) struct Place<'p, T>(pub(super) &'p mut T);

impl<'de, T: Object<'de>> Visitor<'de> for Place<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key()? {
            self.0.read(name, &mut members)?;
        }
        Ok(())
    }
}

/// The place of an object that may be missing.
pub(super) struct Optional<'p, T>(pub(super) &'p mut Option<Box<T>>);

impl<'de, T: Object<'de>> Visitor<'de> for Optional<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        Place(&mut **self.0.insert(Box::default())).visit_map(members)
    }
}

/// The place of a list of objects.
pub(super) struct Items<'p, T>(pub(super) &'p mut Vec<T>);

impl<'de, T: Object<'de>> Visitor<'de> for Items<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        loop {
            let mut item = T::default();
            if items.next_element_seed(Seed(Place(&mut item)))?.is_none() {
                return Ok(());
            }
            self.0.push(item);
        }
    }
}

/// The place of the first object of a list: that with the index 0, or else the one told first.
pub(super) struct First<'p, T>(pub(super) &'p mut Option<T>);

impl<'de, T: Object<'de>> Visitor<'de> for First<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let first = self.0.insert(T::default());
        if items.next_element_seed(Seed(Place(first)))?.is_none() {
            *self.0 = None;
            return Ok(());
        }
        loop {
            let mut other = T::default();
            if items.next_element_seed(Seed(Place(&mut other)))?.is_none() {
                return Ok(());
            }
            if other.index() == Some(0) && first.index() > Some(0) {
                *first = other;
            }
        }
    }
}
