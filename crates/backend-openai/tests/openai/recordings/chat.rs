//! Chat completions.

use super::{Expected, Problem, Recording, check_nothing_is_lost, recordings, report, same, thoughts};
use crate::backend;
use gatepass_core::{BackendError, ChatReply, ErrorKind, FinishReason, ProviderError, Usage};
use gatepass_http::RetryPolicy;
use gatepass_testkit::{ModelServer, Value};

/// Recordings that can't be read as `expect` says, each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_answer_is_read_as_it_was_meant() {
    let Some(recordings) = recordings("openai-chat") else {
        return;
    };
    let server = ModelServer::start().await;
    let mut failures = Vec::new();
    for recording in &recordings {
        // Whole, and cut where it hurts.
        for size in [usize::MAX, 1009, 61] {
            if let Err(problem) = recording.replay(&server, size).await {
                failures.push(format!("{} (in pieces of {size}): {problem}", recording.id));
                break;
            }
        }
    }
    report(
        "recorded chats are read as they were meant",
        recordings.len(),
        failures,
        &EXCEPTIONS,
    );
}

impl Recording {
    async fn replay(&self, server: &ModelServer, size: usize) -> Result<(), Problem> {
        let backend = backend(server).with_retry(RetryPolicy::never());
        let asked = self.ask(&backend, server, size).await;
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
        self.check_expected(reply, expected)?;
        let finish = expected.finish.as_deref().and_then(finish);
        same("finish", &reply.finish, &finish)?;
        self.check_against_body(reply)
    }

    /// What `expect` doesn't tell, and the body does.
    fn check_against_body(&self, reply: &ChatReply) -> Result<(), Problem> {
        let chunks = self.chunks();
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
        check_nothing_is_lost(reply, &chunks, |path| is_said_otherwise(path, self.stream))
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
        "/choices/delta/content",
        "/choices/delta/reasoning",
        "/choices/delta/reasoning_content",
        "/choices/delta/tool_calls",
    ];
    whole.contains(&path) || (stream && pieces.iter().any(|piece| path.starts_with(piece)))
}
