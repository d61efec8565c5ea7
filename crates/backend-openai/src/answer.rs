//! Answers with status 200.

use crate::error::{is_html, told_error};
use crate::stream::Events;
use crate::wire;
use gatepass_core::{BackendError, Cause, ChatReply, ChatStream, ModelInfo, Phase, ReplyMetadata, printable};
use gatepass_http::{Concealer, HttpResponse, rate_limits, request_id};
use http::header;
use std::sync::Arc;

/// The most bytes that a whole answer may have; sound or an image in base64 fits.
const ANSWER_LIMIT: usize = 64 << 20;

/// Reads a whole answer.
pub(crate) async fn read_reply(mut response: HttpResponse) -> Result<ChatReply, BackendError> {
    let body = response.read(ANSWER_LIMIT).await?;
    reply(&response, &body)
}

/// Begins to read a streamed answer. A server that answers in one piece all the same is understood.
pub(crate) async fn read_stream(mut response: HttpResponse) -> Result<ChatStream, BackendError> {
    let origin = Origin::of(&response);
    let Some(chunk) = response.chunk().await? else {
        return Err(origin.unreadable("it is empty"));
    };
    if is_html(response.headers(), &chunk) {
        let what = format!("it is no event stream ({})", origin.content_type);
        return Err(origin.unreadable(what));
    }
    if chunk.trim_ascii_start().starts_with(b"{") {
        let rest = response.read(ANSWER_LIMIT).await?;
        let reply = reply(&response, &[&*chunk, &*rest].concat())?;
        return Ok(ChatStream::of_reply(reply));
    }
    let metadata = metadata(&response);
    Ok(ChatStream::new(Events::new(response, &chunk, origin)?).with_metadata(metadata))
}

/// Reads a list of models.
pub(crate) async fn read_models(mut response: HttpResponse) -> Result<Vec<ModelInfo>, BackendError> {
    let body = response.read(ANSWER_LIMIT).await?;
    wire::models(&body).map_err(|error| Origin::of(&response).unparsable("it", &error))
}

fn reply(response: &HttpResponse, body: &[u8]) -> Result<ChatReply, BackendError> {
    let origin = || Origin::of(response);
    if is_html(response.headers(), body) {
        return Err(origin().unreadable("it is an HTML page"));
    }
    if body.trim_ascii().is_empty() {
        return Err(origin().unreadable("it is empty"));
    }
    let mut answer = wire::Answer::read(body).map_err(|error| origin().unparsable("it", &error))?;
    if let Some(error) = answer.error.take() {
        return Err(origin().told(&error));
    }
    if answer.has_too_many_calls() {
        return Err(origin().unreadable(wire::TOO_MANY));
    }
    let mut reply = answer
        .into_reply()
        .ok_or_else(|| origin().unreadable("it has no message"))?;
    reply.metadata = metadata(response);
    Ok(reply)
}

fn metadata(response: &HttpResponse) -> ReplyMetadata {
    let mut metadata = ReplyMetadata::default();
    metadata.request_id = request_id(response.headers());
    metadata.rate_limits = rate_limits(response.headers());
    metadata
}

/// Where an answer came from, for the errors in it.
#[derive(Debug)]
pub(crate) struct Origin {
    host: String,
    request_id: Option<String>,
    pub(crate) content_type: String,
    concealer: Concealer,
}

impl Origin {
    fn of(response: &HttpResponse) -> Self {
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.map_or_else(|| "no content type".into(), printable);
        let concealer = response.concealer().clone();
        Self {
            host: response.host().to_owned(),
            request_id: request_id(response.headers()).map(|id| concealer.conceal(&id)),
            content_type: concealer.conceal(&content_type),
            concealer,
        }
    }

    /// An answer that isn't what this wire says.
    pub(crate) fn unreadable(&self, what: impl Into<String>) -> BackendError {
        BackendError::Decode {
            host: self.host.clone(),
            what: what.into(),
            request_id: self.request_id.clone(),
            source: None,
        }
    }

    /// The parser's own message is left out: it quotes what it read.
    pub(crate) fn unparsable(&self, what: &str, error: &serde_json::Error) -> BackendError {
        let problem = if error.is_data() {
            "is JSON of another kind"
        } else {
            "is not JSON"
        };
        let (line, column) = (error.line(), error.column());
        self.unreadable(format!("{what} {problem} (line {line}, column {column})"))
    }

    /// An error in place of an answer, or within one.
    pub(crate) fn told(&self, error: &serde_json::Value) -> BackendError {
        let mut error = told_error(&self.host, error);
        error.request_id.clone_from(&self.request_id);
        self.concealer.conceal_error(&mut error);
        BackendError::Provider(Box::new(error))
    }

    /// A stream that is over too early.
    pub(crate) fn cut_off(&self) -> BackendError {
        let cause: Cause = Arc::new(CutOff);
        BackendError::Network {
            host: self.host.clone(),
            phase: Phase::Body,
            source: Some(cause),
        }
    }
}

/// A server that ends a stream without having ended its answer.
#[derive(Debug)]
struct CutOff;

impl std::fmt::Display for CutOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the stream ended before the answer did")
    }
}

impl std::error::Error for CutOff {}
