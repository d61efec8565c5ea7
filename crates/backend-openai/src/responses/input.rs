//! A conversation as the API's `input`: a flat list of items, in order.

use super::WIRE;
use super::item::ITEM;
use super::piece::{Piece, Spoken};
use super::request::is_stateless;
use crate::check::invalid;
use gatepass_core::{
    BackendError, ChatRequest, JsonObject, Media, Message, Part, Reasoning, Role, ToolCall, ToolResult,
};
use gatepass_wire::Members;
use serde::Serialize;
use serde::ser::Serializer;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::LazyLock;

static NOTHING: LazyLock<JsonObject> = LazyLock::new(JsonObject::new);

/// The text of a system message that stands first: it is said as `instructions`, which a stored conversation
/// doesn't keep.
pub(super) fn instructions(request: &ChatRequest) -> Option<Cow<'_, str>> {
    let (first, rest) = request.messages.split_first()?;
    let is_plain = first.role == Role::System && first.extra.is_empty() && !rest.is_empty();
    let is_text = |part: &Part| matches!(part, Part::Text(text) if text.extra.is_empty());
    if !is_plain || !first.parts.iter().all(is_text) {
        return None;
    }
    Some(match first.parts.as_slice() {
        [Part::Text(text)] => Cow::Borrowed(text),
        _ => Cow::Owned(first.text()),
    })
}

/// The items of a conversation.
pub(super) struct Input<'a>(Vec<InputItem<'a>>);

enum InputItem<'a> {
    /// What someone says, or the assistant without an id.
    Said {
        role: &'static str,
        content: Content<'a>,
        extra: &'a JsonObject,
    },
    /// What the assistant said, an item of an earlier answer.
    Spoken(Vec<Spoken<'a>>),
    /// What it thought.
    Thought(Vec<&'a Reasoning>),
    Call {
        call: &'a ToolCall,
        extra: &'a JsonObject,
    },
    Answered {
        result: &'a ToolResult,
        parts: Vec<Piece<'a>>,
        kind: &'static str,
    },
    /// What it drew.
    Drawn(&'a Media),
    /// As it stands.
    Other(&'a JsonObject),
}

/// One text as it is; anything else as a list.
enum Content<'a> {
    Text(&'a str),
    Pieces(Vec<Piece<'a>>),
}

impl<'a> Input<'a> {
    /// # Errors
    /// [`BackendError::Request`] with what can't be said.
    pub(super) fn of(request: &'a ChatRequest) -> Result<Self, BackendError> {
        let mut builder = Builder {
            items: Vec::with_capacity(request.messages.len()),
            custom: custom_calls(&request.messages),
        };
        let skipped = usize::from(instructions(request).is_some());
        for message in request.messages.iter().skip(skipped) {
            match message.role {
                Role::Assistant => builder.add_answer(message),
                _ => builder.add_said(message),
            }
            .map_err(invalid)?;
        }
        let mut items = builder.items;
        let is_stateless = is_stateless(request);
        items.retain(|item| match item {
            InputItem::Thought(pieces) => pieces
                .iter()
                .any(|thought| can_be_looked_up(thought, is_stateless)),
            _ => true,
        });
        Ok(Self(items))
    }

    pub(super) const fn is_said(&self) -> bool {
        !self.0.is_empty()
    }
}

/// The ids of calls of custom tools, whose results are items of their own kind.
fn custom_calls(messages: &[Message]) -> Vec<&str> {
    let messages = messages.iter().filter(|message| message.belongs_to(WIRE));
    let calls = messages.flat_map(Message::tool_calls);
    calls
        .filter(|call| call.extra.get("type").and_then(Value::as_str) == Some("custom_tool_call"))
        .map(|call| call.id.as_str())
        .collect()
}

struct Builder<'a> {
    items: Vec<InputItem<'a>>,
    custom: Vec<&'a str>,
}

type Unsayable = &'static str;

impl<'a> Builder<'a> {
    /// A message of anyone but the assistant. What is an item of its own parts it in two.
    fn add_said(&mut self, message: &'a Message) -> Result<(), Unsayable> {
        let is_answer = |part: &Part| matches!(part, Part::ToolResult(_) | Part::Other(_));
        if message.role == Role::Tool && (message.parts.is_empty() || !message.parts.iter().all(is_answer)) {
            return Err("a message of a tool has to consist of tool results");
        }
        let mut pieces = Vec::new();
        for part in &message.parts {
            match part {
                Part::ToolResult(result) => {
                    self.flush(message, &mut pieces);
                    self.add_result(result)?;
                }
                Part::Other(item) if !Piece::is_piece(item) => {
                    self.flush(message, &mut pieces);
                    if message.belongs_to(WIRE) {
                        self.items.push(InputItem::Other(item));
                    }
                }
                Part::ToolCall(_) => return Err("only the assistant can call a tool"),
                part => pieces.extend(Piece::of(part, message.belongs_to(WIRE))?),
            }
        }
        if message.parts.is_empty() {
            self.items.push(InputItem::said(message, Content::Text("")));
        }
        self.flush(message, &mut pieces);
        Ok(())
    }

    fn flush(&mut self, message: &'a Message, pieces: &mut Vec<Piece<'a>>) {
        if pieces.is_empty() {
            return;
        }
        let pieces = std::mem::take(pieces);
        let content = match pieces.as_slice() {
            [Piece::Text { text, extra }] if extra.is_empty() => Content::Text(text),
            _ => Content::Pieces(pieces),
        };
        self.items.push(InputItem::said(message, content));
    }

    fn add_result(&mut self, result: &'a ToolResult) -> Result<(), Unsayable> {
        let mut parts = Vec::new();
        for part in &result.parts {
            parts.extend(Piece::of(part, true)?);
        }
        let kind = if self.custom.contains(&result.id.as_str()) {
            "custom_tool_call_output"
        } else {
            "function_call_output"
        };
        self.items.push(InputItem::Answered { result, parts, kind });
        Ok(())
    }

    /// An answer. What another wire's answer has for that wire alone is left out.
    fn add_answer(&mut self, message: &'a Message) -> Result<(), Unsayable> {
        let belongs = message.belongs_to(WIRE);
        let first = self.items.len();
        for part in &message.parts {
            match part {
                Part::Text(text) if !belongs || text.extra.is_empty() => {
                    self.items.push(InputItem::said(message, Content::Text(text)));
                }
                Part::Text(text) => self.add_spoken(Spoken::Text(text), first),
                Part::Reasoning(thought) if belongs => self.add_thought(thought, first),
                Part::ToolCall(call) => self.items.push(InputItem::Call {
                    call,
                    extra: if belongs { &call.extra } else { &NOTHING },
                }),
                Part::Image(image) if belongs && image.extra.contains_key("type") => {
                    self.items.push(InputItem::Drawn(image));
                }
                Part::Other(piece) if belongs && piece.contains_key(ITEM) => {
                    self.add_spoken(Spoken::Other(piece), first);
                }
                Part::Other(item) if belongs => self.items.push(InputItem::Other(item)),
                Part::ToolResult(result) => self.add_result(result)?,
                Part::Image(_) | Part::File(_) | Part::Audio(_) if message.wire.is_none() => {
                    return Err("an image, a file or sound of the assistant's");
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add_spoken(&mut self, spoken: Spoken<'a>, first: usize) {
        let begun = self.begun(first, |item| match item {
            InputItem::Spoken(pieces) if is_one(pieces.first()?.extra(), spoken.extra()) => Some(pieces),
            _ => None,
        });
        match begun {
            Some(pieces) => pieces.push(spoken),
            None => self.items.push(InputItem::Spoken(vec![spoken])),
        }
    }

    fn add_thought(&mut self, thought: &'a Reasoning, first: usize) {
        let begun = self.begun(first, |item| match item {
            InputItem::Thought(pieces) if is_one(&pieces.first()?.extra, &thought.extra) => Some(pieces),
            _ => None,
        });
        match begun {
            Some(pieces) => pieces.push(thought),
            None => self.items.push(InputItem::Thought(vec![thought])),
        }
    }

    /// The item of the same message, `first` and later, that a piece is another piece of: mostly the last one.
    fn begun<T>(
        &mut self,
        first: usize,
        pieces: impl for<'i> Fn(&'i mut InputItem<'a>) -> Option<&'i mut Vec<T>>,
    ) -> Option<&mut Vec<T>> {
        self.items.iter_mut().skip(first).rev().find_map(pieces)
    }
}

/// Whether the server knows what a thought was, or this piece of it tells. A summary alone means nothing to it.
fn can_be_looked_up(thought: &Reasoning, is_stateless: bool) -> bool {
    let is_whole = thought.extra.get("type").and_then(Value::as_str) == Some("reasoning_text");
    let is_stored = own(&thought.extra).is_some() && !is_stateless;
    thought.signature.is_some() || is_whole || is_stored
}

/// What the item around a piece says of itself.
fn own(extra: &JsonObject) -> Option<&JsonObject> {
    extra.get(ITEM)?.as_object()
}

/// Whether both are pieces of one item.
fn is_one(piece: &JsonObject, other: &JsonObject) -> bool {
    let id = own(piece).and_then(|own| own.get("id"));
    id.is_some() && id == own(other).and_then(|own| own.get("id"))
}

impl<'a> InputItem<'a> {
    fn said(message: &'a Message, content: Content<'a>) -> Self {
        let role = match message.role {
            Role::System => "system",
            Role::Assistant => "assistant",
            _ => "user",
        };
        let extra = if message.belongs_to(WIRE) {
            &message.extra
        } else {
            &NOTHING
        };
        Self::Said { role, content, extra }
    }
}

impl Serialize for Input<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl Serialize for InputItem<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Said { role, content, extra } => {
                let mut item = Members::start(serializer, extra)?;
                item.member("role", role)?;
                item.member("content", content)?;
                item.end()
            }
            Self::Spoken(pieces) => {
                let own = pieces.last().and_then(|piece| own(piece.extra()));
                let mut item = Members::start(serializer, own.unwrap_or(&NOTHING))?;
                item.member("type", "message")?;
                item.member("role", "assistant")?;
                let is_said = |piece: &&Spoken<'_>| pieces.len() == 1 || piece.is_said();
                item.member("content", &pieces.iter().filter(is_said).collect::<Vec<_>>())?;
                item.end()
            }
            Self::Thought(pieces) => thought(pieces, serializer),
            Self::Call { call, extra } => self::call(call, extra, serializer),
            Self::Answered { result, parts, kind } => {
                let mut item = Members::start(serializer, &result.extra)?;
                item.member("type", kind)?;
                item.member("call_id", &result.id)?;
                if parts.is_empty() {
                    item.member("output", &result.content)?;
                } else {
                    let text = (!result.content.is_empty()).then(|| Piece::text(&result.content, &NOTHING));
                    item.member("output", &text.iter().chain(parts).collect::<Vec<_>>())?;
                }
                item.end()
            }
            Self::Drawn(image) => {
                let mut item = Members::start(serializer, &image.extra)?;
                if let gatepass_core::MediaSource::Base64(content) = &image.source {
                    item.member("result", content)?;
                }
                item.end()
            }
            Self::Other(item) => item.serialize(serializer),
        }
    }
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Pieces(pieces) => serializer.collect_seq(pieces),
        }
    }
}

fn thought<S: Serializer>(pieces: &[&Reasoning], serializer: S) -> Result<S::Ok, S::Error> {
    let last = pieces.last();
    let own = last.and_then(|thought| own(&thought.extra));
    let mut item = Members::start(serializer, own.unwrap_or(&NOTHING))?;
    item.member("type", "reasoning")?;
    let is_content = |thought: &Thought<'_>| thought.kind() == "reasoning_text";
    // A thought without pieces has neither text nor a kind.
    let said = pieces
        .iter()
        .map(|thought| Thought(thought))
        .filter(Thought::is_said);
    let (content, summary): (Vec<_>, Vec<_>) = said.partition(is_content);
    item.member("summary", &summary)?;
    item.list("content", &content)?;
    let signature = last.and_then(|thought| thought.signature.as_ref());
    item.optional("encrypted_content", signature)?;
    item.end()
}

/// A piece of a thought.
struct Thought<'a>(&'a Reasoning);

impl Thought<'_> {
    fn kind(&self) -> &str {
        let kind = self.0.extra.get("type").and_then(Value::as_str);
        kind.unwrap_or("summary_text")
    }

    fn is_said(&self) -> bool {
        !self.0.text.is_empty() || self.0.extra.contains_key("type")
    }
}

impl Serialize for Thought<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let own = self
            .0
            .extra
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "type" | ITEM));
        let own = own.map(|(name, value)| (name.as_str(), value));
        let (kind, text) = (Value::from(self.kind()), Value::from(self.0.text.as_str()));
        serializer.collect_map([("type", &kind), ("text", &text)].into_iter().chain(own))
    }
}

fn call<S: Serializer>(call: &ToolCall, extra: &JsonObject, serializer: S) -> Result<S::Ok, S::Error> {
    let mut item = Members::start(serializer, extra)?;
    item.member("type", "function_call")?;
    item.member("call_id", &call.id)?;
    item.member("name", &call.name)?;
    if extra.contains_key("type") {
        item.member("input", &call.arguments)?;
    } else {
        // Some servers parse what others leave empty.
        let is_empty = call.arguments.trim().is_empty();
        item.member("arguments", if is_empty { "{}" } else { &call.arguments })?;
    }
    item.end()
}
