use super::ids::Ids;
use super::source::Source;
use gatepass_core::{JsonObject, Media, MediaSource, Message, Part, Reasoning, Role, ToolCall, ToolResult};
use gatepass_wire::Members;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::borrow::Cow;

/// A piece of `content` on its way out.
pub(super) struct Block<'a> {
    said: Said<'a>,
    extra: &'a JsonObject,
}

enum Said<'a> {
    Text(&'a str),
    Image(Source<'a>),
    Document(Source<'a>, Option<&'a str>),
    ToolUse(&'a ToolCall, Cow<'a, str>),
    ToolResult(&'a ToolResult, Cow<'a, str>, Vec<Block<'a>>),
    Thinking(&'a Reasoning),
    /// Just as it stands.
    Other,
}

/// Where a piece stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    role: Role,
    /// Whether what only this wire understands may be said.
    own: bool,
    nothing: &'a JsonObject,
}

impl<'a> Place<'a> {
    /// In `message`; `nothing` is empty.
    pub(super) fn of(message: &Message, nothing: &'a JsonObject) -> Self {
        Self {
            role: message.role,
            own: message.belongs_to(super::WIRE),
            nothing,
        }
    }
}

impl<'a> Block<'a> {
    /// The piece that says `part`; none for what is left out: blank text, thoughts without a signature, and what
    /// only another wire understands.
    ///
    /// # Errors
    /// Why this wire can't say it.
    pub(super) fn of(part: &'a Part, place: Place<'a>, ids: &mut Ids<'a>) -> Result<Option<Self>, String> {
        let is_assistant = place.role == Role::Assistant;
        if !place.own && is_foreign(part, is_assistant) {
            return Ok(None);
        }
        let said = match part {
            Part::Text(text) if text.trim().is_empty() => return Ok(None),
            Part::Text(text) => Said::Text(text),
            Part::Other(_) => Said::Other,
            _ if place.role == Role::System => return Err("a system message with more than text".into()),
            Part::Image(image) => Said::Image(Source::of_image(image)?),
            Part::File(file) if is_image(file) => Said::Image(Source::of_image(file)?),
            Part::File(file) => Said::Document(Source::of_document(file)?, file.name.as_deref()),
            Part::Audio(_) => return Err("sound, which this provider doesn't take".into()),
            Part::ToolCall(call) if is_assistant => Said::ToolUse(call, ids.of_call(&call.id)),
            Part::ToolCall(_) => return Err("only the assistant can call a tool".into()),
            Part::ToolResult(_) if is_assistant => {
                return Err("the assistant can't answer a tool call".into());
            }
            Part::ToolResult(result) => {
                Said::ToolResult(result, ids.of_result(&result.id), pieces(result, place, ids)?)
            }
            Part::Reasoning(thought) if thought.signature.is_some() => Said::Thinking(thought),
            Part::Reasoning(_) => return Ok(None),
            _ => return Err("a part that this wire doesn't have".into()),
        };
        let extra = if place.own { part.extra() } else { place.nothing };
        Ok(Some(Self { said, extra }))
    }

    /// The text, if it is nothing else.
    pub(super) fn as_plain_text(&self) -> Option<&'a str> {
        match self.said {
            Said::Text(text) if self.extra.is_empty() => Some(text),
            _ => None,
        }
    }
}

/// What another wire's message has for that wire alone, and what an answer may have and a request may not.
const fn is_foreign(part: &Part, is_assistant: bool) -> bool {
    match part {
        Part::Other(_) | Part::Reasoning(_) => true,
        Part::Image(media) | Part::File(media) | Part::Audio(media) => {
            is_assistant || matches!(media.source, MediaSource::Id(_))
        }
        _ => false,
    }
}

fn is_image(file: &Media) -> bool {
    file.media_type
        .as_deref()
        .is_some_and(|media_type| media_type.starts_with("image/"))
}

/// What belongs to a tool's answer beside its text.
fn pieces<'a>(result: &'a ToolResult, place: Place<'a>, ids: &mut Ids<'a>) -> Result<Vec<Block<'a>>, String> {
    let mut pieces = Vec::with_capacity(result.parts.len());
    for part in &result.parts {
        if matches!(part, Part::ToolCall(_) | Part::ToolResult(_) | Part::Reasoning(_)) {
            return Err("a tool's answer with more than text, images and files".into());
        }
        pieces.extend(Block::of(part, place, ids)?);
    }
    Ok(pieces)
}

impl Serialize for Block<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut block = Members::start(serializer, self.extra)?;
        match &self.said {
            Said::Text(text) => {
                block.member("type", "text")?;
                block.member("text", text)?;
            }
            Said::Image(source) => {
                block.member("type", "image")?;
                block.member("source", source)?;
            }
            Said::Document(source, title) => {
                block.member("type", "document")?;
                block.member("source", source)?;
                block.optional("title", title.as_ref())?;
            }
            Said::ToolUse(call, id) => {
                block.member("type", "tool_use")?;
                block.member("id", id)?;
                block.member("name", &call.name)?;
                block.member("input", &input(&call.arguments))?;
            }
            Said::ToolResult(result, id, pieces) => {
                block.member("type", "tool_result")?;
                block.member("tool_use_id", id)?;
                block.optional("content", Answer::of(&result.content, pieces).as_ref())?;
                block.optional("is_error", result.is_error.then_some(&true))?;
            }
            Said::Thinking(thought) => {
                block.member("type", "thinking")?;
                block.member("thinking", &thought.text)?;
                block.optional("signature", thought.signature.as_ref())?;
            }
            Said::Other => {}
        }
        block.end()
    }
}

/// A tool's answer: text as it is, anything else as a list.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Text(&'a str),
    List(Vec<Piece<'a>>),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Piece<'a> {
    Text(Text<'a>),
    Block(&'a Block<'a>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "text")]
struct Text<'a> {
    text: &'a str,
}

impl<'a> Answer<'a> {
    fn of(text: &'a str, pieces: &'a [Block<'a>]) -> Option<Self> {
        match (text, pieces) {
            ("", []) => None,
            (text, []) => Some(Self::Text(text)),
            (text, pieces) => {
                let text = (!text.trim().is_empty()).then_some(Piece::Text(Text { text }));
                Some(Self::List(
                    text.into_iter().chain(pieces.iter().map(Piece::Block)).collect(),
                ))
            }
        }
    }
}

/// A call's arguments have to be an object. What a model wrote and is none (an answer that was cut off) is wrapped
/// as Anthropic's documentation of streamed tool calls says.
fn input(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return json!({});
    }
    match serde_json::from_str(arguments) {
        Ok(input @ Value::Object(_)) => input,
        _ => json!({ "INVALID_JSON": arguments }),
    }
}
