//! Recorded answers of the Gemini API and of Vertex AI, read as they were on the wire.
//!
//! The recordings aren't part of this repository. `GATEPASS_RECORDINGS` names their folder; without it they are
//! looked for in `../shared/recordings`, beside the checkout.

use crate::{backend_at, key, question};
use gatepass_core::{
    BackendError, ChatEvent, ChatReply, EmbeddingRequest, ErrorKind, FinishReason, LlmBackend, Part,
    ProviderError, ReplyMetadata,
};
use gatepass_gemini::GeminiBackend;
use gatepass_http::RetryPolicy;
use gatepass_testkit::{Answer, ModelServer, Value};
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Recordings that can't be read as `expect` says, each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

#[derive(Deserialize)]
pub(crate) struct Recording {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) request: Value,
    stream: bool,
    status: u16,
    content_type: String,
    headers: BTreeMap<String, String>,
    body: String,
    expect: Option<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    text: String,
    reasoning: Option<String>,
    tool_calls: Vec<ExpectedCall>,
    finish: Option<String>,
    usage: ExpectedUsage,
}

#[derive(Debug, PartialEq, Deserialize)]
struct ExpectedCall {
    name: String,
    args: Value,
}

#[derive(Deserialize)]
struct ExpectedUsage {
    input: Option<u64>,
    output: Option<u64>,
    total: Option<u64>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_answer_is_read_as_it_was_meant() {
    let Some(recordings) = recordings() else { return };
    let server = ModelServer::start().await;
    let mut failures = Vec::new();
    for recording in &recordings {
        // Whole, and cut where it hurts.
        for size in [usize::MAX, 1009, 61] {
            server.push(recording.answer(size));
            if let Err(problem) = recording.replay(&server).await {
                failures.push(format!("{} (in pieces of {size}): {problem}", recording.id));
                server.normal();
                break;
            }
        }
    }
    failures.retain(|failure| !EXCEPTIONS.iter().any(|(id, _)| failure.starts_with(id)));
    let passed = recordings.len() - failures.len() - EXCEPTIONS.len();
    println!(
        "{passed} of {} recordings are read as they were meant",
        recordings.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_stream_cut_at_every_byte_tells_the_same_events() {
    let Some(recordings) = recordings() else { return };
    let server = ModelServer::start().await;
    let mut cuts = 0;
    for recording in recordings.iter().filter(|recording| recording.stream) {
        let backend = recording.backend(&server);
        server.push(recording.answer(usize::MAX));
        let whole = events(&backend).await;
        server.push(recording.answer(1));
        assert_eq!(events(&backend).await, whole, "{} byte by byte", recording.id);
        let body = recording.body.as_bytes();
        for at in (1..body.len()).step_by(1 + body.len() / 200) {
            let (head, tail) = body.split_at(at);
            server.push(Answer::sse([head.to_vec(), tail.to_vec()]));
            assert_eq!(events(&backend).await, whole, "{} cut at {at}", recording.id);
            cuts += 1;
        }
    }
    println!("{cuts} cuts changed nothing");
}

async fn events(backend: &GeminiBackend) -> Vec<ChatEvent> {
    let mut stream = backend.chat_stream(question()).await.unwrap();
    let mut events = Vec::new();
    while let Some(event) = stream.try_next().await.unwrap() {
        events.push(event);
    }
    events
}

pub(crate) fn recordings() -> Option<Vec<Recording>> {
    #[expect(clippy::disallowed_methods, reason = "tells where the recordings are")]
    let folder = std::env::var_os("GATEPASS_RECORDINGS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/recordings")),
        PathBuf::from,
    );
    let mut recordings = Vec::new();
    for name in ["gemini", "vertex", "gemini-other"] {
        let Ok(text) = std::fs::read_to_string(folder.join(format!("{name}.jsonl"))) else {
            println!("LEFT OUT: there are no recordings; set GATEPASS_RECORDINGS to their folder");
            return None;
        };
        let all = text
            .lines()
            .map(|line| serde_json::from_str::<Recording>(line).unwrap());
        recordings.extend(all.filter(Recording::is_of_a_model));
    }
    Some(recordings)
}

/// What doesn't hold, as a sentence.
type Problem = String;

impl Recording {
    /// Files and caches are no part of this backend.
    fn is_of_a_model(&self) -> bool {
        let is_known = self
            .url
            .split_once("/models/")
            .is_some_and(|(_, rest)| rest.contains(':'));
        if !is_known {
            println!("LEFT OUT: {} asks {}", self.id, self.url);
        }
        is_known
    }

    /// The path of the recorded address, before the model.
    pub(crate) fn base(&self) -> &str {
        let path = self.url.splitn(4, '/').nth(3).unwrap();
        path.split_once("/models/").unwrap().0
    }

    /// The model, and the method that was called.
    pub(crate) fn model(&self) -> (&str, &str) {
        let (_, rest) = self.url.split_once("/models/").unwrap();
        let (model, method) = rest.split_once(':').unwrap();
        (model, method.split('?').next().unwrap())
    }

    pub(crate) fn backend(&self, server: &ModelServer) -> GeminiBackend {
        backend_at(server, &format!("/{}", self.base()), key()).with_retry(RetryPolicy::never())
    }

    fn answer(&self, size: usize) -> Answer {
        let body = self.body.as_bytes();
        let answer = if self.status == 200 {
            Answer::sse(body.chunks(size).map(<[u8]>::to_vec))
        } else {
            Answer::new(self.status).with_body(self.body.clone())
        };
        let answer = answer.with_header("content-type", &self.content_type);
        let headers = self.headers.iter();
        headers.fold(answer, |answer, (name, value)| answer.with_header(name, value))
    }

    async fn replay(&self, server: &ModelServer) -> Result<(), Problem> {
        let backend = self.backend(server);
        match self.model().1 {
            "countTokens" => return self.replay_count(&backend).await,
            "batchEmbedContents" | "embedContent" | "predict" => return self.replay_vectors(&backend).await,
            _ => {}
        }
        let asked = if self.stream {
            match backend.chat_stream(question()).await {
                Ok(events) => events.collect().await,
                Err(error) => Err(error),
            }
        } else {
            backend.chat(question()).await
        };
        match (asked, &self.expect) {
            (Ok(reply), Some(expected)) => {
                self.check_reply(&reply, expected).await?;
                self.check_streamed(&backend, server, reply).await
            }
            (Err(BackendError::Provider(error)), None) => self.check_refusal(&error),
            (Err(error), Some(_)) if self.is_blocked() => {
                same("kind", &error.kind(), &ErrorKind::ContentFilter)
            }
            (asked, _) => Err(format!("unexpected: {asked:?}")),
        }
    }

    /// A whole answer, told in one event of a stream, is the same.
    async fn check_streamed(
        &self,
        backend: &GeminiBackend,
        server: &ModelServer,
        mut whole: ChatReply,
    ) -> Result<(), Problem> {
        if self.stream {
            return Ok(());
        }
        let lines = self.body.lines().map(|line| format!("data: {line}\r\n"));
        let event = lines.collect::<String>() + "\r\n";
        server.push(Answer::sse([event]));
        let events = backend.chat_stream(question()).await;
        let mut streamed = events.unwrap().collect().await.unwrap();
        streamed.metadata = ReplyMetadata::default();
        whole.metadata = ReplyMetadata::default();
        if streamed == whole {
            return Ok(());
        }
        Err("streamed, it is another reply".into())
    }

    /// A blocked prompt has no answer.
    fn is_blocked(&self) -> bool {
        let mut chunks = self.chunks().into_iter();
        chunks.any(|chunk| chunk["promptFeedback"]["blockReason"].is_string())
    }

    async fn replay_count(&self, backend: &GeminiBackend) -> Result<(), Problem> {
        let count = backend.count_tokens(&question()).await;
        let told = self.chunks()[0]["totalTokens"].as_u64();
        same("tokens", &count.ok(), &told)
    }

    async fn replay_vectors(&self, backend: &GeminiBackend) -> Result<(), Problem> {
        let (model, _) = self.model();
        let texts = ["requests", "instances"]
            .iter()
            .find_map(|name| self.request[*name].as_array());
        let request = EmbeddingRequest::new(vec!["text"; texts.map_or(1, Vec::len)]).with_model(model);
        let all = match backend.embed(request).await {
            Ok(all) if self.status == 200 => all,
            Err(BackendError::Provider(error)) if self.status != 200 => return self.check_refusal(&error),
            other => return Err(format!("unexpected: {other:?}")),
        };
        let told = &self.chunks()[0];
        let vectors = told["embeddings"]
            .as_array()
            .into_iter()
            .flatten()
            .chain(told.get("embedding"));
        let predictions = told["predictions"].as_array().into_iter().flatten();
        let vectors = vectors.chain(predictions.map(|prediction| &prediction["embeddings"]));
        let expected: Vec<Vec<f32>> = vectors
            .map(|vector| serde_json::from_value(vector["values"].clone()).unwrap())
            .collect();
        same("vectors", &all.vectors, &expected)?;
        let tokens = all.usage.and_then(|usage| usage.input_tokens);
        match told["usageMetadata"]["promptTokenCount"].as_u64() {
            None => Ok(()),
            told => same("tokens", &tokens, &told),
        }
    }

    async fn check_reply(&self, reply: &ChatReply, expected: &Expected) -> Result<(), Problem> {
        same("text", &reply.text(), &expected.text)?;
        if let Some(reasoning) = &expected.reasoning {
            same("reasoning", &thoughts(reply), reasoning)?;
        }
        let calls: Vec<_> = reply.tool_calls().collect();
        let read: Vec<_> = calls
            .iter()
            .map(|call| ExpectedCall {
                name: call.name.clone(),
                args: call.parse().unwrap(),
            })
            .collect();
        same("tool calls", &read, &expected.tool_calls)?;
        let finish = expected
            .finish
            .as_deref()
            .map(|word| finish(word, !calls.is_empty()));
        same("finish", &reply.finish, &finish)?;
        let usage = reply.usage.clone().unwrap_or_default();
        same("input tokens", &usage.input_tokens, &expected.usage.input)?;
        same("total tokens", &usage.total_tokens, &expected.usage.total)?;
        if expected.usage.output.is_some() {
            same("output tokens", &usage.output_tokens, &expected.usage.output)?;
        }
        self.check_against_body(reply).await
    }

    /// What `expect` doesn't tell, and the body does.
    async fn check_against_body(&self, reply: &ChatReply) -> Result<(), Problem> {
        let chunks = self.chunks();
        let last = chunks.iter().rfind(|chunk| chunk["usageMetadata"].is_object());
        let count = |name: &str| last?["usageMetadata"][name].as_u64();
        let usage = reply.usage.clone().unwrap_or_default();
        same("thoughts", &usage.reasoning_tokens, &count("thoughtsTokenCount"))?;
        same(
            "cached",
            &usage.cached_input_tokens,
            &count("cachedContentTokenCount"),
        )?;
        let output = count("candidatesTokenCount").unwrap_or(0) + count("thoughtsTokenCount").unwrap_or(0);
        same("output tokens", &usage.output_tokens.unwrap_or(0), &output)?;
        let word = |name: &str| chunks[0][name].as_str().map(str::to_owned);
        same("id", &reply.id, &word("responseId"))?;
        same("model", &reply.model, &word("modelVersion"))?;
        self.check_parts(reply, &chunks).await?;
        self.check_nothing_is_lost(reply, &chunks)
    }

    /// Sent back, a whole answer has the parts that it came with.
    async fn check_parts(&self, reply: &ChatReply, chunks: &[Value]) -> Result<(), Problem> {
        let told: Vec<Value> = chunks
            .iter()
            .flat_map(|chunk| {
                chunk["candidates"][0]["content"]["parts"]
                    .as_array()
                    .into_iter()
                    .flatten()
            })
            .filter(|part| **part != json!({ "text": "" }))
            .cloned()
            .map(with_args)
            .collect();
        let sent = crate::requests::sent_back(reply, self.model().0).await;
        if self.stream {
            return same("joined parts", &joined(&sent), &joined(&told));
        }
        same("parts", &sent, &told)
    }

    /// Every text and number of an answer is somewhere in the reply.
    fn check_nothing_is_lost(&self, reply: &ChatReply, chunks: &[Value]) -> Result<(), Problem> {
        let kept = serde_json::to_value(reply).unwrap();
        let mut known = BTreeSet::new();
        leaves(&kept, "", &mut |_, leaf| _ = known.insert(leaf.to_string()));
        let mut lost = Vec::new();
        // Of what a stream tells again the last word counts.
        let mut told_later = BTreeSet::new();
        for chunk in chunks.iter().rev() {
            let mut told = BTreeSet::new();
            leaves(chunk, "", &mut |path, leaf| {
                let is_checked_elsewhere = path.starts_with("/candidates/content")
                    || matches!(path, "/candidates/index" | "/candidates/finishReason")
                    || path == "/usageMetadata/candidatesTokenCount"
                    || (!told_later.is_empty() && path.starts_with("/usageMetadata"));
                if !is_checked_elsewhere && !told_later.contains(path) && !known.contains(&leaf.to_string()) {
                    lost.push(format!("{path}: {leaf}"));
                }
                told.insert(path.to_owned());
            });
            told_later.extend(told);
        }
        if lost.is_empty() {
            return Ok(());
        }
        Err(format!("lost: {}", lost.join(", ")))
    }

    fn check_refusal(&self, error: &ProviderError) -> Result<(), Problem> {
        let body: Value = serde_json::from_str(&self.body).map_err(|error| error.to_string())?;
        let kind = match self.status {
            400 if self.body.contains("API_KEY_INVALID") => ErrorKind::Auth,
            400 if self.body.contains("token count") => ErrorKind::ContextLength,
            429 if self.body.contains("PerDay") || self.body.contains("limit: 0") => ErrorKind::Quota,
            400 | 413 => ErrorKind::InvalidRequest,
            401 => ErrorKind::Auth,
            403 => ErrorKind::Permission,
            404 => ErrorKind::NotFound,
            429 => ErrorKind::RateLimit,
            503 => ErrorKind::Overloaded,
            _ => ErrorKind::Server,
        };
        let told = |name: &str| body["error"][name].as_str().map(str::to_owned);
        same("kind", &error.kind, &kind)?;
        same("status", &error.status, &self.status)?;
        same("message", &Some(error.message.clone()), &told("message"))?;
        same("code", &error.code, &told("status"))
    }

    fn chunks(&self) -> Vec<Value> {
        if !self.stream {
            return vec![serde_json::from_str(&self.body).unwrap()];
        }
        let data = self.body.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).unwrap()).collect()
    }
}

/// A call without arguments is sent back with none.
fn with_args(mut part: Value) -> Value {
    if let Some(call) = part.get_mut("functionCall").and_then(Value::as_object_mut) {
        call.entry("args").or_insert_with(|| json!({}));
    }
    part
}

/// Texts, and thoughts, side by side that nothing else was said of, as one: a stream tells them in pieces.
fn joined(parts: &[Value]) -> Vec<Value> {
    let mut joined: Vec<Value> = Vec::new();
    for part in parts {
        let text = part["text"].as_str().unwrap_or_default();
        let plain = |text: &str| [json!({ "text": text }), json!({ "text": text, "thought": true })];
        let kind = plain(text).iter().position(|plain| plain == part);
        if let (Some(kind), Some(last)) = (kind, joined.last_mut()) {
            let before = last["text"].as_str().unwrap_or_default();
            if plain(before)[kind] == *last {
                *last = plain(&format!("{before}{text}"))[kind].clone();
                continue;
            }
        }
        joined.push(part.clone());
    }
    joined
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, read: &T, expected: &T) -> Result<(), Problem> {
    if read == expected {
        return Ok(());
    }
    Err(format!("{what}: read {read:?}, expected {expected:?}"))
}

fn finish(word: &str, calls: bool) -> FinishReason {
    match word {
        "STOP" if calls => FinishReason::ToolCalls,
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "IMAGE_SAFETY" => {
            FinishReason::ContentFilter
        }
        other => FinishReason::Other(other.into()),
    }
}

fn thoughts(reply: &ChatReply) -> String {
    let thoughts = reply.message.parts.iter().filter_map(|part| match part {
        Part::Reasoning(thought) => Some(thought.text.as_str()),
        _ => None,
    });
    thoughts.collect()
}

/// Calls `visit` with each text, number and truth that says something, and where it stands.
fn leaves(value: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                leaves(member, &format!("{path}/{name}"), visit);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| leaves(item, path, visit)),
        Value::Null => {}
        leaf if *leaf == json!("") => {}
        leaf => visit(path, leaf),
    }
}
