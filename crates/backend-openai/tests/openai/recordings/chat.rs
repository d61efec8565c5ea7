//! Chat completions.

use super::{check_refusal, made_up, recordings};
use crate::{backend, question};
use gatepass_core::{BackendError, ChatReply, FinishReason, Usage};
use gatepass_http::RetryPolicy;
use gatepass_testkit::recordings::{
    Expected, Problem, Recording, check_nothing_is_lost, report, same, thoughts,
};
use gatepass_testkit::{ModelServer, Value};

/// Recordings that can't be read as `expect` says, each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_answer_is_read_as_it_was_meant() {
    let Some(recordings) = recordings("openai-chat") else {
        return;
    };
    let failures = replay_all(&recordings).await;
    report(
        "recorded chats are read as they were meant",
        &recordings,
        failures,
        &EXCEPTIONS,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_recorded_is_read_as_it_is_documented() {
    let chats = made_up::chats();
    let failures = replay_all(&chats).await;
    report("made-up chats are read as they were meant", &chats, failures, &[]);
}

/// What doesn't hold.
async fn replay_all(recordings: &[Recording]) -> Vec<Problem> {
    let server = ModelServer::start().await;
    let replay = async |recording: &Recording, size| replay(recording, &server, size).await;
    Recording::replay_all(recordings, &server, replay).await
}

async fn replay(recording: &Recording, server: &ModelServer, size: usize) -> Result<(), Problem> {
    let backend = backend(server).with_retry(RetryPolicy::never());
    let asked = recording.ask(&backend, question(), server, size).await;
    match (asked, &recording.expect) {
        (Ok(reply), Some(expected)) => {
            if !told_errors(recording).is_empty() {
                return Err("an error within the stream was lost".into());
            }
            check_reply(recording, &reply, expected)?;
            recording
                .check_disguised(&backend, &question(), server, &reply)
                .await
        }
        (Err(BackendError::Interrupted { partial, source }), Some(expected)) => {
            check_told_error(recording, &source)?;
            check_reply(recording, &partial, expected)
        }
        // An error in place of the whole answer.
        (Err(error @ BackendError::Provider(_)), _) if recording.status == 200 => {
            check_told_error(recording, &error)
        }
        (Err(BackendError::Provider(error)), None) => check_refusal(recording, &error),
        (asked, _) => Err(format!("unexpected: {asked:?}")),
    }
}

fn check_reply(recording: &Recording, reply: &ChatReply, expected: &Expected) -> Result<(), Problem> {
    expected.check(reply, |usage| usage.input_tokens)?;
    let finish = expected
        .finish
        .as_deref()
        .and_then(|word| finish(word, has_refusal(recording)));
    same("finish", &reply.finish, &finish)?;
    check_against_body(recording, reply)
}

/// What `expect` doesn't tell, and the body does.
fn check_against_body(recording: &Recording, reply: &ChatReply) -> Result<(), Problem> {
    let chunks = recording.chunks();
    let mut usage = reply.usage.clone();
    usage.iter_mut().for_each(|usage| usage.extra.clear());
    same("usage", &usage, &usage_in(&chunks))?;
    let word = |name| {
        let words = chunks.iter().filter_map(|chunk| chunk.get(name)?.as_str());
        words.filter(|word| !word.is_empty()).map(str::to_owned).next()
    };
    same("id", &reply.id, &word("id"))?;
    same("model", &reply.model, &word("model"))?;
    same("thoughts", &thoughts(reply), &thoughts_in(&chunks))?;
    let chunks = without_earlier_counts(chunks);
    check_nothing_is_lost(reply, &chunks, |path, leaf| {
        leaf.as_f64() == Some(0.0) || is_said_otherwise(path, recording.stream)
    })
}

/// Some servers count anew with each chunk; the last count counts.
fn without_earlier_counts(mut chunks: Vec<Value>) -> Vec<Value> {
    let counts = chunks.iter_mut().filter_map(|chunk| chunk.get_mut("usage"));
    let mut counts: Vec<_> = counts.filter(|usage| usage.is_object()).collect();
    counts.pop();
    counts.into_iter().for_each(|usage| *usage = Value::Null);
    chunks
}

fn check_told_error(recording: &Recording, error: &BackendError) -> Result<(), Problem> {
    let (BackendError::Provider(error), [told, ..]) = (error, &*told_errors(recording)) else {
        return Err(format!("unexpected: {error:?}"));
    };
    same("status", &error.status, &200)?;
    let message = told["message"].as_str().or_else(|| told.as_str());
    same("message", &Some(error.message.as_str()), &message)
}

fn told_errors(recording: &Recording) -> Vec<Value> {
    let chunks = recording.chunks();
    let errors = chunks.iter().filter_map(|chunk| chunk.get("error"));
    errors.filter(|error| !error.is_null()).cloned().collect()
}

fn has_refusal(recording: &Recording) -> bool {
    let chunks = recording.chunks();
    let mut places = chunks.iter().flat_map(|chunk| {
        ["/choices/0/message/refusal", "/choices/0/delta/refusal"]
            .iter()
            .filter_map(|place| chunk.pointer(place)?.as_str())
    });
    places.any(|refusal| !refusal.is_empty())
}

fn finish(word: &str, is_refusal: bool) -> Option<FinishReason> {
    Some(match word {
        "" => return None,
        "stop" if is_refusal => FinishReason::ContentFilter,
        "stop" => FinishReason::Stop,
        "length" | "model_length" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        other => FinishReason::Other(other.to_owned()),
    })
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
    let places = ["/usage", "/choices/0/usage", "/x_groq/usage"];
    let mut told = chunks
        .iter()
        .filter_map(|chunk| places.iter().find_map(|place| chunk.pointer(place)));
    let told = told.rfind(|usage| usage.as_object().is_some_and(|usage| !usage.is_empty()))?;
    let count = |pointer| told.pointer(pointer).and_then(Value::as_u64);
    let mut usage = Usage::default();
    usage.input_tokens = count("/prompt_tokens");
    usage.output_tokens = count("/completion_tokens");
    usage.total_tokens = count("/total_tokens");
    let mut cached = [
        "/prompt_tokens_details/cached_tokens",
        "/cached_tokens",
        "/num_cached_tokens",
    ]
    .into_iter();
    usage.cached_input_tokens = cached.find_map(count);
    usage.cache_write_tokens = count("/prompt_tokens_details/cache_write_tokens");
    usage.reasoning_tokens = count("/completion_tokens_details/reasoning_tokens");
    Some(usage)
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
        "/choices/delta/audio",
        "/choices/delta/content",
        "/choices/delta/function_call",
        "/choices/delta/reasoning",
        "/choices/delta/reasoning_content",
        "/choices/delta/refusal",
        "/choices/delta/tool_calls",
    ];
    whole.contains(&path) || (stream && pieces.iter().any(|piece| path.starts_with(piece)))
}
