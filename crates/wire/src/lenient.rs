//! Reading what servers really send: an absent member, `null` and an empty text are all "nothing", and a
//! surprise in one member doesn't cost the whole answer.

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// A text, borrowed if it can be. What is no text is told as JSON: arguments of a tool call as an object,
/// an error code as a number.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text; none if it says nothing.
    #[must_use]
    pub fn into_owned(self) -> Option<String> {
        (!self.is_empty()).then(|| self.0.into_owned())
    }

    /// This one, or `other` if it says nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.is_empty() { other } else { self }
    }
}

impl<'a> Lenient<'a> for Text<'a> {
    fn of_text(text: Cow<'a, str>) -> Self {
        Self(text)
    }

    fn of_other(value: Value) -> Self {
        Self(value.to_string().into())
    }
}

/// A text, borrowed if it can be, or something else.
#[derive(Debug, Default)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing else")]
pub enum Content<'a> {
    /// Nothing.
    #[default]
    None,
    /// A text.
    Text(Cow<'a, str>),
    /// Any other JSON.
    Other(Value),
}

impl<'a> Lenient<'a> for Content<'a> {
    fn of_text(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }

    fn of_other(value: Value) -> Self {
        Self::Other(value)
    }
}

/// A number of things; none where the server wrote something else.
#[derive(Debug, Default, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a number, or none")]
pub struct Count(pub Option<u64>);

impl Lenient<'_> for Count {
    fn of_text(text: Cow<'_, str>) -> Self {
        Self(text.parse().ok())
    }

    fn of_whole(number: u64) -> Self {
        Self(Some(number))
    }

    fn of_other(value: Value) -> Self {
        Self(value.as_u64().or_else(|| whole(value.as_f64()?)))
    }
}

/// `12.0`, as some servers count.
fn whole(number: f64) -> Option<u64> {
    (number >= 0.0).then_some(number as u64)
}

/// What can be read out of any JSON; its default out of `null`.
trait Lenient<'de>: Default {
    fn of_text(text: Cow<'de, str>) -> Self;

    fn of_whole(number: u64) -> Self {
        Self::of_other(number.into())
    }

    fn of_other(value: Value) -> Self;
}

macro_rules! deserialize {
    ($($lenient:ty),*) => {$(
        impl<'de> Deserialize<'de> for $lenient {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(AnyVisitor(PhantomData))
            }
        }
    )*};
}

deserialize!(Text<'de>, Content<'de>, Count);

struct AnyVisitor<T>(PhantomData<T>);

impl<'de, T: Lenient<'de>> Visitor<'de> for AnyVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<T, E> {
        Ok(T::of_text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::of_text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_bool<E>(self, value: bool) -> Result<T, E> {
        Ok(T::of_other(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<T, E> {
        Ok(T::of_other(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<T, E> {
        Ok(T::of_whole(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<T, E> {
        Ok(T::of_other(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<T, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(items)).map(T::of_other)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(members)).map(T::of_other)
    }
}
