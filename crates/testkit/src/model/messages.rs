//! `POST /v1/messages`, as Anthropic has it.

use super::ModelServer;
use super::reply::ScriptedReply;
use super::sample::sample;
use super::wire;
use crate::answer::Answer;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) fn answer(request: &Value, scripted: Option<ScriptedReply>, chunk_delay: Duration) -> Answer {
    if let Some(problem) = problem(request) {
        return wire::error(400, "invalid_request_error", problem);
    }
    let reply = scripted.unwrap_or_else(|| unscripted(request));
    let answering = Answering { request, reply };
    if request.get("stream") == Some(&Value::Bool(true)) {
        let events = answering.events().into_iter().map(|(name, event)| {
            let data = with_type(event, name);
            format!("event: {name}\ndata: {data}\n\n")
        });
        Answer::slow_sse(events, chunk_delay)
    } else {
        Answer::json(200, &answering.whole())
    }
}

/// `POST /v1/messages/count_tokens`: the words of the conversation.
pub(super) fn count(request: &Value) -> Answer {
    Answer::json(200, &json!({ "input_tokens": input_words(request) }))
}

fn problem(request: &Value) -> Option<&'static str> {
    let messages = request.get("messages").and_then(Value::as_array);
    let model = request.get("model").and_then(Value::as_str);
    if model.is_none_or(str::is_empty) {
        Some("model: Field required")
    } else if request.get("max_tokens").and_then(Value::as_u64).is_none() {
        Some("max_tokens: Field required")
    } else if messages.is_none_or(Vec::is_empty) {
        Some("messages: at least one message is required")
    } else {
        None
    }
}

/// A call where a tool is demanded, an object where a schema is, [`ModelServer::TEXT`] otherwise.
fn unscripted(request: &Value) -> ScriptedReply {
    if let Some(tool) = demanded_tool(request) {
        let arguments = tool.get("input_schema").map_or_else(|| json!({}), sample);
        let name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
        return ScriptedReply::tool_call(name, arguments.to_string());
    }
    match request.pointer("/output_config/format/schema") {
        Some(schema) => ScriptedReply::text(sample(schema).to_string()),
        None => ScriptedReply::text(ModelServer::TEXT),
    }
}

fn demanded_tool(request: &Value) -> Option<&Value> {
    let mut tools = request.get("tools")?.as_array()?.iter();
    let choice = request.get("tool_choice")?;
    match choice.get("type")?.as_str()? {
        "any" => tools.next(),
        "tool" => tools.find(|tool| tool.get("name") == choice.get("name")),
        _ => None,
    }
}

/// One reply to one request, on its way to the wire.
struct Answering<'a> {
    request: &'a Value,
    reply: ScriptedReply,
}

impl Answering<'_> {
    fn whole(&self) -> Value {
        let content: Vec<_> = self.blocks().iter().map(Block::whole).collect();
        self.message(&json!(content), &json!(self.stop_reason()), &self.usage())
    }

    /// The beginning, each block in pieces, the end; and a sign of life.
    fn events(&self) -> Vec<(&'static str, Value)> {
        let begun = self.message(&json!([]), &Value::Null, &self.usage());
        let mut events = vec![
            ("message_start", json!({ "message": begun })),
            ("ping", json!({})),
        ];
        for (index, block) in self.blocks().iter().enumerate() {
            let start = json!({ "index": index, "content_block": block.start() });
            events.push(("content_block_start", start));
            let deltas = block.deltas().into_iter();
            events.extend(
                deltas.map(|delta| ("content_block_delta", json!({ "index": index, "delta": delta }))),
            );
            events.push(("content_block_stop", json!({ "index": index })));
        }
        let delta = json!({ "stop_reason": self.stop_reason(), "stop_sequence": null });
        events.push(("message_delta", json!({ "delta": delta, "usage": self.usage() })));
        events.push(("message_stop", json!({})));
        events
    }

    fn blocks(&self) -> Vec<Block<'_>> {
        let text = self.reply.text.iter().map(|text| Block::Text(text));
        let calls = self.reply.tool_calls.iter().enumerate();
        let calls = calls.map(|(index, (name, arguments))| Block::Call {
            index,
            name,
            arguments,
        });
        text.chain(calls).collect()
    }

    fn message(&self, content: &Value, stop_reason: &Value, usage: &Value) -> Value {
        json!({
            "id": "msg_test",
            "type": "message",
            "role": "assistant",
            "model": self.request.get("model"),
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": null,
            "usage": usage,
        })
    }

    fn stop_reason(&self) -> &str {
        match self.reply.finish_reason() {
            "stop" => "end_turn",
            "length" => "max_tokens",
            "tool_calls" => "tool_use",
            other => other,
        }
    }

    fn usage(&self) -> Value {
        let words = || {
            let output = self.reply.text.as_deref().map_or(0, words);
            (input_words(self.request), output)
        };
        let (input, output) = self.reply.usage.unwrap_or_else(words);
        json!({ "input_tokens": input, "output_tokens": output })
    }
}

/// A piece of the answer.
enum Block<'a> {
    Text(&'a str),
    Call {
        index: usize,
        name: &'a str,
        arguments: &'a str,
    },
}

impl Block<'_> {
    fn whole(&self) -> Value {
        match self {
            Self::Text(text) => json!({ "type": "text", "text": text }),
            Self::Call {
                index,
                name,
                arguments,
            } => {
                let input: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
                json!({ "type": "tool_use", "id": format!("toolu_{index}"), "name": name, "input": input })
            }
        }
    }

    fn start(&self) -> Value {
        match self {
            Self::Text(_) => json!({ "type": "text", "text": "" }),
            Self::Call { index, name, .. } => {
                json!({ "type": "tool_use", "id": format!("toolu_{index}"), "name": name, "input": {} })
            }
        }
    }

    /// Text word by word; arguments cut after every comma and colon.
    fn deltas(&self) -> Vec<Value> {
        match self {
            Self::Text(text) => text
                .split_inclusive(' ')
                .map(|word| json!({ "type": "text_delta", "text": word }))
                .collect(),
            Self::Call { arguments, .. } => arguments
                .split_inclusive([',', ':'])
                .map(|piece| json!({ "type": "input_json_delta", "partial_json": piece }))
                .collect(),
        }
    }
}

fn with_type(mut event: Value, name: &str) -> Value {
    crate::json::set(&mut event, "type", name);
    event
}

/// The words of the conversation.
fn input_words(request: &Value) -> u64 {
    let messages = request.get("messages").and_then(Value::as_array);
    let contents = messages
        .into_iter()
        .flatten()
        .filter_map(|message| message.get("content"));
    contents.map(content_words).sum()
}

fn content_words(content: &Value) -> u64 {
    match content {
        Value::String(text) => words(text),
        Value::Array(blocks) => blocks
            .iter()
            .filter_map(|block| block.get("text")?.as_str())
            .map(words)
            .sum(),
        _ => 0,
    }
}

fn words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}
