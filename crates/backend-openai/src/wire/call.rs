use crate::dialect::Dialect;
use gatepass_core::JsonObject;
use gatepass_wire::keep;
use gatepass_wire::{Count, Text};
use gatepass_wire::{Object, Optional, Place, read_into};
use serde::de::MapAccess;
use serde_json::Value;
use std::borrow::Cow;

/// A tool call, or the next piece of one.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) index: Count,
    pub(super) id: Text<'a>,
    kind: Text<'a>,
    function: Function<'a>,
    custom: Option<Box<Function<'a>>>,
    /// Members that have no name here.
    pub(super) rest: JsonObject,
}

impl<'de> Object<'de> for Call<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "index" => self.index = members.next_value()?,
            "id" => self.id = members.next_value()?,
            "function" => read_into(Place(&mut self.function), members)?,
            "custom" => read_into(Optional(&mut self.custom), members)?,
            "type" => self.kind = members.next_value()?,
            // Of servers that do without `function`.
            "name" if self.function.name.is_empty() => self.function.name = members.next_value()?,
            "arguments" if self.function.arguments.is_empty() => {
                self.function.arguments = members.next_value()?;
            }
            _ => keep(&mut self.rest, name, members)?,
        }
        Ok(())
    }
}

/// What a tool call calls.
#[derive(Debug, Default)]
pub(super) struct Function<'a> {
    pub(super) name: Text<'a>,
    /// Any text, for a custom tool.
    pub(super) arguments: Text<'a>,
    /// Members that have no name here; none for most.
    rest: Option<JsonObject>,
}

impl<'de> Object<'de> for Function<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "name" => self.name = members.next_value()?,
            "arguments" | "input" => self.arguments = members.next_value()?,
            _ => keep(self.rest.get_or_insert_default(), name, members)?,
        }
        Ok(())
    }
}

impl<'a> Call<'a> {
    /// What it calls. Servers that send every member send empty ones, too. A call of another type, of a tool that the server
    /// runs, is called by its type if by nothing else; what it is stands in a member of that name.
    pub(super) fn take_function(&mut self) -> Function<'a> {
        let mut function = std::mem::take(&mut self.function);
        if let Some(rest) = function.rest.take().filter(|rest| !rest.is_empty()) {
            self.rest.insert(FUNCTION.into(), rest.into());
        }
        let kind = std::mem::take(&mut self.kind);
        if let Some(custom) = self.custom.take().filter(|_| function.is_empty()) {
            // It stays a custom tool's call.
            self.rest.insert("type".into(), "custom".into());
            return *custom;
        }
        if !matches!(kind.as_str(), "" | "function" | "custom") {
            self.rest.insert("type".into(), kind.as_str().into());
            if function.is_empty() && self.rest.contains_key(kind.as_str()) {
                function.name = kind;
            }
        }
        function
    }

    /// Whether it goes on with a call that it doesn't name.
    pub(super) fn is_nameless(&self) -> bool {
        self.index.0.is_none() && self.id.is_empty() && self.function.name.is_empty()
    }

    /// What Google's compatible API wants back with the call: its proof of a thought.
    pub(super) fn take_signature(&mut self) -> Option<String> {
        let content = self.rest.get_mut(EXTRA_CONTENT)?.as_object_mut()?;
        let google = content.get_mut("google")?.as_object_mut()?;
        let Some(Value::String(signature)) = google.remove("thought_signature") else {
            return None;
        };
        if google.is_empty() {
            content.remove("google");
        }
        if content.is_empty() {
            self.rest.remove(EXTRA_CONTENT);
        }
        Some(signature)
    }
}

const EXTRA_CONTENT: &str = "extra_content";

/// The member of a call's `extra` for what a server says of the function, and nobody has to tell it again.
pub(super) const FUNCTION: &str = "function";

impl<'a> From<Function<'a>> for Call<'a> {
    fn from(function: Function<'a>) -> Self {
        Self {
            function,
            ..Self::default()
        }
    }
}

impl Function<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.name.is_empty() && self.arguments.is_empty()
    }
}

/// For servers that number their calls at best: a result has to name its call.
pub(super) fn made_up_id(index: usize) -> String {
    format!("call_{index}")
}

/// A call's id, as `dialect` takes it. Mistral wants nine letters and digits, and calls of other providers have other ids:
/// each gets one that is always the same, so that a result still names its call.
pub(super) fn sendable_id(id: &str, dialect: Dialect) -> Cow<'_, str> {
    const LENGTH: usize = 9;
    let is_taken = id.len() == LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if dialect != Dialect::Mistral || is_taken {
        return Cow::Borrowed(id);
    }
    let mut rest = fingerprint(id);
    let characters = (0..LENGTH).map(|_| {
        let digit = u32::try_from(rest % 36).unwrap_or_default();
        rest /= 36;
        char::from_digit(digit, 36).unwrap_or('0')
    });
    Cow::Owned(characters.collect())
}

/// FNV-1a, 64 bits.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}
