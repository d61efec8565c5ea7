//! Recorded traffic: answers read as they were on the wire, requests said as they were. See
//! [`gatepass_testkit::recordings`].

use crate::made_up;
use crate::requests::{normal, read_request};
use crate::{backend, question};
use gatepass_anthropic::AnthropicBackend;
use gatepass_core::{
    BackendError, ChatReply, ErrorKind, FinishReason, LlmBackend, Message, ProviderError, Usage, printable,
};
use gatepass_http::RetryPolicy;
use gatepass_testkit::recordings::{Expected, Problem, Recording, check_nothing_is_lost, report, same};
use gatepass_testkit::{Answer, ModelServer, Value};
use serde_json::json;

/// Recordings whose answer can't be read as `expect` says, each with its reason.
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
async fn what_nobody_has_recorded_is_read_as_it_is_documented_and_goes_back() {
    let exchanges = made_up::exchanges();
    let failures = replay_all(&exchanges).await;
    report(
        "made-up exchanges are read as they were meant",
        &exchanges,
        failures,
        &[],
    );
    send_back_all(&exchanges).await;
}

/// What doesn't hold.
async fn replay_all(recordings: &[Recording]) -> Vec<Problem> {
    let server = ModelServer::start().await;
    let backend = backend(&server).with_retry(RetryPolicy::never());
    let replay = async |recording: &Recording, size| replay(recording, &backend, &server, size).await;
    Recording::replay_all(recordings, &server, replay).await
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
                server.normal();
                beyond.push(format!("{}: {error}", recording.id));
                continue;
            }
            Err(error) => {
                server.normal();
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
    send_back_all(&recordings).await;
}

async fn send_back_all(recordings: &[Recording]) {
    let server = ModelServer::start().await;
    let backend = backend(&server).with_retry(RetryPolicy::never());
    let mut sent_back = 0;
    for recording in recordings.iter().filter(|recording| recording.status == 200) {
        let mut replies = Vec::new();
        match recording.ask(&backend, question(), &server, usize::MAX).await {
            Ok(reply) => replies.push(reply),
            Err(error) => {
                println!("LEFT OUT: {} is {error}", recording.id);
                continue;
            }
        }
        if recording.stream {
            // What a stream tells may be stored and read again.
            let stored = serde_json::to_string(&replies[0]).unwrap();
            replies.push(serde_json::from_str(&stored).unwrap());
        }
        let came = content(recording);
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
    let all = Recording::all("anthropic", env!("CARGO_MANIFEST_DIR"))?;
    Some(all.into_iter().filter(is_a_message).collect())
}

/// Files, batches and skills are no part of this backend; counts have a test of their own.
fn is_a_message(recording: &Recording) -> bool {
    let path = recording.url.split('?').next().unwrap_or_default();
    let is_known = path.ends_with("/messages");
    if !is_known {
        println!("LEFT OUT: {} asks {}", recording.id, recording.url);
    }
    is_known
}

async fn replay(
    recording: &Recording,
    backend: &AnthropicBackend,
    server: &ModelServer,
    size: usize,
) -> Result<(), Problem> {
    let asked = recording.ask(backend, question(), server, size).await;
    match (asked, &recording.expect) {
        (Ok(reply), Some(expected)) => {
            check_reply(recording, &reply, expected)?;
            recording
                .check_disguised(backend, &question(), server, &reply)
                .await
        }
        (Err(BackendError::Interrupted { partial, source }), expected) => {
            let BackendError::Provider(error) = *source else {
                return Err(format!("unexpected: {source:?}"));
            };
            check_told_error(recording, &error)?;
            expected
                .as_ref()
                .map_or(Ok(()), |expected| check_reply(recording, &partial, expected))
        }
        (Err(BackendError::Provider(error)), None) => check_refusal(recording, &error),
        (asked, _) => Err(format!("unexpected: {asked:?}")),
    }
}

fn check_reply(recording: &Recording, reply: &ChatReply, expected: &Expected) -> Result<(), Problem> {
    // The provider counts what was cached apart, and so do the recordings; our usage includes it.
    expected.check(reply, uncached)?;
    let finish = expected.finish.as_deref().and_then(finish);
    same("finish", &reply.finish, &finish)?;
    // Arguments are JSON in a text.
    let mut said = serde_json::to_value(reply).unwrap();
    for part in said["message"]["parts"].as_array_mut().into_iter().flatten() {
        if let Some(arguments) = part.pointer_mut("/tool_call/arguments") {
            *arguments =
                serde_json::from_str(arguments.as_str().unwrap()).unwrap_or_else(|_| arguments.take());
        }
    }
    check_nothing_is_lost(&said, &recording.chunks(), |path, leaf| {
        leaf.as_f64() == Some(0.0) || is_said_otherwise(path)
    })
}

fn check_refusal(recording: &Recording, error: &ProviderError) -> Result<(), Problem> {
    let told = |name| recording.told(name);
    let says = |phrase: &&str| error.message.contains(phrase);
    let kind = match told("/error/type").as_deref() {
        Some("authentication_error") => ErrorKind::Auth,
        Some("permission_error") => ErrorKind::Permission,
        Some("not_found_error") => ErrorKind::NotFound,
        Some("rate_limit_error") => ErrorKind::RateLimit,
        Some("overloaded_error") => ErrorKind::Overloaded,
        Some("api_error" | "timeout_error") => ErrorKind::Server,
        Some("billing_error") => ErrorKind::Quota,
        _ if ["prompt is too long", "exceed context limit"].iter().any(says) => ErrorKind::ContextLength,
        _ if ["credit balance", "API usage limits"].iter().any(says) => ErrorKind::Quota,
        _ if says(&"content filtering policy") => ErrorKind::ContentFilter,
        _ if recording.status >= 500 => ErrorKind::Server,
        _ => ErrorKind::InvalidRequest,
    };
    same("kind", &error.kind, &kind)?;
    same("status", &error.status, &recording.status)?;
    let message = told("/error/message").map(|message| printable(&message));
    if message.is_some() {
        same("message", &Some(error.message.clone()), &message)?;
    }
    same("code", &error.code, &told("/error/type"))?;
    same("request id", &error.request_id.is_some(), &true)
}

fn check_told_error(recording: &Recording, error: &ProviderError) -> Result<(), Problem> {
    let told = recording
        .chunks()
        .into_iter()
        .find(|event| event["type"] == "error");
    let told = told.ok_or("no error was told")?;
    same("status", &error.status, &200)?;
    same(
        "message",
        &Some(error.message.as_str()),
        &told["error"]["message"].as_str(),
    )
}

/// The answer's content, put together by hand, without members that say nothing.
fn content(recording: &Recording) -> Vec<Value> {
    let mut content: Vec<Value> = Vec::new();
    let mut input = String::new();
    for event in recording.chunks() {
        let delta = &event["delta"];
        match event["type"].as_str().unwrap() {
            "message" => content.extend(event["content"].as_array().unwrap().iter().cloned()),
            "message_start" => content.extend(
                event["message"]["content"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .cloned(),
            ),
            "content_block_start" => content.push(event["content_block"].clone()),
            "content_block_stop" if !input.is_empty() => {
                let told = std::mem::take(&mut input);
                // As the documentation of streamed tool calls says.
                let read = serde_json::from_str(&told).unwrap_or_else(|_| json!({ "INVALID_JSON": told }));
                content.last_mut().unwrap()["input"] = read;
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
                        block[name] = (text.to_owned() + more.as_str().unwrap_or_default()).into();
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
        "/message/stop_reason",
        "/message/content/type",
        "/delta/stop_reason",
        "/delta/type",
        "/delta/content",
        "/delta/text",
        "/delta/thinking",
        "/delta/signature",
        "/delta/partial_json",
        "/content_block/type",
        "/content/type",
    ];
    let pieces = ["/error", "/message/usage"];
    whole.contains(&path) || pieces.iter().any(|piece| path.starts_with(piece)) || path == "/request_id"
}
