use super::WIRE;
use super::piece::{Calls, Piece};
use super::usage::usage;
use gatepass_core::{ChatReply, FinishReason, JsonObject, Message, Part, Role};
use gatepass_wire::{
    Count, ITEMS_LIMIT, Items, Object, Place, Text, from_slice, from_str, keep, pass_over, read_first,
    read_into, said,
};
use serde::de::MapAccess;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// What is wrong with an answer that has more parts than [`ITEMS_LIMIT`].
pub(crate) const TOO_MANY: &str = "it has more than 1024 parts";

/// An answer, or a chunk of a streamed one.
#[derive(Debug, Default)]
pub(crate) struct Answer<'a> {
    pub(super) id: Text<'a>,
    pub(super) model: Text<'a>,
    pub(super) candidate: Option<Candidate<'a>>,
    pub(crate) has_other_candidates: bool,
    pub(super) usage: Option<&'a RawValue>,
    feedback: Option<Value>,
    error: Option<Value>,
    pub(super) rest: JsonObject,
}

impl<'de> Object<'de> for Answer<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "responseId" => self.id = members.next_value()?,
            "modelVersion" => self.model = members.next_value()?,
            "candidates" => self.has_other_candidates = read_first(&mut self.candidate, members)?,
            "usageMetadata" => self.usage = members.next_value()?,
            "promptFeedback" => self.feedback = said(members)?,
            "error" => self.error = said(members)?,
            _ => keep(&mut self.rest, name, members)?,
        }
        Ok(())
    }
}

/// One answer of several.
#[derive(Debug, Default)]
pub(super) struct Candidate<'a> {
    pub(super) index: Count,
    pub(super) content: Content<'a>,
    pub(super) finish_reason: Text<'a>,
    pub(super) rest: JsonObject,
}

impl<'de> Object<'de> for Candidate<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "index" => self.index = members.next_value()?,
            "content" => read_into(Place(&mut self.content), members)?,
            "finishReason" => self.finish_reason = members.next_value()?,
            _ => keep(&mut self.rest, name, members)?,
        }
        Ok(())
    }

    fn index(&self) -> Option<u64> {
        self.index.0
    }
}

#[derive(Debug, Default)]
pub(super) struct Content<'a> {
    pub(super) parts: Vec<Piece<'a>>,
    pub(super) rest: JsonObject,
}

impl<'de> Object<'de> for Content<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "parts" => read_into(Items(&mut self.parts), members)?,
            "role" => pass_over(members)?,
            _ => keep(&mut self.rest, name, members)?,
        }
        Ok(())
    }
}

impl<'a> Answer<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, serde_json::Error> {
        from_slice(body)
    }

    pub(super) fn read_chunk(data: &'a str) -> Result<Self, serde_json::Error> {
        from_str(data)
    }

    /// An error in place of an answer: one that is called so, or a prompt that was blocked.
    pub(crate) fn take_error(&mut self) -> Option<Value> {
        if let Some(error) = self.error.take() {
            return Some(error);
        }
        let feedback = self.feedback.take()?;
        let error = blocked(&feedback).filter(|_| self.candidate.is_none());
        self.rest.insert("promptFeedback".into(), feedback);
        error
    }

    pub(crate) fn has_too_many_parts(&self) -> bool {
        let candidate = self.candidate.as_ref();
        candidate.is_some_and(|candidate| candidate.content.parts.len() > ITEMS_LIMIT)
    }

    /// The reply; `None` if there is no answer in it.
    pub(crate) fn into_reply(self) -> Option<ChatReply> {
        let candidate = self.candidate?;
        let mut calls = Calls::of(&self.id);
        let mut parts: Vec<Part> = Vec::with_capacity(candidate.content.parts.len());
        for piece in candidate.content.parts {
            parts.extend(piece.into_parts(&mut calls).into_iter().flatten());
        }
        parts.extend(calls.close());
        let mut message = Message::new(Role::Assistant, parts).with_wire(WIRE);
        message.extra = candidate.content.rest;
        let mut reply = ChatReply::new(message);
        reply.extra = candidate.rest;
        reply.extra.extend(self.rest);
        let word = candidate.finish_reason;
        reply.finish = finish_reason(&word, calls.count > 0);
        reply.extra.extend(lost_word(&word, reply.finish.as_ref()));
        reply.usage = self.usage.and_then(|told| usage(told.get()));
        reply.model = self.model.into_owned();
        reply.id = self.id.into_owned();
        Some(reply)
    }
}

/// Our word for the provider's. The vocabulary's `ToolCalls` is `STOP` here, too.
pub(super) fn finish_reason(word: &Text<'_>, calls: bool) -> Option<FinishReason> {
    Some(match word.as_str() {
        "" | "FINISH_REASON_UNSPECIFIED" => return None,
        "STOP" if calls => FinishReason::ToolCalls,
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => FinishReason::ContentFilter,
        other => FinishReason::Other(other.to_owned()),
    })
}

/// The provider's word, where ours says less.
pub(super) fn lost_word(word: &Text<'_>, finish: Option<&FinishReason>) -> Option<(String, Value)> {
    let says_less = matches!(finish, Some(FinishReason::ContentFilter));
    says_less.then(|| ("finishReason".into(), word.as_str().into()))
}

/// `promptFeedback` of a blocked prompt, as an error. `OTHER` is no judgement on the content, and passes.
fn blocked(feedback: &Value) -> Option<Value> {
    let reason = feedback.get("blockReason")?.as_str()?;
    let kind = match reason {
        "BLOCK_REASON_UNSPECIFIED" | "BLOCKED_REASON_UNSPECIFIED" | "OTHER" => "server_error",
        _ => "content_filter",
    };
    let told = feedback.get("blockReasonMessage").and_then(Value::as_str);
    let told = told.map_or_else(|| categories(feedback), str::to_owned);
    let message = match &*told {
        "" => "the prompt was blocked".into(),
        told => format!("the prompt was blocked: {told}"),
    };
    Some(json!({ "code": reason, "type": kind, "message": message }))
}

/// What a prompt was blocked for.
fn categories(feedback: &Value) -> String {
    let ratings = feedback.get("safetyRatings").and_then(Value::as_array);
    let ratings = ratings.into_iter().flatten();
    let weighs = |rating: &&Value| {
        let probability = rating.get("probability").and_then(Value::as_str);
        rating.get("blocked") == Some(&Value::Bool(true)) || matches!(probability, Some("HIGH" | "MEDIUM"))
    };
    let names: Vec<_> = ratings
        .filter(weighs)
        .filter_map(|rating| rating.get("category")?.as_str())
        .collect();
    names.join(", ")
}
