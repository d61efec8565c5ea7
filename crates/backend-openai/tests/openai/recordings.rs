//! Recorded answers of a dozen providers, read as they were on the wire.
//!
//! The recordings aren't part of this repository. `GATEPASS_RECORDINGS` names their folder; without it they are
//! looked for in `../shared/recordings`, beside the checkout.

use crate::{backend, question};
use gatepass_core::{
    BackendError, ChatReply, ErrorKind, FinishReason, LlmBackend, Part, ProviderError, Reasoning, Usage,
};
use gatepass_http::RetryPolicy;
use gatepass_testkit::{Answer, ModelServer, Value};
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Recordings that can't be read as `expect` says, each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

#[derive(Deserialize)]
struct Recording {
    id: String,
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
    for recording in &recordings {
        // Whole, and cut where it hurts.
        for size in [usize::MAX, 1009, 61] {
            server.push(recording.answer(size));
            if let Err(problem) = recording.replay(&server).await {
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

fn recordings() -> Option<Vec<Recording>> {
    #[expect(clippy::disallowed_methods, reason = "tells where the recordings are")]
    let folder = std::env::var_os("GATEPASS_RECORDINGS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/recordings")),
        PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(folder.join("openai-chat.jsonl")) else {
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

    async fn replay(&self, server: &ModelServer) -> Result<(), Problem> {
        let backend = backend(server).with_retry(RetryPolicy::never());
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
                if !self.told_errors().is_empty() {
                    return Err("an error within the stream was lost".into());
                }
                self.check_reply(&reply, expected)
            }
            (Err(BackendError::Interrupted { partial, source }), Some(expected)) => {
                self.check_told_error(&source)?;
                self.check_reply(&partial, expected)
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
        same("input tokens", &usage.input_tokens, &expected.usage.input)?;
        same("output tokens", &usage.output_tokens, &expected.usage.output)?;
        self.check_against_body(reply)
    }

    /// What `expect` doesn't tell, and the body does.
    fn check_against_body(&self, reply: &ChatReply) -> Result<(), Problem> {
        let chunks = self.chunks();
        same("usage", &reply.usage, &usage_in(&chunks))?;
        let word = |name| {
            let words = chunks.iter().filter_map(|chunk| chunk.get(name)?.as_str());
            words.filter(|word| !word.is_empty()).map(str::to_owned).next()
        };
        same("id", &reply.id, &word("id"))?;
        same("model", &reply.model, &word("model"))?;
        same("thoughts", &thoughts(reply), &thoughts_in(&chunks))?;
        self.check_nothing_is_lost(reply, &chunks)
    }

    /// Every text and number of a whole answer is somewhere in the reply.
    fn check_nothing_is_lost(&self, reply: &ChatReply, chunks: &[Value]) -> Result<(), Problem> {
        let mut kept = BTreeSet::new();
        leaves(&serde_json::to_value(reply).unwrap(), "", &mut |_, leaf| {
            kept.insert(leaf.to_string());
        });
        let mut lost = Vec::new();
        for chunk in chunks {
            leaves(chunk, "", &mut |path, leaf| {
                if !is_said_otherwise(path, self.stream) && !kept.contains(&leaf.to_string()) {
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
        let kind = match self.status {
            404 => ErrorKind::NotFound,
            429 => ErrorKind::RateLimit,
            _ => ErrorKind::InvalidRequest,
        };
        let told = |name| body.pointer(name).and_then(Value::as_str).map(str::to_owned);
        same("kind", &error.kind, &kind)?;
        same("status", &error.status, &self.status)?;
        same("message", &Some(error.message.clone()), &told("/error/message"))?;
        let code = told("/error/code").or_else(|| told("/error/type"));
        same("code", &error.code, &code)?;
        same("request id", &error.request_id.is_some(), &true)
    }

    fn check_told_error(&self, error: &BackendError) -> Result<(), Problem> {
        let (BackendError::Provider(error), [told]) = (error, &*self.told_errors()) else {
            return Err(format!("unexpected: {error:?}"));
        };
        same("status", &error.status, &200)?;
        same("kind", &error.kind, &ErrorKind::InvalidRequest)?;
        same(
            "message",
            &Some(error.message.as_str()),
            &told["message"].as_str(),
        )
    }

    fn told_errors(&self) -> Vec<Value> {
        let chunks = self.chunks();
        chunks
            .iter()
            .filter_map(|chunk| chunk.get("error").cloned())
            .collect()
    }

    fn chunks(&self) -> Vec<Value> {
        if !self.stream {
            return vec![serde_json::from_str(&self.body).unwrap()];
        }
        let data = self.body.lines().filter_map(|line| line.strip_prefix("data: "));
        data.filter(|data| *data != "[DONE]")
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
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
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "tool_calls" => FinishReason::ToolCalls,
        other => panic!("unheard of: {other}"),
    })
}

fn thoughts(reply: &ChatReply) -> String {
    let thoughts = reply.message.parts.iter().filter_map(|part| match part {
        Part::Reasoning(Reasoning { text, .. }) => Some(text.as_str()),
        _ => None,
    });
    thoughts.collect()
}

fn thoughts_in(chunks: &[Value]) -> String {
    let mut thoughts = String::new();
    for chunk in chunks {
        let choice = &chunk["choices"][0];
        let said = choice
            .get("message")
            .or_else(|| choice.get("delta"))
            .unwrap_or(&Value::Null);
        for name in ["reasoning", "reasoning_content"] {
            thoughts.push_str(said[name].as_str().unwrap_or_default());
        }
        for piece in said["content"].as_array().into_iter().flatten() {
            for thought in piece["thinking"].as_array().into_iter().flatten() {
                thoughts.push_str(thought["text"].as_str().unwrap_or_default());
            }
        }
    }
    thoughts
}

fn usage_in(chunks: &[Value]) -> Option<Usage> {
    let mut told = chunks.iter().filter_map(|chunk| chunk.get("usage"));
    let told = told.rfind(|usage| usage.is_object())?;
    let count = |pointer| told.pointer(pointer).and_then(Value::as_u64);
    let mut usage = Usage::default();
    usage.input_tokens = count("/prompt_tokens");
    usage.output_tokens = count("/completion_tokens");
    usage.total_tokens = count("/total_tokens");
    usage.cached_input_tokens = count("/prompt_tokens_details/cached_tokens");
    usage.reasoning_tokens = count("/completion_tokens_details/reasoning_tokens");
    Some(usage)
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
fn is_said_otherwise(path: &str, stream: bool) -> bool {
    let whole = [
        "/object",
        "/choices/index",
        "/choices/finish_reason",
        "/choices/message/role",
        "/choices/message/tool_calls/index",
        "/choices/message/tool_calls/type",
        "/choices/message/content/type",
        "/choices/message/content/thinking/type",
    ];
    let pieces = [
        "/id",
        "/created",
        "/error",
        "/obfuscation",
        "/sla_metrics",
        "/choices/delta/role",
        "/choices/delta/content",
        "/choices/delta/reasoning",
        "/choices/delta/reasoning_content",
        "/choices/delta/tool_calls",
    ];
    whole.contains(&path) || (stream && pieces.iter().any(|piece| path.starts_with(piece)))
}
