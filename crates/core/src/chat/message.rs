use super::{JsonObject, Media};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Deref;

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// Fields of the provider's message that the vocabulary doesn't have; sent back as they stand.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub extra: JsonObject,
    /// The wire that it was read from, set by the backend that read it; `None` for a message that you wrote.
    ///
    /// What only that wire understands (`extra` of the message and of its parts, [`Part::Other`], signatures,
    /// uploaded files' ids) is left out when the message is sent on another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<Cow<'static, str>>,
}

impl Message {
    /// A message of `parts`.
    pub fn new(role: Role, parts: impl Into<Vec<Part>>) -> Self {
        Self {
            role,
            parts: parts.into(),
            extra: JsonObject::new(),
            wire: None,
        }
    }

    /// Instructions that stand above the conversation.
    pub fn system(text: impl Into<String>) -> Self {
        Self::new(Role::System, [Part::text(text)])
    }

    /// What the person says.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User, [Part::text(text)])
    }

    /// What the model said.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new(Role::Assistant, [Part::text(text)])
    }

    /// What a tool answered to the call `id`.
    pub fn tool_result(id: impl Into<String>, content: impl Into<String>) -> Self {
        Self::new(Role::Tool, [Part::ToolResult(ToolResult::new(id, content))])
    }

    /// Adds a part.
    #[must_use]
    pub fn with_part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// Sets the wire that it was read from.
    #[must_use]
    pub fn with_wire(mut self, wire: impl Into<Cow<'static, str>>) -> Self {
        self.wire = Some(wire.into());
        self
    }

    /// Whether all that it holds may be sent on `wire`: you wrote it, or it came from there.
    #[must_use]
    pub fn belongs_to(&self, wire: &str) -> bool {
        self.wire.as_deref().is_none_or(|own| own == wire)
    }

    /// All text parts, joined.
    #[must_use]
    pub fn text(&self) -> String {
        self.parts.iter().filter_map(Part::as_text).collect()
    }

    /// The tool calls, in order.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        })
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Instructions.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// A tool's answer.
    Tool,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// Text.
    Text(Text),
    /// An image.
    Image(Media),
    /// A document, a PDF for instance.
    File(Media),
    /// Sound.
    Audio(Media),
    /// The model asks for a tool.
    ToolCall(ToolCall),
    /// A tool's answer.
    ToolResult(ToolResult),
    /// What the model thought before it answered.
    Reasoning(Reasoning),
    /// A part that only its provider knows; sent back to it as it stands.
    Other(JsonObject),
}

impl Part {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Text::new(text))
    }

    /// The text, if it is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Fields of the provider's part that the vocabulary doesn't have.
    #[must_use]
    pub const fn extra(&self) -> &JsonObject {
        match self {
            Self::Text(text) => &text.extra,
            Self::Image(media) | Self::File(media) | Self::Audio(media) => &media.extra,
            Self::ToolCall(call) => &call.extra,
            Self::ToolResult(result) => &result.extra,
            Self::Reasoning(thought) => &thought.extra,
            Self::Other(part) => part,
        }
    }

    /// Those fields, to add to: `cache_control` for Anthropic, for instance.
    pub const fn extra_mut(&mut self) -> &mut JsonObject {
        match self {
            Self::Text(text) => &mut text.extra,
            Self::Image(media) | Self::File(media) | Self::Audio(media) => &mut media.extra,
            Self::ToolCall(call) => &mut call.extra,
            Self::ToolResult(result) => &mut result.extra,
            Self::Reasoning(thought) => &mut thought.extra,
            Self::Other(part) => part,
        }
    }

    /// Adds a field that only one provider knows.
    #[must_use]
    pub fn with_extra(mut self, field: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        self.extra_mut().insert(field.into(), value.into());
        self
    }
}

/// A piece of text, read as a `&str`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Text {
    /// The text.
    pub text: String,
    /// Fields of the provider's part that the vocabulary doesn't have: citations, for instance.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub extra: JsonObject,
}

impl Text {
    /// This text.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            extra: JsonObject::new(),
        }
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.text == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

/// The model asks for a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCall {
    /// The provider's id of the call; the result names it. Made up by the backend where a provider sends none.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments as the model wrote them: JSON as a rule, but nothing guarantees it.
    pub arguments: String,
    /// What the provider wants back with the call (Gemini's thought signature).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Fields of the provider's part that the vocabulary doesn't have.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub extra: JsonObject,
}

impl ToolCall {
    /// A call of `name` with JSON `arguments`.
    pub fn new(id: impl Into<String>, name: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
            signature: None,
            extra: JsonObject::new(),
        }
    }

    /// The arguments, read into a type; empty text reads as an empty object.
    ///
    /// # Errors
    /// The parser's, when the model wrote something else.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        let arguments = self.arguments.trim();
        serde_json::from_str(if arguments.is_empty() { "{}" } else { arguments })
    }
}

/// A tool's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolResult {
    /// The id of the call.
    pub id: String,
    /// The tool's name; some providers want it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The answer: text, or JSON as text.
    pub content: String,
    /// What belongs to the answer beside its text: images, files. Refused by providers that take text alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Whether the tool failed.
    #[serde(default)]
    pub is_error: bool,
    /// Fields of the provider's part that the vocabulary doesn't have.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub extra: JsonObject,
}

impl ToolResult {
    /// The answer to the call `id`.
    pub fn new(id: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: None,
            content: content.into(),
            parts: Vec::new(),
            is_error: false,
            extra: JsonObject::new(),
        }
    }

    /// The answer to `call`, named as it is.
    pub fn to_call(call: &ToolCall, content: impl Into<String>) -> Self {
        Self {
            name: Some(call.name.clone()),
            ..Self::new(call.id.clone(), content)
        }
    }

    /// Adds an image or a file.
    #[must_use]
    pub fn with_part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// Says that the tool failed.
    #[must_use]
    pub fn with_error(mut self) -> Self {
        self.is_error = true;
        self
    }
}

/// What the model thought before it answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reasoning {
    /// The thought, or its summary; empty where the provider keeps it to itself.
    pub text: String,
    /// What proves it to the provider; sent back unchanged. With no text it proves what came just before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Fields of the provider's part that the vocabulary doesn't have.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub extra: JsonObject,
}

impl Reasoning {
    /// A thought.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            signature: None,
            extra: JsonObject::new(),
        }
    }

    /// Sets the provider's proof.
    #[must_use]
    pub fn with_signature(mut self, signature: impl Into<String>) -> Self {
        self.signature = Some(signature.into());
        self
    }
}
