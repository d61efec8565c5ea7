use gatepass_core::{JsonObject, Part, Reasoning, Text, ToolCall};
use gatepass_wire::{Items, Object, TakesAny, Text as Name};
use serde::de::{MapAccess, SeqAccess};
use serde_json::Value;

/// A piece of `content`, as it came.
#[derive(Debug, Default)]
pub(super) struct Piece(pub(super) JsonObject);

impl<'de> Object<'de> for Piece {
    fn read<A: MapAccess<'de>>(&mut self, name: Name<'de>, members: &mut A) -> Result<(), A::Error> {
        let value = members.next_value()?;
        self.0.extend(name.into_owned().map(|name| (name, value)));
        Ok(())
    }
}

/// The place of `content`: pieces, or one text in their place.
pub(super) struct Pieces<'p> {
    pub(super) pieces: &'p mut Vec<Piece>,
    pub(super) text: &'p mut String,
}

impl<'de> TakesAny<'de> for Pieces<'_> {
    fn take_list<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        Items(self.pieces).take_list(items)
    }

    fn take_text(self, text: &str) {
        self.text.push_str(text);
    }
}

impl Piece {
    /// The piece that a delta goes on with, for servers that don't say that it begins.
    pub(super) fn begun_by(delta: &str) -> Option<Self> {
        let kind = match delta {
            "text_delta" => "text",
            "thinking_delta" => "thinking",
            _ => return None,
        };
        Some(Self(JsonObject::from_iter([("type".to_owned(), kind.into())])))
    }

    pub(super) fn kind(&self) -> &str {
        self.0.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// A text member, which is then no longer there; empty if there is none.
    pub(super) fn take_text(&mut self, name: &str) -> String {
        match self.0.remove(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
        }
    }

    /// What has no name in the vocabulary, and says something.
    pub(super) fn into_rest(mut self) -> JsonObject {
        self.0.remove("type");
        self.0.retain(|_, value| !says_nothing(value));
        self.0
    }

    /// The part that it is; none if it says nothing. `calls` tells how many calls came before it.
    pub(super) fn into_part(mut self, calls: usize) -> Option<Part> {
        Some(match self.kind() {
            "text" => {
                let mut text = Text::new(self.take_text("text"));
                text.extra = self.into_rest();
                if text.is_empty() && text.extra.is_empty() {
                    return None;
                }
                Part::Text(text)
            }
            "thinking" => {
                let mut thought = Reasoning::new(self.take_text("thinking"));
                thought.signature = Some(self.take_text("signature")).filter(|proof| !proof.is_empty());
                thought.extra = self.into_rest();
                if thought == Reasoning::default() {
                    return None;
                }
                Part::Reasoning(thought)
            }
            "tool_use" => {
                let id = self.take_id(calls);
                let name = self.take_text("name");
                let arguments = self.take_text("input");
                let mut call = ToolCall::new(id, name, or_none(arguments));
                call.extra = self.into_rest();
                Part::ToolCall(call)
            }
            _ if self.0.is_empty() => return None,
            _ => Part::Other(self.0),
        })
    }

    /// A call's id; made up where a server sends none: a result has to name its call.
    pub(super) fn take_id(&mut self, calls: usize) -> String {
        let id = self.take_text("id");
        if id.is_empty() {
            format!("call_{calls}")
        } else {
            id
        }
    }
}

/// A call without arguments has an empty object.
pub(super) fn or_none(arguments: String) -> String {
    if arguments.is_empty() {
        "{}".into()
    } else {
        arguments
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
