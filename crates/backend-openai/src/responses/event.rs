use gatepass_core::JsonObject;
use gatepass_wire::{Count, Object, Text, pass_over};
use serde::de::MapAccess;
use serde_json::Value;

/// An event of a streamed answer, as far as any event has it.
#[derive(Debug, Default)]
pub(super) struct Event<'a> {
    pub(super) kind: Text<'a>,
    pub(super) delta: Text<'a>,
    /// All of a call's arguments, or of a custom tool's input.
    pub(super) arguments: Text<'a>,
    /// All of a text, a refusal or a thought.
    pub(super) text: Text<'a>,
    pub(super) item_id: Text<'a>,
    pub(super) output_index: Count,
    pub(super) content_index: Count,
    pub(super) summary_index: Count,
    /// The item, the piece or the response that it tells of.
    pub(super) item: Option<Box<Value>>,
    pub(super) part: Option<Box<Value>>,
    pub(super) response: Option<Box<Value>>,
    pub(super) annotation: Option<Box<Value>>,
    pub(super) error: Option<Box<Value>>,
}

impl<'de> Object<'de> for Event<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "type" => self.kind = members.next_value()?,
            "delta" => self.delta = members.next_value()?,
            "arguments" | "input" => self.arguments = members.next_value()?,
            "text" | "refusal" => self.text = members.next_value()?,
            "item_id" => self.item_id = members.next_value()?,
            "output_index" => self.output_index = members.next_value()?,
            "content_index" => self.content_index = members.next_value()?,
            "summary_index" => self.summary_index = members.next_value()?,
            "item" => self.item = members.next_value()?,
            "part" => self.part = members.next_value()?,
            "response" => self.response = members.next_value()?,
            "annotation" => self.annotation = members.next_value()?,
            "error" => self.error = members.next_value()?,
            _ => pass_over(members)?,
        }
        Ok(())
    }
}

/// The object that a member is.
pub(super) fn object(member: Option<Box<Value>>) -> Option<JsonObject> {
    match member.map(|value| *value) {
        Some(Value::Object(members)) => Some(members),
        _ => None,
    }
}
