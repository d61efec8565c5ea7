//! `POST /v1/chat/completions`.

use super::ModelServer;
use super::reply::ScriptedReply;
use super::sample::sample;
use super::wire;
use crate::answer::Answer;
use crate::json::set;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) fn answer(request: &Value, scripted: Option<ScriptedReply>, chunk_delay: Duration) -> Answer {
    if let Some(problem) = problem(request) {
        return wire::error(400, "invalid_request", problem);
    }
    let reply = scripted.unwrap_or_else(|| unscripted(request));
    let answering = Answering { request, reply };
    if request.get("stream") == Some(&Value::Bool(true)) {
        let events = answering
            .chunks()
            .into_iter()
            .map(|chunk| format!("data: {chunk}\n\n"));
        let events = events.chain(["data: [DONE]\n\n".to_owned()]);
        Answer::slow_sse(events, chunk_delay)
    } else {
        Answer::json(200, &answering.whole())
    }
}

fn problem(request: &Value) -> Option<&'static str> {
    let messages = request.get("messages").and_then(Value::as_array);
    if request
        .get("model")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        Some("you must provide a model parameter")
    } else if messages.is_none_or(Vec::is_empty) {
        Some("[] is too short - 'messages'")
    } else {
        None
    }
}

/// A call where a tool is demanded, an object where a schema is, [`ModelServer::TEXT`] otherwise.
fn unscripted(request: &Value) -> ScriptedReply {
    if let Some(tool) = demanded_tool(request) {
        let arguments = tool.get("parameters").map_or_else(|| json!({}), sample);
        let name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
        return ScriptedReply::tool_call(name, arguments.to_string());
    }
    let format = request.get("response_format");
    match format.and_then(|format| format.get("type")?.as_str()) {
        Some("json_schema") => {
            let schema = format.and_then(|format| format.get("json_schema")?.get("schema"));
            ScriptedReply::text(schema.map_or_else(|| json!({}), sample).to_string())
        }
        Some("json_object") => ScriptedReply::text("{}"),
        _ => ScriptedReply::text(ModelServer::TEXT),
    }
}

fn demanded_tool(request: &Value) -> Option<&Value> {
    let mut tools = request
        .get("tools")?
        .as_array()?
        .iter()
        .filter_map(|tool| tool.get("function"));
    match request.get("tool_choice")? {
        Value::String(choice) if choice == "required" => tools.next(),
        choice => {
            let name = choice.get("function")?.get("name")?;
            tools.find(|tool| tool.get("name") == Some(name))
        }
    }
}

/// One reply to one request, on its way to the wire.
struct Answering<'a> {
    request: &'a Value,
    reply: ScriptedReply,
}

impl Answering<'_> {
    fn whole(&self) -> Value {
        let mut message = json!({ "role": "assistant", "content": self.reply.text });
        if !self.reply.tool_calls.is_empty() {
            let calls = self.reply.tool_calls.iter().enumerate();
            let calls = calls.map(|(index, (name, arguments))| tool_call(index, name, arguments));
            set(&mut message, "tool_calls", calls.collect::<Vec<_>>());
        }
        let choice = json!({ "index": 0, "message": message, "finish_reason": self.reply.finish_reason() });
        let mut body = self.envelope("chat.completion", &json!([choice]));
        set(&mut body, "usage", self.usage());
        body
    }

    /// The deltas, the end, and the usage if it is asked for.
    fn chunks(&self) -> Vec<Value> {
        let mut chunks: Vec<Value> = self
            .deltas()
            .iter()
            .map(|delta| self.chunk(delta, None))
            .collect();
        chunks.push(self.chunk(&json!({}), Some(self.reply.finish_reason())));
        if self.wants_usage() {
            let mut last = self.envelope("chat.completion.chunk", &json!([]));
            set(&mut last, "usage", self.usage());
            chunks.push(last);
        }
        chunks
    }

    /// A role, the words one by one, the tool calls in pieces.
    fn deltas(&self) -> Vec<Value> {
        let mut deltas = vec![json!({ "role": "assistant", "content": "" })];
        let words = self.reply.text.iter().flat_map(|text| text.split_inclusive(' '));
        deltas.extend(words.map(|word| json!({ "content": word })));
        for (index, (name, arguments)) in self.reply.tool_calls.iter().enumerate() {
            let mut start = tool_call(index, name, "");
            set(&mut start, "index", index);
            deltas.push(json!({ "tool_calls": [start] }));
            for piece in pieces(arguments) {
                let more = json!({ "index": index, "function": { "arguments": piece } });
                deltas.push(json!({ "tool_calls": [more] }));
            }
        }
        deltas
    }

    fn chunk(&self, delta: &Value, finish: Option<&str>) -> Value {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        let mut chunk = self.envelope("chat.completion.chunk", &json!([choice]));
        if self.wants_usage() {
            set(&mut chunk, "usage", Value::Null);
        }
        chunk
    }

    fn envelope(&self, object: &str, choices: &Value) -> Value {
        json!({
            "id": "chatcmpl-test",
            "object": object,
            "created": 1_767_225_600,
            "model": self.request.get("model"),
            "choices": choices,
        })
    }

    fn wants_usage(&self) -> bool {
        let options = self.request.get("stream_options");
        options.and_then(|options| options.get("include_usage")) == Some(&Value::Bool(true))
    }

    fn usage(&self) -> Value {
        let (input, output) = self.reply.usage.unwrap_or_else(|| self.words());
        json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output })
    }

    /// The words of the conversation and of the reply.
    fn words(&self) -> (u64, u64) {
        let count = |text: &str| text.split_whitespace().count() as u64;
        let messages = self.request.get("messages").and_then(Value::as_array);
        let texts = messages
            .into_iter()
            .flatten()
            .filter_map(|message| message.get("content")?.as_str());
        (
            texts.map(count).sum(),
            self.reply.text.as_deref().map_or(0, count),
        )
    }
}

fn tool_call(index: usize, name: &str, arguments: &str) -> Value {
    json!({
        "id": format!("call_{index}"),
        "type": "function",
        "function": { "name": name, "arguments": arguments },
    })
}

/// Cut after every comma and colon, so that a client has to put it together again.
fn pieces(arguments: &str) -> impl Iterator<Item = &str> {
    arguments.split_inclusive([',', ':'])
}
