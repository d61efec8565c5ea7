//! Recorded traffic: answers read as they were on the wire, requests said as they were.
//!
//! The recordings aren't part of this repository. `GATEPASS_RECORDINGS` names their folder; without it they are
//! looked for in `../shared/recordings`, beside the checkout.

use crate::requests::{normal, read_request};
use crate::{backend, question};
use gatepass_anthropic::AnthropicBackend;
use gatepass_core::{
    BackendError, ChatReply, ErrorKind, FinishReason, LlmBackend, Message, Part, ProviderError, Usage,
};
use gatepass_http::RetryPolicy;
use gatepass_testkit::{Answer, ModelServer, Value};
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Recordings whose answer can't be read as `expect` says, each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

#[derive(Deserialize)]
struct Recording {
    id: String,
    request: Value,
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
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_answer_is_read_as_it_was_meant() {
    let Some(recordings) = recordings() else { return };
    let server = ModelServer::start().await;
    let mut failures = Vec::new();
    let backend = backend(&server).with_retry(RetryPolicy::never());
    for recording in &recordings {
        // Whole, and cut where it hurts.
        for size in [usize::MAX, 1009, 61] {
            server.push(recording.answer(size));
            if let Err(problem) = recording.replay(&backend).await {
                failures.push(format!("{} (in pieces of {size}): {problem}", recording.id));
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
async fn every_recorded_request_is_said_as_it_was() {
    let Some(recordings) = recordings() else { return };
    let server = ModelServer::start().await;
    let backend = backend(&server);
    let (mut failures, mut beyond) = (Vec::new(), Vec::new());
    for recording in &recordings {
        let request = match read_request(&recording.request) {
            Ok(request) => request,
            Err(why) => {
                beyond.push(format!("{}: {why}", recording.id));
                continue;
            }
        };
        server.push(Answer::json(200, &crate::message(&json!([]))));
        match backend.chat(request).await {
            Ok(_) => {}
            // The provider refused it, too.
            Err(error @ BackendError::Request { .. }) if recording.status >= 400 => {
                beyond.push(format!("{}: {error}", recording.id));
                continue;
            }
            Err(error) => {
                failures.push(format!("{}: {error}", recording.id));
                continue;
            }
        }
        let sent = server.requests().last().unwrap().json.clone();
        let (sent, recorded) = (normal(&sent), normal(&recording.request));
        if sent != recorded {
            failures.push(format!("{}:\n  {sent}\n  {recorded}", recording.id));
        }
    }
    let said = recordings.len() - failures.len() - beyond.len();
    println!(
        "{said} of {} recorded requests are said as they were",
        recordings.len()
    );
    beyond
        .iter()
        .for_each(|why| println!("the vocabulary can't say {why}"));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The next request of a recorded conversation has the answer before it as it came.
#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_answer_goes_back_as_it_came() {
    let Some(recordings) = recordings() else { return };
    let server = ModelServer::start().await;
    let backend = backend(&server).with_retry(RetryPolicy::never());
    let mut sent_back = 0;
    for recording in recordings.iter().filter(|recording| recording.status == 200) {
        let mut replies = Vec::new();
        server.push(recording.answer(usize::MAX));
        replies.push(recording.ask(&backend).await.unwrap());
        if recording.stream {
            // What a stream tells may be stored and read again.
            let stored = serde_json::to_string(&replies[0]).unwrap();
            replies.push(serde_json::from_str(&stored).unwrap());
        }
        let came = recording.content();
        for reply in replies {
            let messages = [Message::user("Hi"), reply.message, Message::user("Go on.")];
            let mut request = question();
            request.messages = messages.into();
            server.push(Answer::json(200, &crate::message(&json!([]))));
            backend.chat(request).await.unwrap();
            let sent = server.requests().last().unwrap().json["messages"].clone();
            let sent: Vec<_> = sent
                .as_array()
                .unwrap()
                .iter()
                .filter(|turn| turn["role"] == "assistant")
                .flat_map(|turn| turn["content"].as_array().unwrap().clone())
                .collect();
            assert_eq!(sent, came, "{}", recording.id);
            sent_back += 1;
        }
    }
    println!("{sent_back} answers went back as they came");
}

fn recordings() -> Option<Vec<Recording>> {
    #[expect(clippy::disallowed_methods, reason = "tells where the recordings are")]
    let folder = std::env::var_os("GATEPASS_RECORDINGS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/recordings")),
        PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(folder.join("anthropic.jsonl")) else {
        println!("LEFT OUT: there are no recordings; set GATEPASS_RECORDINGS to their folder");
        return None;
    };
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

/// What doesn't hold, as a sentence.
type Problem = String;

impl Recording {
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

    async fn ask(&self, backend: &AnthropicBackend) -> Result<ChatReply, BackendError> {
        if self.stream {
            backend.chat_stream(question()).await?.collect().await
        } else {
            backend.chat(question()).await
        }
    }

    async fn replay(&self, backend: &AnthropicBackend) -> Result<(), Problem> {
        match (self.ask(backend).await, &self.expect) {
            (Ok(reply), Some(expected)) => self.check_reply(&reply, expected),
            (Err(BackendError::Interrupted { partial, source }), expected) => {
                let BackendError::Provider(error) = *source else {
                    return Err(format!("unexpected: {source:?}"));
                };
                self.check_told_error(&error)?;
                expected
                    .as_ref()
                    .map_or(Ok(()), |expected| self.check_reply(&partial, expected))
            }
            (Err(BackendError::Provider(error)), None) => self.check_refusal(&error),
            (asked, _) => Err(format!("unexpected: {asked:?}")),
        }
    }

    fn check_reply(&self, reply: &ChatReply, expected: &Expected) -> Result<(), Problem> {
        same("text", &reply.text(), &expected.text)?;
        if let Some(reasoning) = &expected.reasoning {
            same("reasoning", &thoughts(reply), reasoning)?;
        }
        let calls: Vec<_> = reply.tool_calls().collect();
        let read: Vec<_> = calls
            .iter()
            .map(|call| ExpectedCall {
                name: call.name.clone(),
                args: call.parse().unwrap_or_else(|_| call.arguments.clone().into()),
            })
            .collect();
        same("tool calls", &read, &expected.tool_calls)?;
        let ids: BTreeSet<_> = calls
            .iter()
            .map(|call| &call.id)
            .filter(|id| !id.is_empty())
            .collect();
        same("the number of ids", &ids.len(), &calls.len())?;
        let finish = expected.finish.as_deref().and_then(finish);
        same("finish", &reply.finish, &finish)?;
        let usage = reply.usage.clone().unwrap_or_default();
        // The provider counts what was cached apart, and so do the recordings; our usage includes it.
        same("input tokens", &uncached(&usage), &expected.usage.input)?;
        same("output tokens", &usage.output_tokens, &expected.usage.output)?;
        self.check_nothing_is_lost(reply)
    }

    /// Every text and number of the answer is somewhere in the reply.
    fn check_nothing_is_lost(&self, reply: &ChatReply) -> Result<(), Problem> {
        let mut kept = BTreeSet::new();
        let mut said = serde_json::to_value(reply).unwrap();
        for part in said["message"]["parts"].as_array_mut().into_iter().flatten() {
            // Arguments are JSON in a text.
            if let Some(arguments) = part.pointer_mut("/tool_call/arguments") {
                *arguments = serde_json::from_str(arguments.as_str().unwrap()).unwrap();
            }
        }
        leaves(&said, "", &mut |_, leaf| {
            kept.insert(leaf.to_string());
        });
        let mut lost = Vec::new();
        for event in self.events() {
            leaves(&event, "", &mut |path, leaf| {
                if !is_said_otherwise(path) && !kept.contains(&leaf.to_string()) {
                    lost.push(format!("{path}: {leaf}"));
                }
            });
        }
        if lost.is_empty() {
            return Ok(());
        }
        Err(format!("lost: {}", lost.join(", ")))
    }

    fn check_refusal(&self, error: &ProviderError) -> Result<(), Problem> {
        let body: Value = serde_json::from_str(&self.body).map_err(|error| error.to_string())?;
        let told = |name| body.pointer(name).and_then(Value::as_str).map(str::to_owned);
        let kind = match told("/error/type").as_deref() {
            Some("authentication_error") => ErrorKind::Auth,
            Some("permission_error") => ErrorKind::Permission,
            Some("not_found_error") => ErrorKind::NotFound,
            Some("rate_limit_error") => ErrorKind::RateLimit,
            Some("overloaded_error") => ErrorKind::Overloaded,
            Some("api_error" | "timeout_error") => ErrorKind::Server,
            Some("billing_error") => ErrorKind::Quota,
            _ if error.message.contains("prompt is too long") => ErrorKind::ContextLength,
            _ if error.message.contains("credit balance") => ErrorKind::Quota,
            _ => ErrorKind::InvalidRequest,
        };
        same("kind", &error.kind, &kind)?;
        same("status", &error.status, &self.status)?;
        let message = told("/error/message").map(|message| gatepass_core::printable(&message));
        same("message", &Some(error.message.clone()), &message)?;
        same("code", &error.code, &told("/error/type"))?;
        same("request id", &error.request_id.is_some(), &true)
    }

    fn check_told_error(&self, error: &ProviderError) -> Result<(), Problem> {
        let told = self.events().into_iter().find(|event| event["type"] == "error");
        let told = told.ok_or("no error was told")?;
        same("status", &error.status, &200)?;
        same(
            "message",
            &Some(error.message.as_str()),
            &told["error"]["message"].as_str(),
        )
    }

    fn events(&self) -> Vec<Value> {
        if !self.stream {
            return vec![serde_json::from_str(&self.body).unwrap()];
        }
        let data = self.body.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).unwrap()).collect()
    }

    /// The answer's content, put together by hand, without members that say nothing.
    fn content(&self) -> Vec<Value> {
        let mut content: Vec<Value> = Vec::new();
        let mut input = String::new();
        for event in self.events() {
            let delta = &event["delta"];
            match event["type"].as_str().unwrap() {
                "message" => content.extend(event["content"].as_array().unwrap().iter().cloned()),
                "content_block_start" => content.push(event["content_block"].clone()),
                "content_block_stop" if !input.is_empty() => {
                    content.last_mut().unwrap()["input"] = serde_json::from_str(&input).unwrap();
                    input.clear();
                }
                "content_block_delta" => match delta["type"].as_str().unwrap() {
                    "input_json_delta" => input += delta["partial_json"].as_str().unwrap(),
                    "citations_delta" => {
                        let citations = &mut content.last_mut().unwrap()["citations"];
                        let mut list = citations.as_array().cloned().unwrap_or_default();
                        list.push(delta["citation"].clone());
                        *citations = list.into();
                    }
                    _ => {
                        let block = content.last_mut().unwrap();
                        for (name, more) in delta
                            .as_object()
                            .unwrap()
                            .iter()
                            .filter(|(name, _)| *name != "type")
                        {
                            let text = block[name].as_str().unwrap_or_default();
                            block[name] = (text.to_owned() + more.as_str().unwrap()).into();
                        }
                    }
                },
                _ => {}
            }
        }
        content.retain(|block| !block["text"].as_str().is_some_and(|text| text.trim().is_empty()));
        for block in &mut content {
            if matches!(block["type"].as_str(), Some("text" | "thinking" | "tool_use")) {
                let says = |value: &Value| !value.is_null() && *value != json!([]);
                block.as_object_mut().unwrap().retain(|_, value| says(value));
            }
        }
        content
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, read: &T, expected: &T) -> Result<(), Problem> {
    if read == expected {
        return Ok(());
    }
    Err(format!("{what}: read {read:?}, expected {expected:?}"))
}

fn finish(word: &str) -> Option<FinishReason> {
    Some(match word {
        "" => return None,
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        other => FinishReason::Other(other.to_owned()),
    })
}

fn uncached(usage: &Usage) -> Option<u64> {
    let cached = [usage.cached_input_tokens, usage.cache_write_tokens];
    let cached: u64 = cached.into_iter().flatten().sum();
    let told = usage.extra.get("input_tokens").and_then(Value::as_u64);
    let uncached = usage.input_tokens.map(|tokens| tokens - cached);
    assert!(told.is_none() || told == uncached, "{usage:?}");
    uncached
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
        leaf if *leaf == json!("") || *leaf == json!(0) || *leaf == json!(0.0) => {}
        leaf => visit(path, leaf),
    }
}

/// Members whose content is in the reply in another form, or has no content; in a stream, also those that come
/// in pieces, which the other checks put together, and those of which the last one counts.
fn is_said_otherwise(path: &str) -> bool {
    let whole = [
        "/type",
        "/role",
        "/stop_reason",
        "/index",
        "/message/type",
        "/message/role",
        "/delta/stop_reason",
        "/delta/type",
        "/delta/text",
        "/delta/thinking",
        "/delta/signature",
        "/delta/partial_json",
        "/content_block/type",
        "/message/usage/input_tokens",
        "/message/usage/output_tokens",
        "/content/type",
    ];
    whole.contains(&path) || path.starts_with("/error") || path == "/request_id"
}
