use super::part::{Call, Data, Media, Response, WirePart};
use super::thinking::Thinking;
use super::{WIRE, made_up};
use crate::place::Place;
use gatepass_core::{BackendError, JsonObject, Message, Part, Role, ToolResult};
use gatepass_wire::Members;
use serde::Serialize;
use serde::ser::Serializer;

/// What Google documents for calls that another model made, in base64: `skip_thought_signature_validator`.
const NO_SIGNATURE: &str = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=";

/// A conversation as Gemini takes it: instructions apart, and the answers to one message's calls together. A
/// message that says nothing keeps its place, and instructions alone are followed by one.
#[derive(Debug, Default)]
pub(super) struct Conversation<'a> {
    pub(super) instructions: Vec<WirePart<'a>>,
    pub(super) contents: Vec<Content<'a>>,
}

/// A message.
#[derive(Debug)]
pub(super) struct Content<'a> {
    role: &'static str,
    parts: Vec<WirePart<'a>>,
    extra: Option<&'a JsonObject>,
    /// Whether it came as a tool's message, which goes on with the next one.
    is_tool: bool,
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let none = JsonObject::new();
        let mut content = Members::start(serializer, self.extra.unwrap_or(&none))?;
        content.member("role", self.role)?;
        content.member("parts", &self.parts)?;
        content.end()
    }
}

impl<'a> Conversation<'a> {
    /// # Errors
    /// [`BackendError::Request`], with what this wire can't say; never with content.
    pub(super) fn of(
        messages: &'a [Message],
        place: &Place,
        thinking: Thinking,
    ) -> Result<Self, BackendError> {
        let mut conversation = Self::default();
        for (at, message) in messages.iter().enumerate() {
            let before = messages.get(..at).unwrap_or_default();
            let said = Said { message, before };
            let parts = said.parts(place, thinking)?;
            conversation.add(message, parts)?;
        }
        if conversation.contents.is_empty() && !messages.is_empty() {
            conversation.contents.push(Content {
                role: "user",
                parts: vec![WirePart::EMPTY],
                extra: None,
                is_tool: false,
            });
        }
        for content in conversation.contents.iter_mut().filter(|content| content.is_tool) {
            content.parts.sort_by_key(WirePart::order);
        }
        Ok(conversation)
    }

    fn add(&mut self, message: &'a Message, parts: Vec<WirePart<'a>>) -> Result<(), BackendError> {
        if message.role == Role::System {
            if parts.iter().any(|part| !part.is_text()) {
                return Err(invalid("instructions have to be text"));
            }
            self.instructions.extend(parts);
            return Ok(());
        }
        let is_tool = message.role == Role::Tool;
        match self.contents.last_mut() {
            Some(last) if last.is_tool && is_tool => last.parts.extend(parts),
            _ => self.contents.push(Content {
                role: if message.role == Role::Assistant {
                    "model"
                } else {
                    "user"
                },
                parts: if parts.is_empty() {
                    vec![WirePart::EMPTY]
                } else {
                    parts
                },
                extra: message.belongs_to(WIRE).then_some(&message.extra),
                is_tool,
            }),
        }
        Ok(())
    }
}

/// One message, and those before it.
#[derive(Clone, Copy)]
struct Said<'a> {
    message: &'a Message,
    before: &'a [Message],
}

impl<'a> Said<'a> {
    fn parts(self, place: &Place, thinking: Thinking) -> Result<Vec<WirePart<'a>>, BackendError> {
        let ours = self.message.belongs_to(WIRE);
        let mut parts: Vec<WirePart<'a>> = Vec::with_capacity(self.message.parts.len());
        for part in &self.message.parts {
            let extra = ours.then(|| part.extra());
            match part {
                Part::Text(text) if text.is_empty() && text.extra.is_empty() => {}
                Part::Text(text) => parts.push(WirePart::new(Data::Text(text), extra)),
                Part::Reasoning(thought) if ours => WirePart::add_thought(thought, &mut parts),
                Part::Other(members) if ours => parts.push(WirePart::new(Data::Whole(members), None)),
                Part::Reasoning(_) | Part::Other(_) => {}
                Part::Image(media) | Part::File(media) | Part::Audio(media) => {
                    if let Some(media) = Media::of(media, place, ours).map_err(invalid)? {
                        parts.push(WirePart::new(Data::Media(media), extra));
                    }
                }
                Part::ToolCall(call) => {
                    if self.message.role != Role::Assistant {
                        return Err(invalid("only the assistant can call a tool"));
                    }
                    let mut wire = WirePart::new(Data::Call(Call::of(call, ours).map_err(invalid)?), extra);
                    wire.signature = call.signature.as_deref().filter(|_| ours);
                    parts.push(wire);
                }
                Part::ToolResult(result) => {
                    let response = self.response(result, place, ours)?;
                    parts.push(WirePart::new(Data::Response(response), extra));
                }
                _ => return Err(invalid("there is a part that this wire doesn't have")),
            }
        }
        if thinking.wants_signatures() {
            sign(&mut parts);
        }
        Ok(parts)
    }

    fn response(
        self,
        result: &'a ToolResult,
        place: &Place,
        ours: bool,
    ) -> Result<Response<'a>, BackendError> {
        let called = self.before.iter().rev().find_map(|message| {
            let mut calls = message.tool_calls().enumerate();
            calls.find(|(_, call)| call.id == result.id)
        });
        let id = Some(&*result.id).filter(|id| !id.is_empty() && !made_up::is(id));
        let name = result
            .name
            .as_deref()
            .or_else(|| called.map(|(_, call)| &*call.name));
        let name = name.ok_or_else(|| {
            invalid("a tool's answer names neither its tool nor a call of the conversation")
        })?;
        let media = result.parts.iter().map(|part| match part {
            Part::Image(media) | Part::File(media) | Part::Audio(media) => Media::of(media, place, ours),
            _ => Err("beside its text, a tool's answer may have images, files and sound"),
        });
        let media: Result<Vec<_>, _> = media.collect();
        Ok(Response {
            id,
            name,
            content: &result.content,
            is_error: result.is_error,
            media: media.map_err(invalid)?.into_iter().flatten().collect(),
            // Answers without an id are told apart by their order alone.
            order: called.filter(|_| id.is_none()).map(|(at, _)| at),
        })
    }
}

/// The first call of a message that Gemini 3 didn't write itself gets the proof that stands for none; without
/// it the model refuses the conversation.
fn sign(parts: &mut [WirePart<'_>]) {
    let mut calls = parts.iter_mut().filter(|part| matches!(part.data, Data::Call(_)));
    if let Some(first) = calls.next()
        && first.signature.is_none()
        && calls.all(|call| call.signature.is_none())
    {
        first.signature = Some(NO_SIGNATURE);
    }
}

pub(super) fn invalid(what: impl Into<String>) -> BackendError {
    BackendError::Request { what: what.into() }
}
