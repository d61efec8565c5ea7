//! The Responses API.

use super::{check_refusal, made_up, recordings};
use crate::{question, responses_backend};
use gatepass_core::{BackendError, ChatReply, ChatRequest, FinishReason, LlmBackend, Message};
use gatepass_http::RetryPolicy;
use gatepass_testkit::recordings::{Expected, Problem, Recording, check_nothing_is_lost, report, same};
use gatepass_testkit::{Answer, ModelServer, Value};
use serde_json::json;

/// Recordings that can't be read as `expect` says, each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

/// Recordings whose items don't stay in order, each with its reason.
const REORDERED: [(&str, &str); 1] = [(
    "test_openai_responses_model_mcp_list_tools_stream_backfills_missing_results#0",
    "two items never end, and come with the last event, after the text that had been told already",
)];

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_response_is_read_as_it_was_meant() {
    let Some(recordings) = recordings("openai-responses") else {
        return;
    };
    let failures = replay_all(&recordings).await;
    report(
        "recorded responses are read as they were meant",
        &recordings,
        failures,
        &EXCEPTIONS,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_recorded_is_read_as_it_is_documented_and_goes_back() {
    let responses = made_up::responses();
    let server = ModelServer::start().await;
    let mut failures = replay_all(&responses).await;
    for response in &responses {
        if let Err(problem) = send_back(response, &server).await {
            failures.push(format!("{}: {problem}", response.id));
        }
    }
    report(
        "made-up responses are read as they were meant",
        &responses,
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
async fn every_recorded_response_goes_back_as_it_came() {
    let Some(recordings) = recordings("openai-responses") else {
        return;
    };
    let server = ModelServer::start().await;
    let mut failures = Vec::new();
    let answers = recordings.into_iter();
    let answers: Vec<_> = answers.filter(|recording| recording.expect.is_some()).collect();
    for recording in &answers {
        if let Err(problem) = send_back(recording, &server).await {
            failures.push(format!("{}: {problem}", recording.id));
        }
    }
    report(
        "recorded responses go back as they came",
        &answers,
        failures,
        &REORDERED,
    );
}

async fn replay(recording: &Recording, server: &ModelServer, size: usize) -> Result<(), Problem> {
    let backend = responses_backend(server).with_retry(RetryPolicy::never());
    match (
        recording.ask(&backend, question(), server, size).await,
        &recording.expect,
    ) {
        (Ok(reply), Some(expected)) => {
            check_response(recording, &reply, expected)?;
            recording
                .check_disguised(&backend, &question(), server, &reply)
                .await
        }
        // It failed, and had put out something.
        (Err(BackendError::Interrupted { partial, .. }), Some(expected)) => {
            expected.check(&partial, |usage| usage.input_tokens)
        }
        (Err(BackendError::Provider(error)), None) => check_refusal(recording, &error),
        (asked, _) => Err(format!("unexpected: {asked:?}")),
    }
}

fn check_response(recording: &Recording, reply: &ChatReply, expected: &Expected) -> Result<(), Problem> {
    expected.check(reply, |usage| usage.input_tokens)?;
    let response = response(recording);
    let finish = expected.finish.as_deref().map(|word| finish(word, &response));
    same("finish", &reply.finish, &finish)?;
    same("wire", &reply.message.wire.as_deref(), &Some("openai-responses"))?;
    let told = |name| response[name].as_str().map(str::to_owned);
    same("id", &reply.id, &told("id"))?;
    same("model", &reply.model, &told("model"))?;
    check_nothing_is_lost(reply, &[response], |path, leaf| {
        leaf.as_f64() == Some(0.0) || is_said_otherwise(path)
    })
}

/// The next request has the items of the answer, but for what a request doesn't have.
async fn send_back(recording: &Recording, server: &ModelServer) -> Result<(), Problem> {
    let backend = responses_backend(server).with_retry(RetryPolicy::never());
    let reply = match recording.ask(&backend, question(), server, usize::MAX).await {
        Ok(reply) => reply,
        Err(BackendError::Interrupted { partial, .. }) => *partial,
        Err(error) => return Err(error.to_string()),
    };
    let request = ChatRequest::new([Message::user("?"), reply.message]).with_model("m");
    server.push(Answer::json(200, &json!({ "status": "completed", "output": [] })));
    backend.chat(request).await.map_err(|error| error.to_string())?;
    let sent = server.requests().pop().unwrap().json["input"].take();
    let Value::Array(mut sent) = sent else {
        return Err("no input".into());
    };
    sent.remove(0);
    let output = response(recording)["output"].take();
    let came: Vec<_> = output
        .as_array()
        .into_iter()
        .flatten()
        .cloned()
        .map(sendable)
        .collect();
    same("items", &sent.into_iter().map(sendable).collect(), &came)
}

/// The whole response: the body, or what its last event tells. An item counts as its own end told it: OpenAI
/// encrypts it anew for the last event.
fn response(recording: &Recording) -> Value {
    let mut chunks = recording.chunks();
    let Some(mut last) = chunks.pop() else {
        return Value::Null;
    };
    if !recording.stream {
        return last;
    }
    let mut response = last["response"].take();
    for chunk in chunks {
        if chunk["type"] == "response.output_item.done"
            && let Some(index) = chunk["output_index"]
                .as_u64()
                .and_then(|index| usize::try_from(index).ok())
            && let Some(item) = response["output"].get_mut(index)
        {
            *item = chunk["item"].clone();
        }
    }
    response
}

/// An item without what says nothing.
fn sendable(mut item: Value) -> Value {
    if let Some(item) = item.as_object_mut() {
        for name in ["content", "encrypted_content"] {
            if item
                .get(name)
                .is_some_and(|value| value.is_null() || *value == json!([]))
            {
                item.remove(name);
            }
        }
        for piece in item
            .get_mut("content")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if piece["logprobs"] == json!([]) {
                piece.as_object_mut().unwrap().remove("logprobs");
            }
        }
    }
    item
}

fn finish(word: &str, response: &Value) -> FinishReason {
    let output = response["output"].as_array().into_iter().flatten();
    let has = |kinds: &[&str]| {
        let mut items = output.clone();
        items.any(|item| kinds.contains(&item["type"].as_str().unwrap_or_default()))
    };
    let mut pieces = output
        .clone()
        .flat_map(|item| item["content"].as_array().into_iter().flatten());
    let has_refusal = pieces.any(|piece| piece["type"] == "refusal");
    match (word, response["incomplete_details"]["reason"].as_str()) {
        ("completed" | "complete", _) if has(&["function_call", "custom_tool_call"]) => {
            FinishReason::ToolCalls
        }
        ("completed" | "complete", _) if has_refusal => FinishReason::ContentFilter,
        ("completed" | "complete", _) => FinishReason::Stop,
        ("incomplete", Some("max_output_tokens")) => FinishReason::Length,
        ("incomplete", Some("content_filter")) => FinishReason::ContentFilter,
        (other, reason) => FinishReason::Other(reason.unwrap_or(other).into()),
    }
}

/// Members whose content is in the reply in another form.
fn is_said_otherwise(path: &str) -> bool {
    let known = ["/object", "/status", "/output_text", "/output/role"];
    // A piece's and an item's own type are told by the part.
    known.contains(&path) || path == "/output/type" || path == "/output/content/type"
}
