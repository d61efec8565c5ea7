//! One answer, and what a backend makes of it.

use crate::answer::Answer;
use crate::model::ModelServer;
use gatepass_core::{BackendError, ChatReply, ChatRequest, LlmBackend};
use std::error::Error;

/// The error of a chat that `server` gives this answer to.
///
/// # Panics
/// If there is none.
pub async fn refused(
    backend: &impl LlmBackend,
    question: ChatRequest,
    server: &ModelServer,
    answer: Answer,
) -> BackendError {
    server.push(answer);
    match backend.chat(question).await {
        Err(error) => error,
        Ok(reply) => panic!("an answer that is none was read as {reply:?}"),
    }
}

/// The reply of a streamed chat that `server` gives this answer to; or the error, and what had come before it.
///
/// # Errors
/// The backend's; of an [`Interrupted`](BackendError::Interrupted) answer both its parts.
///
/// # Panics
/// If a stream that has begun ends with another error.
pub async fn streamed(
    backend: &impl LlmBackend,
    question: ChatRequest,
    server: &ModelServer,
    answer: Answer,
) -> Result<ChatReply, (BackendError, ChatReply)> {
    server.push(answer);
    let events = match backend.chat_stream(question).await {
        Ok(events) => events,
        Err(error) => return Err((error, ChatReply::default())),
    };
    match events.collect().await {
        Ok(reply) => Ok(reply),
        Err(BackendError::Interrupted { partial, source }) => Err((*source, *partial)),
        Err(other) => panic!("a stream that has begun ended with {other:?}"),
    }
}

/// What is wrong with an answer that can't be read.
///
/// # Panics
/// If that isn't what the error tells.
#[must_use]
pub fn what_is_wrong(error: &BackendError) -> &str {
    match error {
        BackendError::Decode { what, .. } => what,
        other => panic!("an answer that can't be read must be a Decode error; it was {other:?}"),
    }
}

/// All that an error shows to anyone, its causes included.
#[must_use]
pub fn shown(error: &BackendError) -> String {
    let mut shown = format!("{error:?} {}", error.fix());
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(cause) = next {
        shown += &format!(" {cause} {cause:?}");
        next = cause.source();
    }
    shown
}
