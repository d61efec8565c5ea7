//! Members that have no name here.

use crate::budget::{Budget, member_weight, weight};
use crate::lenient::Text;
use crate::stream::Fault;
use gatepass_core::JsonObject;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// A member that nobody needs.
///
/// # Errors
/// The reader's.
pub fn pass_over<'de, A: MapAccess<'de>>(members: &mut A) -> Result<(), A::Error> {
    members.next_value::<IgnoredAny>().map(|_| ())
}

/// A member of any kind; none if it says nothing.
///
/// # Errors
/// The reader's.
pub fn said<'de, A: MapAccess<'de>>(members: &mut A) -> Result<Option<Value>, A::Error> {
    members.next_value_seed(Said { zero: true })
}

/// Keeps a member in `rest`, unless it says nothing.
///
/// # Errors
/// The reader's.
pub fn keep<'de, A: MapAccess<'de>>(
    rest: &mut JsonObject,
    name: Text<'de>,
    members: &mut A,
) -> Result<(), A::Error> {
    if let Some(value) = said(members)? {
        rest.extend(name.into_owned().map(|name| (name, value)));
    }
    Ok(())
}

/// As [`keep`], of an object of counts, where zero says nothing either.
///
/// # Errors
/// The reader's.
pub fn keep_count<'de, A: MapAccess<'de>>(
    rest: &mut JsonObject,
    name: Text<'de>,
    members: &mut A,
) -> Result<(), A::Error> {
    if let Some(value) = members.next_value_seed(Said { zero: false })? {
        rest.extend(name.into_owned().map(|name| (name, value)));
    }
    Ok(())
}

/// Reads a value, if it says something. What servers write in place of a member that they don't have, mostly a `null`, is
/// told by its first byte, and never made a value.
struct Said {
    /// Whether zero says something.
    zero: bool,
}

impl Said {
    fn number<E>(&self, number: impl Into<Value>, is_zero: bool) -> Result<Option<Value>, E> {
        Ok((self.zero || !is_zero).then(|| number.into()))
    }
}

impl<'de> DeserializeSeed<'de> for Said {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Said {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Some(truth.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        self.number(number, number == 0)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        self.number(number, number == 0)
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        self.number(number, number == 0.0)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok((!text.is_empty()).then(|| text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        let items = Value::deserialize(SeqAccessDeserializer::new(items))?;
        Ok((!says_nothing(&items)).then_some(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        let members = Value::deserialize(MapAccessDeserializer::new(members))?;
        Ok((!says_nothing(&members)).then_some(members))
    }
}

/// `null`, an empty text, an empty list, and objects of nothing but those and zeros.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members
            .values()
            .all(|value| is_zero(value) || says_nothing(value)),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_zero(value: &Value) -> bool {
    value.as_f64() == Some(0.0)
}

/// Adds members that come in several chunks. Objects are merged, `join` joins two lists, and of anything else
/// the last one counts.
///
/// # Errors
/// [`Fault::TooLarge`] if the budget is used up.
pub fn merge(
    into: &mut JsonObject,
    members: impl IntoIterator<Item = (String, Value)>,
    join: Join,
    budget: &mut Budget,
) -> Result<(), Fault> {
    for (name, value) in members {
        match (into.get_mut(&name), value) {
            (Some(Value::Array(items)), Value::Array(more)) => join(items, more, budget)?,
            (Some(Value::Object(inner)), Value::Object(more)) => merge(inner, more, join, budget)?,
            (Some(old), value) => {
                budget.give_back(weight(old));
                budget.take(weight(&value))?;
                *old = value;
            }
            (None, value) => {
                budget.take(member_weight(&name, &value))?;
                into.insert(name, value);
            }
        }
    }
    Ok(())
}

/// How two lists become one.
pub type Join = fn(&mut Vec<Value>, Vec<Value>, &mut Budget) -> Result<(), Fault>;

/// A list comes in pieces.
///
/// # Errors
/// [`Fault::TooLarge`] if the budget is used up.
pub fn append(items: &mut Vec<Value>, more: Vec<Value>, budget: &mut Budget) -> Result<(), Fault> {
    budget.take(more.iter().map(weight).sum())?;
    items.extend(more);
    Ok(())
}

/// A list comes whole, and maybe again.
///
/// # Errors
/// [`Fault::TooLarge`] if the budget is used up.
pub fn replace(items: &mut Vec<Value>, again: Vec<Value>, budget: &mut Budget) -> Result<(), Fault> {
    budget.give_back(items.iter().map(weight).sum());
    budget.take(again.iter().map(weight).sum())?;
    *items = again;
    Ok(())
}
