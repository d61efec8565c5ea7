use super::WIRE;
use super::call::{Call, Function, made_up_id};
use super::content;
use super::thought::{self, field};
use super::usage::Tokens;
use gatepass_core::{ChatReply, FinishReason, JsonObject, Message, Part, Role, ToolCall, Usage};
use gatepass_wire::{Content, Count, Text};
use gatepass_wire::{ITEMS_LIMIT, Items, Object, Optional, from_str, read_first, read_into, read_slice};
use gatepass_wire::{keep, pass_over, said};
use serde::de::MapAccess;
use serde_json::Value;

/// A whole answer.
#[derive(Debug, Default)]
pub(crate) struct Answer<'a> {
    id: Text<'a>,
    model: Text<'a>,
    choice: Option<Choice<'a>>,
    pub(crate) has_other_choices: bool,
    usage: Option<Tokens>,
    pub(crate) error: Option<Value>,
    rest: JsonObject,
}

impl<'de> Object<'de> for Answer<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "id" => self.id = members.next_value()?,
            "model" => self.model = members.next_value()?,
            "choices" => self.has_other_choices = read_first(&mut self.choice, members)?,
            "usage" => read_into(Optional(&mut self.usage), members)?,
            "error" => self.error = said(members)?,
            // `obfuscation` is padding against people who guess a stream's words by their length.
            "object" | "obfuscation" => pass_over(members)?,
            _ => keep(&mut self.rest, name, members)?,
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Choice<'a> {
    index: Count,
    message: Option<Spoken<'a>>,
    finish_reason: Text<'a>,
    /// Moonshot's place for it, in a stream.
    usage: Option<Tokens>,
    /// OpenRouter's place for it: what the model's own provider said.
    error: Option<Value>,
    rest: JsonObject,
}

impl<'de> Object<'de> for Choice<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "index" => self.index = members.next_value()?,
            "message" => read_into(Optional(&mut self.message), members)?,
            "finish_reason" => self.finish_reason = members.next_value()?,
            "usage" => read_into(Optional(&mut self.usage), members)?,
            "error" => self.error = said(members)?,
            // A stream's; read elsewhere.
            "delta" => pass_over(members)?,
            _ => keep(&mut self.rest, name, members)?,
        }
        Ok(())
    }

    fn index(&self) -> Option<u64> {
        self.index.0
    }
}

/// A message, or the next piece of one.
#[derive(Debug, Default)]
pub(super) struct Spoken<'a> {
    pub(super) content: Content<'a>,
    pub(super) refusal: Text<'a>,
    reasoning_content: Text<'a>,
    reasoning: Text<'a>,
    pub(super) tool_calls: Vec<Call<'a>>,
    /// The one call that there could be before there were tools.
    pub(super) function_call: Option<Box<Function<'a>>>,
    /// None for most: an empty map costs time to drop, and there is one in each chunk of a stream.
    pub(super) rest: Option<JsonObject>,
}

impl<'de> Object<'de> for Spoken<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "content" => self.content = members.next_value()?,
            "refusal" => self.refusal = members.next_value()?,
            "reasoning_content" => self.reasoning_content = members.next_value()?,
            "reasoning" => self.reasoning = members.next_value()?,
            "tool_calls" => read_into(Items(&mut self.tool_calls), members)?,
            "function_call" => read_into(Optional(&mut self.function_call), members)?,
            "role" => pass_over(members)?,
            _ => keep(self.rest.get_or_insert_default(), name, members)?,
        }
        Ok(())
    }
}

impl<'a> Answer<'a> {
    /// Reads a whole answer into its place: it is large, and a move is a copy.
    pub(crate) fn read_whole(&mut self, body: &'a [u8]) -> Result<(), serde_json::Error> {
        read_slice(self, body)
    }

    /// A chunk of a stream, read for what is around the answer.
    pub(super) fn read_chunk(data: &'a str) -> Result<Self, serde_json::Error> {
        from_str(data)
    }

    pub(crate) fn has_too_many_calls(&self) -> bool {
        let message = self.choice.as_ref().and_then(|choice| choice.message.as_ref());
        message.is_some_and(|spoken| spoken.has_too_many_calls())
    }

    /// What broke the answer off.
    pub(crate) fn take_choice_error(&mut self) -> Option<Value> {
        self.choice.as_mut()?.error.take()
    }

    /// Whether what it cost is told elsewhere than beside the answer.
    pub(super) fn has_usage_elsewhere(&self) -> bool {
        let is_within = self.choice.as_ref().is_some_and(|choice| choice.usage.is_some());
        self.usage.is_none() && (is_within || self.usage_of_groq().is_some())
    }

    /// What it cost, told beside the answer or within it.
    pub(super) fn take_usage(&mut self) -> Option<Usage> {
        let choice = self.choice.as_mut();
        let usage = self.usage.take().or_else(|| choice?.usage.take());
        let usage = usage.or_else(|| from_str(&self.usage_of_groq()?.to_string()).ok());
        usage.map(Tokens::into_usage)
    }

    /// Groq's place for it, in a stream that isn't asked for it.
    fn usage_of_groq(&self) -> Option<&Value> {
        let usage = self.rest.get("x_groq")?.get("usage")?;
        usage.is_object().then_some(usage)
    }

    /// Takes the reply out of it; `None` if there is no answer in it.
    pub(crate) fn take_reply(&mut self) -> Option<ChatReply> {
        let usage = self.take_usage();
        let choice = self.choice.as_mut()?;
        let spoken = choice.message.as_mut()?;
        let word = std::mem::take(&mut choice.finish_reason);
        let refused = !spoken.refusal.is_empty();
        let mut reply = ChatReply::new(spoken.take_message());
        reply.finish = finish_reason(word, refused);
        reply.usage = usage;
        reply.model = std::mem::take(&mut self.model).into_owned();
        reply.id = std::mem::take(&mut self.id).into_owned();
        reply.extra = self.take_rest();
        Some(reply)
    }

    /// What the vocabulary doesn't have: of the answer, and of its first choice.
    pub(super) fn take_rest(&mut self) -> JsonObject {
        let rest = std::mem::take(&mut self.rest);
        match &mut self.choice {
            Some(choice) if !choice.rest.is_empty() => {
                let mut all = std::mem::take(&mut choice.rest);
                all.extend(rest);
                all
            }
            _ => rest,
        }
    }
}

impl<'a> Spoken<'a> {
    /// Some of them were left out.
    pub(super) const fn has_too_many_calls(&self) -> bool {
        self.tool_calls.len() > ITEMS_LIMIT
    }

    /// What it thought, and the name that it came under; servers that send it under both send it twice.
    pub(super) fn take_thought(&mut self) -> Option<(String, &'static str)> {
        let content = std::mem::take(&mut self.reasoning_content).into_owned();
        let reasoning = std::mem::take(&mut self.reasoning).into_owned();
        let content = content.map(|text| (text, field::CONTENT));
        content.or_else(|| reasoning.map(|text| (text, field::REASONING)))
    }

    fn take_message(&mut self) -> Message {
        let mut parts = Vec::with_capacity(1);
        let thought = self.take_thought();
        parts.extend(thought.map(|(text, field)| Part::Reasoning(thought::thought(text, Some(field)))));
        match std::mem::take(&mut self.content) {
            // The rule, without a list.
            Content::Text(text) if !text.is_empty() => parts.push(Part::text(text)),
            content => parts.extend(content::parts(content)),
        }
        parts.extend(std::mem::take(&mut self.refusal).into_owned().map(Part::text));
        let calls = calls(std::mem::take(&mut self.tool_calls), self.function_call.take());
        parts.extend(calls.map(Part::ToolCall));
        let mut message = Message::new(Role::Assistant, parts).with_wire(WIRE);
        message.extra = self.rest.take().unwrap_or_default();
        message
    }
}

fn calls<'a>(
    mut calls: Vec<Call<'a>>,
    old_call: Option<Box<Function<'a>>>,
) -> impl Iterator<Item = ToolCall> {
    if calls.is_empty() {
        calls.extend(old_call.map(|call| Call::from(*call)));
    }
    let calls = calls.into_iter().map(|mut call| (call.take_function(), call));
    let calls = calls.filter(|(function, _)| !function.is_empty());
    calls.enumerate().map(|(index, (function, mut call))| {
        let signature = call.take_signature();
        let extra = std::mem::take(&mut call.rest);
        let id = call.id.into_owned().unwrap_or_else(|| made_up_id(index));
        let name = function.name.into_owned().unwrap_or_default();
        let mut call = ToolCall::new(id, name, function.arguments.as_str());
        call.signature = signature;
        call.extra = extra;
        call
    })
}

/// Our word for the provider's: OpenAI's, or that of a server that passes on what its engine says. A refusal is content
/// that was withheld, though OpenAI ends it with `stop`.
pub(super) fn finish_reason(word: Text<'_>, refused: bool) -> Option<FinishReason> {
    let is_shouted = word.as_str().bytes().any(|byte| byte.is_ascii_uppercase());
    let shouted = is_shouted.then(|| word.as_str().to_ascii_lowercase());
    match shouted.as_deref().unwrap_or(word.as_str()) {
        "" => None,
        "stop" if refused => Some(FinishReason::ContentFilter),
        "stop" | "eos" | "eos_token" | "stop_sequence" | "end_turn" | "complete" => Some(FinishReason::Stop),
        "length" | "model_length" | "max_tokens" | "model_context_window_exceeded" => {
            Some(FinishReason::Length)
        }
        "tool_calls" | "function_call" | "tool_call" | "tool_use" => Some(FinishReason::ToolCalls),
        "content_filter" | "sensitive" | "safety" | "refusal" => Some(FinishReason::ContentFilter),
        _ => word.into_owned().map(FinishReason::Other),
    }
}
