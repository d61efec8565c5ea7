//! Recorded answers of the Gemini API and of Vertex AI, read as they were on the wire: see
//! [`gatepass_testkit::recordings`].

use crate::made_up;
use crate::{backend_at, key, question};
use gatepass_core::{
    BackendError, ChatEvent, ChatReply, EmbeddingRequest, ErrorKind, FinishReason, LlmBackend, ProviderError,
    ReplyMetadata, printable,
};
use gatepass_gemini::GeminiBackend;
use gatepass_http::RetryPolicy;
use gatepass_testkit::recordings::{Expected, Problem, Recording, leaves, report, same};
use gatepass_testkit::{Answer, ModelServer, Value};
use serde_json::json;
use std::collections::BTreeSet;

/// Recordings that can't be read as `expect` says, each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_answer_is_read_as_it_was_meant() {
    let Some(recordings) = recordings() else { return };
    let failures = replay_all(&recordings).await;
    report(
        "recordings are read as they were meant",
        &recordings,
        failures,
        &EXCEPTIONS,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_recorded_is_read_as_it_is_documented() {
    let exchanges = made_up::exchanges();
    let failures = replay_all(&exchanges).await;
    report(
        "made-up exchanges are read as they were meant",
        &exchanges,
        failures,
        &[],
    );
}

/// What doesn't hold.
async fn replay_all(recordings: &[Recording]) -> Vec<Problem> {
    let server = ModelServer::start().await;
    let replay = async |recording: &Recording, size| replay(recording, &server, size).await;
    Recording::replay_all(recordings, &server, replay).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_stream_cut_at_every_byte_tells_the_same_events() {
    let Some(recordings) = recordings() else { return };
    let server = ModelServer::start().await;
    let mut cuts = 0;
    for recording in recordings.iter().filter(|recording| recording.stream) {
        let backend = backend(recording, &server);
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
    let mut recordings = Vec::new();
    for wire in ["gemini", "vertex", "gemini-other"] {
        let all = Recording::all(wire, env!("CARGO_MANIFEST_DIR"))?;
        recordings.extend(all.into_iter().filter(is_of_a_model));
    }
    Some(recordings)
}

/// Files and caches are no part of this backend.
fn is_of_a_model(recording: &Recording) -> bool {
    const METHODS: [&str; 6] = [
        "generateContent",
        "streamGenerateContent",
        "countTokens",
        "embedContent",
        "batchEmbedContents",
        "predict",
    ];
    let (_, method) = model(recording);
    let is_known = METHODS.contains(&method);
    if !is_known {
        println!("LEFT OUT: {} asks {}", recording.id, recording.url);
    }
    is_known
}

/// The path of the recorded address, before the model.
pub(crate) fn base(recording: &Recording) -> &str {
    let path = recording.url.splitn(4, '/').nth(3).unwrap_or_default();
    path.split_once("/models/").map_or(path, |(base, _)| base)
}

/// The model, and the method that was called.
pub(crate) fn model(recording: &Recording) -> (&str, &str) {
    let (_, rest) = recording.url.split_once("/models/").unwrap_or_default();
    let (model, method) = rest.split_once(':').unwrap_or_default();
    (model, method.split('?').next().unwrap_or_default())
}

pub(crate) fn backend(recording: &Recording, server: &ModelServer) -> GeminiBackend {
    let path = format!("/{}", base(recording));
    backend_at(server, &path, key()).with_retry(RetryPolicy::never())
}

async fn replay(recording: &Recording, server: &ModelServer, size: usize) -> Result<(), Problem> {
    let backend = backend(recording, server);
    match model(recording).1 {
        "countTokens" => {
            server.push(recording.answer(size));
            return replay_count(recording, &backend).await;
        }
        "batchEmbedContents" | "embedContent" | "predict" => {
            server.push(recording.answer(size));
            return replay_vectors(recording, &backend).await;
        }
        _ => {}
    }
    let asked = recording.ask(&backend, question(), server, size).await;
    match (asked, &recording.expect) {
        (Ok(reply), Some(expected)) => {
            check_reply(recording, &reply, expected).await?;
            recording
                .check_disguised(&backend, &question(), server, &reply)
                .await?;
            check_streamed(recording, &backend, server, reply).await
        }
        (Err(BackendError::Provider(error)), None) => check_refusal(recording, &error),
        (Err(error), _) if recording.status == 200 && is_blocked(recording) => {
            same("kind", &error.kind(), &ErrorKind::ContentFilter)
        }
        (asked, _) => Err(format!("unexpected: {asked:?}")),
    }
}

/// A whole answer, told in one event of a stream, is the same.
async fn check_streamed(
    recording: &Recording,
    backend: &GeminiBackend,
    server: &ModelServer,
    mut whole: ChatReply,
) -> Result<(), Problem> {
    if recording.stream {
        return Ok(());
    }
    let lines = recording.body.lines().map(|line| format!("data: {line}\r\n"));
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
fn is_blocked(recording: &Recording) -> bool {
    let mut chunks = recording.chunks().into_iter();
    chunks.any(|chunk| chunk["promptFeedback"]["blockReason"].is_string())
}

async fn replay_count(recording: &Recording, backend: &GeminiBackend) -> Result<(), Problem> {
    let count = backend.count_tokens(&question()).await;
    let told = recording.chunks()[0]["totalTokens"].as_u64();
    same("tokens", &count.ok(), &told)
}

async fn replay_vectors(recording: &Recording, backend: &GeminiBackend) -> Result<(), Problem> {
    let (model, _) = model(recording);
    let texts = ["requests", "instances"]
        .iter()
        .find_map(|name| recording.request[*name].as_array());
    let request = EmbeddingRequest::new(vec!["text"; texts.map_or(1, Vec::len)]).with_model(model);
    let all = match backend.embed(request).await {
        Ok(all) if recording.status == 200 => all,
        Err(BackendError::Provider(error)) if recording.status != 200 => {
            return check_refusal(recording, &error);
        }
        other => return Err(format!("unexpected: {other:?}")),
    };
    let told = &recording.chunks()[0];
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

async fn check_reply(recording: &Recording, reply: &ChatReply, expected: &Expected) -> Result<(), Problem> {
    expected.check(reply, |usage| usage.input_tokens)?;
    let has_calls = !expected.tool_calls.is_empty();
    let finish = expected.finish.as_deref().map(|word| finish(word, has_calls));
    same("finish", &reply.finish, &finish)?;
    check_against_body(recording, reply).await
}

/// What `expect` doesn't tell, and the body does.
async fn check_against_body(recording: &Recording, reply: &ChatReply) -> Result<(), Problem> {
    let chunks = recording.chunks();
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
    check_parts(recording, reply, &chunks).await?;
    check_nothing_is_lost(reply, &chunks)
}

/// Sent back, a whole answer has the parts that it came with.
async fn check_parts(recording: &Recording, reply: &ChatReply, chunks: &[Value]) -> Result<(), Problem> {
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
    let sent = crate::requests::sent_back(reply, model(recording).0).await;
    if recording.stream {
        return same("joined parts", &joined(&sent), &joined(&told));
    }
    same("parts", &sent, &told)
}

/// Every text and number of an answer is somewhere in the reply.
fn check_nothing_is_lost(reply: &ChatReply, chunks: &[Value]) -> Result<(), Problem> {
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

fn check_refusal(recording: &Recording, error: &ProviderError) -> Result<(), Problem> {
    let kind = match recording.status {
        400 if recording.body.contains("API_KEY_INVALID") => ErrorKind::Auth,
        400 if recording.body.contains("token count") => ErrorKind::ContextLength,
        400 if recording.body.contains("User location") => ErrorKind::Permission,
        429 if recording.body.contains("PerDay") || recording.body.contains("limit: 0") => ErrorKind::Quota,
        400 | 413 => ErrorKind::InvalidRequest,
        401 => ErrorKind::Auth,
        403 => ErrorKind::Permission,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimit,
        503 => ErrorKind::Overloaded,
        _ => ErrorKind::Server,
    };
    same("kind", &error.kind, &kind)?;
    same("status", &error.status, &recording.status)?;
    if let Some(message) = recording.told("/error/message") {
        same("message", &error.message, &printable(&message))?;
    }
    same("code", &error.code, &recording.told("/error/status"))
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
