//! The Gemini API, and Vertex AI: `POST …/models/MODEL:METHOD` and `GET …/models`.

use super::ModelServer;
use super::reply::ScriptedReply;
use super::sample::sample;
use crate::answer::Answer;
use crate::json::set;
use crate::request::RecordedRequest;
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// The answer to a request of this API; none if it is another's.
pub(super) fn answer(
    request: &RecordedRequest,
    scripted: Option<ScriptedReply>,
    chunk_delay: Duration,
) -> Option<Answer> {
    let (_, rest) = request
        .path
        .rsplit_once("/models")
        .filter(|(root, _)| !root.ends_with("/v1"))?;
    let method = rest.rsplit_once(':').map_or("", |(_, method)| method);
    let body = &request.json;
    let model = rest.trim_start_matches('/').split(':').next().unwrap_or_default();
    let answering = |reply: Option<ScriptedReply>| Answering {
        model,
        reply: reply.unwrap_or_else(|| unscripted(body)),
        input: words(body),
    };
    Some(match (&request.method, method) {
        (&Method::GET, "") => models(),
        (&Method::POST, "countTokens") => Answer::json(200, &json!({ "totalTokens": words(body) })),
        (&Method::POST, "batchEmbedContents") => vectors(body),
        (&Method::POST, "generateContent" | "streamGenerateContent") if !has_contents(body) => error(
            400,
            "INVALID_ARGUMENT",
            "* GenerateContentRequest.contents: contents is not specified",
        ),
        (&Method::POST, "generateContent") => Answer::json(200, &answering(scripted).whole()),
        (&Method::POST, "streamGenerateContent") => {
            let chunks = answering(scripted).chunks();
            let events = chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n"));
            Answer::slow_sse(events.collect::<Vec<_>>(), chunk_delay)
        }
        _ => error(404, "NOT_FOUND", "no such method"),
    })
}

/// `google.rpc.Status`
fn error(code: u16, status: &str, message: &str) -> Answer {
    Answer::json(
        code,
        &json!({ "error": { "code": code, "message": message, "status": status } }),
    )
}

fn has_contents(body: &Value) -> bool {
    let contents = body.get("contents").and_then(Value::as_array);
    contents.is_some_and(|contents| !contents.is_empty())
}

fn models() -> Answer {
    let models = ModelServer::MODELS.map(|id| json!({ "name": format!("models/{id}"), "displayName": id }));
    Answer::json(200, &json!({ "models": models }))
}

/// Each vector tells the length of its text.
fn vectors(body: &Value) -> Answer {
    let requests = body
        .get("requests")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let texts = requests.filter_map(|one| one.pointer("/content/parts/0/text")?.as_str());
    let vectors: Vec<_> = texts
        .map(|text| json!({ "values": [text.len() as f64, 0.5, -0.25] }))
        .collect();
    Answer::json(200, &json!({ "embeddings": vectors }))
}

/// A call where a tool is demanded, an object where a schema is, [`ModelServer::TEXT`] otherwise.
fn unscripted(body: &Value) -> ScriptedReply {
    let calling = body.pointer("/toolConfig/functionCallingConfig");
    let wanted = calling.and_then(|calling| calling.pointer("/allowedFunctionNames/0"));
    if calling.and_then(|calling| calling.get("mode")?.as_str()) == Some("ANY") {
        let tools = body.get("tools").and_then(Value::as_array).into_iter().flatten();
        let mut functions = tools
            .filter_map(|tool| tool.get("functionDeclarations")?.as_array())
            .flatten();
        if let Some(function) = functions.find(|function| wanted.is_none() || function.get("name") == wanted)
        {
            let arguments = function
                .get("parametersJsonSchema")
                .map_or_else(|| json!({}), sample);
            let name = function.get("name").and_then(Value::as_str).unwrap_or_default();
            return ScriptedReply::tool_call(name, arguments.to_string());
        }
    }
    let config = |name: &str| body.get("generationConfig").and_then(|config| config.get(name));
    match (
        config("responseJsonSchema"),
        config("responseMimeType").and_then(Value::as_str),
    ) {
        (Some(schema), _) => ScriptedReply::text(sample(schema).to_string()),
        (None, Some("application/json")) => ScriptedReply::text("{}"),
        _ => ScriptedReply::text(ModelServer::TEXT),
    }
}

/// The words of the conversation.
fn words(body: &Value) -> u64 {
    let contents = body
        .get("contents")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let parts = contents
        .filter_map(|content| content.get("parts")?.as_array())
        .flatten();
    let texts = parts.filter_map(|part| part.get("text")?.as_str());
    texts.map(count).sum()
}

fn count(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

/// One reply to one request, on its way to the wire.
struct Answering<'a> {
    model: &'a str,
    reply: ScriptedReply,
    input: u64,
}

impl Answering<'_> {
    fn whole(&self) -> Value {
        let text = self.reply.text.iter().map(|text| json!({ "text": text }));
        self.envelope(&text.chain(self.calls()).collect::<Vec<_>>(), true)
    }

    /// The words one by one, and the calls whole.
    fn chunks(&self) -> Vec<Value> {
        let words = self.reply.text.iter().flat_map(|text| text.split_inclusive(' '));
        let parts = words.map(|word| json!({ "text": word })).chain(self.calls());
        let mut chunks: Vec<_> = parts.map(|part| self.envelope(&[part], false)).collect();
        chunks.push(self.envelope(&[json!({ "text": "" })], true));
        chunks
    }

    fn calls(&self) -> impl Iterator<Item = Value> {
        let calls = self.reply.tool_calls.iter();
        calls.map(|(name, arguments)| {
            let args: Value = serde_json::from_str(arguments).unwrap_or_default();
            json!({ "functionCall": { "name": name, "args": args } })
        })
    }

    fn envelope(&self, parts: &[Value], is_last: bool) -> Value {
        let mut candidate = json!({ "content": { "role": "model", "parts": parts }, "index": 0 });
        if is_last {
            let reason = match self.reply.finish.as_deref() {
                None | Some("stop" | "tool_calls") => "STOP",
                Some("length") => "MAX_TOKENS",
                Some(other) => other,
            };
            set(&mut candidate, "finishReason", reason);
        }
        let said = self.reply.text.as_deref().map_or(0, count);
        let (input, output) = self.reply.usage.unwrap_or((self.input, said));
        json!({
            "candidates": [candidate],
            "usageMetadata": {
                "promptTokenCount": input,
                "candidatesTokenCount": output,
                "totalTokenCount": input + output,
            },
            "modelVersion": self.model,
            "responseId": "gemini-test",
        })
    }
}
