use super::WIRE;
use super::item::{Item, text_of};
use super::usage::usage;
use gatepass_core::{ChatReply, FinishReason, JsonObject, Message, Part, Role, Usage};
use serde_json::Value;

/// What a response is made of.
#[derive(Debug, Default)]
pub(super) struct Response {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) output: Vec<Item>,
    pub(super) usage: Option<Usage>,
    pub(super) error: Option<Value>,
    status: String,
    reason: Option<String>,
    rest: JsonObject,
}

impl Response {
    pub(super) fn read(mut members: JsonObject) -> Self {
        let mut text = |name: &str| match members.remove(name).map(text_of) {
            Some(text) if !text.is_empty() => Some(text),
            _ => None,
        };
        let mut response = Self {
            id: text("id"),
            model: text("model"),
            status: text("status").unwrap_or_default(),
            ..Self::default()
        };
        if let Some(Value::Array(output)) = members.remove("output") {
            response.output = output.into_iter().filter_map(item).collect();
        }
        if let Some(Value::Object(tokens)) = members.remove("usage") {
            response.usage = Some(usage(tokens));
        }
        response.error = members.remove("error").filter(says_something);
        let reason = members
            .get("incomplete_details")
            .and_then(|details| details.get("reason"));
        response.reason = reason.and_then(Value::as_str).map(str::to_owned);
        // The same text once more; padding against people who guess a stream's words by their length.
        for name in ["object", "output_text", "obfuscation"] {
            members.remove(name);
        }
        members.retain(|_, value| says_something(value));
        response.rest = members;
        response
    }

    pub(super) fn has_failed(&self) -> bool {
        self.status == "failed" || self.error.is_some()
    }

    /// What the vocabulary doesn't have.
    pub(super) fn take_rest(&mut self) -> JsonObject {
        std::mem::take(&mut self.rest)
    }

    /// Why it ended.
    pub(super) fn finish(&self, has_calls: bool, is_refusal: bool) -> Option<FinishReason> {
        Some(match (self.status.as_str(), self.reason.as_deref()) {
            ("" | "failed", _) => return None,
            ("completed" | "complete", _) if has_calls => FinishReason::ToolCalls,
            ("completed" | "complete", _) if is_refusal => FinishReason::ContentFilter,
            ("completed" | "complete", _) => FinishReason::Stop,
            ("incomplete", Some("max_output_tokens" | "max_tokens")) => FinishReason::Length,
            ("incomplete", Some("content_filter")) => FinishReason::ContentFilter,
            ("incomplete", Some(reason)) => FinishReason::Other(reason.to_owned()),
            (status, _) => FinishReason::Other(status.to_owned()),
        })
    }

    pub(super) fn into_reply(mut self) -> ChatReply {
        let output = std::mem::take(&mut self.output);
        let parts: Vec<_> = output.into_iter().flat_map(Item::into_parts).collect();
        let has_calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
        let is_refusal = parts.iter().any(is_refusal);
        let mut reply = ChatReply::new(Message::new(Role::Assistant, parts).with_wire(WIRE));
        reply.finish = self.finish(has_calls, is_refusal);
        reply.usage = self.usage;
        reply.model = self.model;
        reply.id = self.id;
        reply.extra = self.rest;
        reply
    }
}

pub(super) fn is_refusal(part: &Part) -> bool {
    matches!(part, Part::Text(text) if text.extra.get("type").and_then(Value::as_str) == Some("refusal"))
}

pub(super) fn item(value: Value) -> Option<Item> {
    match value {
        Value::Object(item) => Some(Item::read(item)),
        _ => None,
    }
}

/// A response tells every setting, most of which nobody has set.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => members.values().any(says_something),
        Value::Bool(_) | Value::Number(_) => true,
    }
}
