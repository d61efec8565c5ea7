//! `POST /v1/responses`.

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
        let events = answering.events().into_iter().enumerate();
        let events = events.map(|(number, (name, mut event))| {
            set(&mut event, "type", name);
            set(&mut event, "sequence_number", number);
            format!("event: {name}\ndata: {event}\n\n")
        });
        Answer::slow_sse(events, chunk_delay)
    } else {
        Answer::json(200, &answering.whole())
    }
}

/// `POST /v1/responses/input_tokens`: the words of the conversation.
pub(super) fn count(request: &Value) -> Answer {
    let count = json!({ "object": "response.input_tokens", "input_tokens": input_words(request) });
    Answer::json(200, &count)
}

fn problem(request: &Value) -> Option<&'static str> {
    let model = request.get("model").and_then(Value::as_str);
    let is_empty = match request.get("input") {
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::String(text)) => text.is_empty(),
        _ => true,
    };
    if model.is_none_or(str::is_empty) {
        Some("you must provide a model parameter")
    } else if is_empty {
        Some("one of \"input\" or \"previous_response_id\" must be provided")
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
    let format = request.pointer("/text/format");
    match format.and_then(|format| format.get("type")?.as_str()) {
        Some("json_schema") => {
            let schema = format.and_then(|format| format.get("schema"));
            ScriptedReply::text(schema.map_or_else(|| json!({}), sample).to_string())
        }
        Some("json_object") => ScriptedReply::text("{}"),
        _ => ScriptedReply::text(ModelServer::TEXT),
    }
}

fn demanded_tool(request: &Value) -> Option<&Value> {
    let tools = request.get("tools")?.as_array()?.iter();
    let mut functions = tools.filter(|tool| tool.get("type").and_then(Value::as_str) == Some("function"));
    match request.get("tool_choice")? {
        Value::String(choice) if choice == "required" => functions.next(),
        choice => {
            let name = choice.get("name")?;
            functions.find(|tool| tool.get("name") == Some(name))
        }
    }
}

type Event = (&'static str, Value);

/// One reply to one request, on its way to the wire.
struct Answering<'a> {
    request: &'a Value,
    reply: ScriptedReply,
}

impl Answering<'_> {
    fn whole(&self) -> Value {
        let output: Vec<_> = self.items().iter().map(Item::whole).collect();
        let (status, reason) = match self.reply.finish.as_deref() {
            None | Some("stop" | "tool_calls") => ("completed", None),
            Some("length") => ("incomplete", Some("max_output_tokens")),
            Some(reason) => ("incomplete", Some(reason)),
        };
        let mut response = self.response(status, &output.into());
        set(&mut response, "usage", self.usage());
        if let Some(reason) = reason {
            set(&mut response, "incomplete_details", json!({ "reason": reason }));
        }
        response
    }

    /// Each item from its beginning to its end: text word by word, arguments in pieces.
    fn events(&self) -> Vec<Event> {
        let begun = self.response("in_progress", &json!([]));
        let mut events = vec![("response.created", json!({ "response": begun }))];
        for (index, item) in self.items().iter().enumerate() {
            events.push((
                "response.output_item.added",
                json!({ "output_index": index, "item": item.begun() }),
            ));
            events.extend(item.pieces(index));
            events.push((
                "response.output_item.done",
                json!({ "output_index": index, "item": item.whole() }),
            ));
        }
        let whole = self.whole();
        let end = match whole.get("incomplete_details") {
            Some(Value::Object(_)) => "response.incomplete",
            _ => "response.completed",
        };
        events.push((end, json!({ "response": whole })));
        events
    }

    fn items(&self) -> Vec<Item<'_>> {
        let text = self.reply.text.iter().map(|text| Item::Text(text));
        let calls = self.reply.tool_calls.iter().enumerate();
        let calls = calls.map(|(index, (name, arguments))| Item::Call {
            index,
            name,
            arguments,
        });
        text.chain(calls).collect()
    }

    fn response(&self, status: &str, output: &Value) -> Value {
        json!({
            "id": "resp_test",
            "object": "response",
            "created_at": 1_767_225_600,
            "model": self.request.get("model"),
            "status": status,
            "error": null,
            "incomplete_details": null,
            "output": output,
            "usage": null,
        })
    }

    fn usage(&self) -> Value {
        let words = || {
            let output = self.reply.text.as_deref().map_or(0, words);
            (input_words(self.request), output)
        };
        let (input, output) = self.reply.usage.unwrap_or_else(words);
        json!({ "input_tokens": input, "output_tokens": output, "total_tokens": input + output })
    }
}

/// What the model puts out.
enum Item<'a> {
    Text(&'a str),
    Call {
        index: usize,
        name: &'a str,
        arguments: &'a str,
    },
}

impl Item<'_> {
    fn whole(&self) -> Value {
        match self {
            Self::Text(text) => message("completed", &json!([piece(text)])),
            Self::Call {
                index,
                name,
                arguments,
            } => call("completed", *index, name, arguments),
        }
    }

    fn begun(&self) -> Value {
        match self {
            Self::Text(_) => message("in_progress", &json!([])),
            Self::Call { index, name, .. } => call("in_progress", *index, name, ""),
        }
    }

    fn pieces(&self, output_index: usize) -> Vec<Event> {
        match self {
            Self::Text(text) => {
                let place = |mut event: Value| {
                    set(&mut event, "output_index", output_index);
                    set(&mut event, "content_index", 0);
                    set(&mut event, "item_id", "msg_test");
                    event
                };
                let mut events = vec![("response.content_part.added", place(json!({ "part": piece("") })))];
                let words = text.split_inclusive(' ');
                events.extend(
                    words.map(|word| ("response.output_text.delta", place(json!({ "delta": word })))),
                );
                events.push(("response.output_text.done", place(json!({ "text": text }))));
                events.push((
                    "response.content_part.done",
                    place(json!({ "part": piece(text) })),
                ));
                events
            }
            Self::Call { index, arguments, .. } => {
                let place = |mut event: Value| {
                    set(&mut event, "output_index", output_index);
                    set(&mut event, "item_id", format!("fc_{index}"));
                    event
                };
                let pieces = arguments.split_inclusive([',', ':']);
                let pieces = pieces.map(|piece| place(json!({ "delta": piece })));
                let mut events: Vec<_> = pieces
                    .map(|event| ("response.function_call_arguments.delta", event))
                    .collect();
                let done = place(json!({ "arguments": arguments }));
                events.push(("response.function_call_arguments.done", done));
                events
            }
        }
    }
}

fn message(status: &str, content: &Value) -> Value {
    json!({ "type": "message", "id": "msg_test", "role": "assistant", "status": status, "content": content })
}

fn piece(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [] })
}

fn call(status: &str, index: usize, name: &str, arguments: &str) -> Value {
    json!({
        "type": "function_call", "id": format!("fc_{index}"), "call_id": format!("call_{index}"),
        "name": name, "arguments": arguments, "status": status,
    })
}

/// The words of the conversation.
fn input_words(request: &Value) -> u64 {
    match request.get("input") {
        Some(Value::String(text)) => words(text),
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(|item| item.get("content"))
            .map(content_words)
            .sum(),
        _ => 0,
    }
}

fn content_words(content: &Value) -> u64 {
    match content {
        Value::String(text) => words(text),
        Value::Array(pieces) => pieces
            .iter()
            .filter_map(|piece| piece.get("text")?.as_str())
            .map(words)
            .sum(),
        _ => 0,
    }
}

fn words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}
