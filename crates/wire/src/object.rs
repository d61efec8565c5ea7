//! Objects, read member by member into the place where they belong.
//!
//! A derived reader makes each object anew and moves it, and buffers all that it has no name for (`flatten`);
//! for a chunk of a stream that took half as long again as the reading. It also refuses an object that tells a
//! member twice.

use crate::lenient::Text;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde_json::Value;
use std::fmt;

/// An object of the wire. `null` reads as if it weren't there.
pub trait Object<'de>: Default {
    /// Reads the value of the member `name`.
    ///
    /// # Errors
    /// The reader's.
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error>;

    /// Which one it is among several, if it says so.
    fn index(&self) -> Option<u64> {
        None
    }
}

/// Reads an object from text.
///
/// # Errors
/// The reader's.
pub fn from_str<'de, T: Object<'de>>(json: &'de str) -> Result<T, serde_json::Error> {
    let mut object = T::default();
    read_str(&mut object, json).map(|()| object)
}

/// As [`from_str`], into its place: a large object isn't moved then.
///
/// # Errors
/// The reader's.
pub fn read_str<'de, T: Object<'de>>(object: &mut T, json: &'de str) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(json);
    json.deserialize_any(Whole(object))?;
    json.end()
}

/// Reads an object from bytes.
///
/// # Errors
/// The reader's.
pub fn from_slice<'de, T: Object<'de>>(json: &'de [u8]) -> Result<T, serde_json::Error> {
    let mut object = T::default();
    read_slice(&mut object, json).map(|()| object)
}

/// As [`from_slice`], into its place.
///
/// # Errors
/// The reader's.
pub fn read_slice<'de, T: Object<'de>>(object: &mut T, json: &'de [u8]) -> Result<(), serde_json::Error> {
    // Looked at once, not once for each of its many short texts.
    if let Ok(json) = std::str::from_utf8(json) {
        return read_str(object, json);
    }
    let mut json = serde_json::Deserializer::from_slice(json);
    json.deserialize_any(Whole(object))?;
    json.end()
}

/// Reads the value of a member into its place.
///
/// # Errors
/// The reader's.
pub fn read_into<'de, A, P>(place: P, members: &mut A) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    P: TakesAny<'de>,
{
    members.next_value_seed(Seed(Any(place)))
}

/// Reads a list of objects for its first: that with the index 0, which some leave out, or else the one told first. It is the answer
/// itself; what is no list is an error. Tells whether there were others.
///
/// # Errors
/// The reader's.
pub fn read_first<'de, A, T>(first: &mut Option<T>, members: &mut A) -> Result<bool, A::Error>
where
    A: MapAccess<'de>,
    T: Object<'de>,
{
    let mut has_others = false;
    members.next_value_seed(Seed(First(first, &mut has_others)))?;
    Ok(has_others)
}

/// The items of the list `name` in `body` that [`read_first`] passed over, as they stand: the other answers to who asked
/// for several.
#[must_use]
pub fn other_items(body: &[u8], name: &str) -> Vec<Value> {
    let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(Value::Array(items)) = body.get_mut(name).map(Value::take) else {
        return Vec::new();
    };
    let is_first = |item: &Value| {
        let index = item.get("index").unwrap_or(&Value::Null);
        index.is_null() || *index == 0 || *index == "0"
    };
    let first = items.iter().position(is_first).unwrap_or_default();
    let others = items.into_iter().enumerate().filter(|(at, _)| *at != first);
    others.map(|(_, item)| item).collect()
}

struct Seed<V>(V);

impl<'de, V: Visitor<'de, Value = ()>> DeserializeSeed<'de> for Seed<V> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self.0)
    }
}

/// The whole of what is read: an object, or nothing.
struct Whole<'p, T>(&'p mut T);

impl<'de, T: Object<'de>> Visitor<'de> for Whole<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        Place(self.0).take_object(members)
    }
}

/// A place that takes any JSON; what doesn't belong there is passed over. PHP and Lua write an empty object as
/// an empty list, or the other way round.
pub trait TakesAny<'de>: Sized {
    /// Reads an object.
    ///
    /// # Errors
    /// The reader's.
    fn take_object<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    /// Reads a list.
    ///
    /// # Errors
    /// The reader's.
    fn take_list<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    /// Reads a text.
    fn take_text(self, _: &str) {}
}

struct Any<P>(P);

impl<'de, P: TakesAny<'de>> Visitor<'de> for Any<P> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.take_text(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        self.0.take_list(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        self.0.take_object(members)
    }
}

/// The place of an object.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a place, and nothing else")]
pub struct Place<'p, T>(pub &'p mut T);

impl<'de, T: Object<'de>> TakesAny<'de> for Place<'_, T> {
    fn take_object<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key()? {
            self.0.read(name, &mut members)?;
        }
        Ok(())
    }
}

/// The place of an object that may be missing.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a place, and nothing else")]
pub struct Optional<'p, T>(pub &'p mut Option<T>);

impl<'de, T: Object<'de>> TakesAny<'de> for Optional<'_, T> {
    fn take_object<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        Place(self.0.insert(T::default())).take_object(members)
    }
}

impl<'de, T: Object<'de>> Object<'de> for Box<T> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        (**self).read(name, members)
    }
}

/// More objects than any list of the wire has; an empty one takes a hundred times as much memory as its text.
pub const ITEMS_LIMIT: usize = 1024;

/// The place of a list of objects. It takes at most one more than [`ITEMS_LIMIT`], which tells that there were
/// too many.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a place, and nothing else")]
pub struct Items<'p, T>(pub &'p mut Vec<T>);

impl<'de, T: Object<'de>> TakesAny<'de> for Items<'_, T> {
    /// One of them alone, from servers that never have more.
    fn take_object<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        if let Some(name) = members.next_key()? {
            let mut item = T::default();
            item.read(name, &mut members)?;
            Place(&mut item).take_object(members)?;
            self.0.push(item);
        }
        Ok(())
    }

    fn take_list<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while self.0.len() <= ITEMS_LIMIT {
            let mut item = None;
            let place = Any(Optional(&mut item));
            if items.next_element_seed(Seed(place))?.is_none() {
                return Ok(());
            }
            self.0.extend(item);
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

struct First<'p, T>(&'p mut Option<T>, &'p mut bool);

impl<'de, T: Object<'de>> Visitor<'de> for First<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        match members.next_key::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let first = self.0.insert(T::default());
        if items.next_element_seed(Seed(Any(Place(first))))?.is_none() {
            *self.0 = None;
            return Ok(());
        }
        loop {
            let mut other = T::default();
            if items.next_element_seed(Seed(Any(Place(&mut other))))?.is_none() {
                return Ok(());
            }
            *self.1 = true;
            if other.index() <= Some(0) && first.index() > Some(0) {
                *first = other;
            }
        }
    }
}
