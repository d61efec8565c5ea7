//! Recorded traffic with real providers, served once more and compared with what was read out of it.
//!
//! A recording is a line of JSON in `WIRE.jsonl`: what was asked, what was answered, and what any correct client reads out of
//! the answer. The recordings aren't part of this crate: `GATEPASS_RECORDINGS` names their folder; without it they are
//! looked for in `../shared/recordings`, beside the checkout. Tests say so and pass where there are none.

mod check;
mod disguise;
mod expect;

pub use check::{check_nothing_is_lost, leaves, report, said, same, thoughts};
pub use expect::{Expected, ExpectedCall};

use crate::answer::Answer;
use crate::model::ModelServer;
use gatepass_core::{BackendError, ChatReply, ChatRequest, LlmBackend};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What doesn't hold, as a sentence.
pub type Problem = String;

/// One exchange.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Recording {
    /// Its name.
    pub id: String,
    /// The address that was asked.
    pub url: String,
    /// What was asked.
    pub request: Value,
    /// Whether the answer came as a stream.
    pub stream: bool,
    /// The answer's status.
    pub status: u16,
    content_type: String,
    headers: BTreeMap<String, String>,
    /// The answer, as it was on the wire.
    pub body: String,
    /// What a client reads out of it; nothing for errors.
    pub expect: Option<Expected>,
}

impl Recording {
    /// The recordings of one wire; none, and a line that says so, where they aren't to be had. `crate_folder` is the
    /// caller's `env!("CARGO_MANIFEST_DIR")`.
    ///
    /// # Panics
    /// If one can't be read.
    #[must_use]
    #[expect(clippy::print_stdout, reason = "what is left out is said loudly")]
    #[expect(clippy::disallowed_methods, reason = "tells where the recordings are")]
    pub fn all(wire: &str, crate_folder: &str) -> Option<Vec<Self>> {
        let folder = std::env::var_os("GATEPASS_RECORDINGS").map_or_else(
            || Path::new(crate_folder).join("../../../shared/recordings"),
            PathBuf::from,
        );
        let Ok(lines) = std::fs::read_to_string(folder.join(format!("{wire}.jsonl"))) else {
            println!("LEFT OUT: there are no recordings of {wire}; set GATEPASS_RECORDINGS to their folder");
            return None;
        };
        let read = |line: &str| match serde_json::from_str(line) {
            Ok(recording) => recording,
            Err(error) => panic!("a recording of {wire} can't be read: {error}"),
        };
        Some(lines.lines().map(read).collect())
    }

    /// An exchange of your own, to be compared as the recorded ones are: the answer, and what is
    /// [expected](Expected) of it.
    ///
    /// # Panics
    /// If `expect` is of another shape.
    #[must_use]
    pub fn made_up(id: &str, body: &Value, expect: Value) -> Self {
        let expect = match serde_json::from_value(expect) {
            Ok(expect) => expect,
            Err(error) => panic!("what {id} expects can't be read: {error}"),
        };
        Self {
            id: id.to_owned(),
            url: String::new(),
            request: Value::Null,
            stream: false,
            status: 200,
            content_type: "application/json".into(),
            headers: BTreeMap::new(),
            body: body.to_string(),
            expect,
        }
    }

    /// As [`made_up`](Self::made_up), of a stream of these events. One that has a `type` is named so.
    ///
    /// # Panics
    /// If `expect` is of another shape.
    #[must_use]
    pub fn made_up_stream(id: &str, events: &[Value], expect: Value) -> Self {
        let event = |event: &Value| match event.get("type").and_then(Value::as_str) {
            Some(name) => format!("event: {name}\ndata: {event}\n\n"),
            None => format!("data: {event}\n\n"),
        };
        let mut recording = Self::made_up(id, &Value::Null, expect);
        recording.stream = true;
        recording.content_type = "text/event-stream".into();
        recording.body = events.iter().map(event).collect();
        recording
    }

    /// Sets the address that was asked.
    #[must_use]
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    /// The answer, in pieces of `size` bytes.
    pub fn answer(&self, size: usize) -> Answer {
        let answer = if self.status == 200 {
            Answer::sse(self.body.as_bytes().chunks(size).map(<[u8]>::to_vec))
        } else {
            Answer::new(self.status).with_body(self.body.clone())
        };
        let answer = answer.with_header("content-type", &self.content_type);
        let headers = self.headers.iter();
        headers.fold(answer, |answer, (name, value)| answer.with_header(name, value))
    }

    /// Asks in the way in which it was asked when it was recorded, and answers in pieces of `size` bytes.
    ///
    /// # Errors
    /// The backend's.
    pub async fn ask(
        &self,
        backend: &impl LlmBackend,
        question: ChatRequest,
        server: &ModelServer,
        size: usize,
    ) -> Result<ChatReply, BackendError> {
        server.push(self.answer(size));
        if self.stream {
            backend.chat_stream(question).await?.collect().await
        } else {
            backend.chat(question).await
        }
    }

    /// Replays each recording with answers whole and cut where it hurts, and tells what doesn't hold. `replay` asks a backend
    /// of `server`'s; the number is for [`ask`](Self::ask).
    pub async fn replay_all(
        recordings: &[Self],
        server: &ModelServer,
        replay: impl AsyncFn(&Self, usize) -> Result<(), Problem>,
    ) -> Vec<Problem> {
        let mut failures = Vec::new();
        for recording in recordings {
            for size in [usize::MAX, 1009, 61] {
                if let Err(problem) = replay(recording, size).await {
                    failures.push(format!("{} (in pieces of {size}): {problem}", recording.id));
                    server.normal();
                    break;
                }
            }
        }
        failures
    }

    /// The data of each event that is JSON, or the whole body.
    #[must_use]
    pub fn chunks(&self) -> Vec<Value> {
        if !self.stream {
            return serde_json::from_str(&self.body).into_iter().collect();
        }
        let data = self.body.lines().filter_map(|line| line.strip_prefix("data:"));
        data.filter_map(|data| serde_json::from_str(data).ok()).collect()
    }

    /// A member of the error that the answer is; `/error/message`, for instance.
    #[must_use]
    pub fn told(&self, pointer: &str) -> Option<String> {
        let body: Value = serde_json::from_str(&self.body).ok()?;
        let body = body.as_array().and_then(|items| items.first()).unwrap_or(&body);
        body.pointer(pointer)?.as_str().map(str::to_owned)
    }
}
