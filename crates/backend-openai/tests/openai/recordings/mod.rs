//! Recorded traffic of a dozen providers, as it was on the wire.
//!
//! The recordings aren't part of this repository. `GATEPASS_RECORDINGS` names their folder; without it they are
//! looked for in `../shared/recordings`, beside the checkout.

mod chat;
mod embeddings;
mod requests;
mod responses;

use gatepass_core::{BackendError, ChatReply, LlmBackend, Part, Reasoning};
use gatepass_testkit::{Answer, ModelServer, Value};
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

#[derive(Deserialize)]
pub(crate) struct Recording {
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

/// What doesn't hold, as a sentence.
type Problem = String;

/// The recordings of one wire.
fn recordings(wire: &str) -> Option<Vec<Recording>> {
    #[expect(clippy::disallowed_methods, reason = "tells where the recordings are")]
    let folder = std::env::var_os("GATEPASS_RECORDINGS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/recordings")),
        PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(folder.join(format!("{wire}.jsonl"))) else {
        println!("LEFT OUT: there are no recordings of {wire}; set GATEPASS_RECORDINGS to their folder");
        return None;
    };
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

/// Says how many hold, and fails if one of the others isn't known.
fn report(what: &str, all: usize, mut failures: Vec<String>, exceptions: &[(&str, &str)]) {
    failures.retain(|failure| !exceptions.iter().any(|(id, _)| failure.starts_with(id)));
    let passed = all - failures.len() - exceptions.len();
    println!("{passed} of {all} {what}");
    for (id, reason) in exceptions {
        println!("not {id}: {reason}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

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

    /// Asks in the way in which it was asked when it was recorded.
    async fn ask(
        &self,
        backend: &impl LlmBackend,
        server: &ModelServer,
        size: usize,
    ) -> Result<ChatReply, BackendError> {
        server.push(self.answer(size));
        if self.stream {
            backend.chat_stream(crate::question()).await?.collect().await
        } else {
            backend.chat(crate::question()).await
        }
    }

    /// What `expect` tells, but for `finish`.
    fn check_expected(&self, reply: &ChatReply, expected: &Expected) -> Result<(), Problem> {
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
        let usage = reply.usage.clone().unwrap_or_default();
        same("input tokens", &usage.input_tokens, &expected.usage.input)?;
        same("output tokens", &usage.output_tokens, &expected.usage.output)
    }

    /// The data of each event, or the whole body.
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

fn thoughts(reply: &ChatReply) -> String {
    let thoughts = reply.message.parts.iter().filter_map(|part| match part {
        Part::Reasoning(Reasoning { text, .. }) => Some(text.as_str()),
        _ => None,
    });
    thoughts.collect()
}

/// Every text, number and truth of `told` that isn't in `kept`, but for those that `is_said_otherwise` knows by their
/// place.
fn check_nothing_is_lost(
    kept: &impl serde::Serialize,
    told: &[Value],
    is_said_otherwise: impl Fn(&str) -> bool,
) -> Result<(), Problem> {
    let mut leaves_kept = BTreeSet::new();
    leaves(&serde_json::to_value(kept).unwrap(), "", &mut |_, leaf| {
        leaves_kept.insert(leaf.to_string());
    });
    let mut lost = Vec::new();
    for chunk in told {
        leaves(chunk, "", &mut |path, leaf| {
            if !is_said_otherwise(path) && !leaves_kept.contains(&leaf.to_string()) {
                lost.push(format!("{path}: {leaf}"));
            }
        });
    }
    if lost.is_empty() {
        return Ok(());
    }
    Err(format!("lost: {}", lost.join(", ")))
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
