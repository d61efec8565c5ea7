use super::chat;
use super::gemini;
use super::messages;
use super::reply::ScriptedReply;
use super::responses;
use super::wire;
use crate::answer::{Answer, Script};
use crate::authorization::Authority;
use crate::lock;
use crate::request::RecordedRequest;
use crate::server::Answers;
use http::Method;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The door, the script and the pace of one server.
pub(super) struct Engine {
    door: Mutex<Door>,
    chunk_delay: Mutex<Duration>,
    pub(super) script: Script<Line>,
}

/// Who may come in.
pub(super) enum Door {
    Open,
    ActiveToken(Arc<Authority>),
    Bearer(String),
}

/// One line of the script.
#[derive(Clone)]
pub(super) enum Line {
    Answer(Answer),
    Reply(ScriptedReply),
}

impl Engine {
    pub(super) const fn new() -> Self {
        Self {
            door: Mutex::new(Door::Open),
            chunk_delay: Mutex::new(Duration::ZERO),
            script: Script::new(),
        }
    }

    pub(super) fn set_door(&self, door: Door) {
        *lock(&self.door) = door;
    }

    pub(super) fn set_chunk_delay(&self, delay: Duration) {
        *lock(&self.chunk_delay) = delay;
    }

    fn admits(&self, request: &RecordedRequest) -> bool {
        let key = || {
            ["x-api-key", "x-goog-api-key"]
                .iter()
                .find_map(|name| request.header(name))
        };
        let credential = request.bearer().or_else(key);
        match (&*lock(&self.door), credential) {
            (Door::Open, _) => true,
            (Door::ActiveToken(authority), Some(token)) => authority.is_active(token),
            (Door::Bearer(expected), Some(token)) => expected == token,
            (_, None) => false,
        }
    }

    fn reply(&self, request: &RecordedRequest) -> Answer {
        if !self.admits(request) {
            return wire::unauthorized();
        }
        let reply = match self.script.next() {
            Some(Line::Answer(answer)) => return answer,
            Some(Line::Reply(reply)) => Some(reply),
            None => None,
        };
        let delay = *lock(&self.chunk_delay);
        if let Some(answer) = gemini::answer(request, reply.clone(), delay) {
            return answer;
        }
        match (&request.method, request.path.as_str()) {
            (&Method::POST, "/v1/chat/completions") => chat::answer(&request.json, reply, delay),
            (&Method::POST, "/v1/responses") => responses::answer(&request.json, reply, delay),
            (&Method::POST, "/v1/responses/input_tokens") => responses::count(&request.json),
            (&Method::POST, "/v1/messages") => messages::answer(&request.json, reply, delay),
            (&Method::POST, "/v1/messages/count_tokens") => messages::count(&request.json),
            (&Method::POST, "/v1/embeddings") => wire::embeddings(&request.json),
            (&Method::GET, "/v1/models") => wire::models(),
            _ => wire::error(404, "not_found", "no such address, or not with this method"),
        }
    }
}

impl Answers for Engine {
    async fn answer(&self, request: &RecordedRequest) -> Answer {
        wire::with_limits(self.reply(request))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
