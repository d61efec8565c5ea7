//! Where an answer came from.

use crate::answer::error_in;
use crate::error::told_error;
use crate::stream::Fault;
use gatepass_core::{BackendError, Cause, Phase, printable};
use gatepass_http::{Concealer, HttpError, HttpResponse, request_id};
use http::{HeaderMap, header};
use serde_json::Value;
use std::sync::Arc;

/// Where an answer came from, for the errors in it. What they tell is read when there is one: most answers have none.
#[derive(Debug)]
pub struct Origin {
    host: String,
    headers: HeaderMap,
    concealer: Concealer,
}

impl Origin {
    /// Where `response` came from.
    #[must_use]
    pub fn of(response: &HttpResponse) -> Self {
        Self {
            host: response.host().to_owned(),
            headers: response.headers().clone(),
            concealer: response.concealer().clone(),
        }
    }

    /// The same of a response whose headers nobody needs any more.
    pub(crate) fn taking(response: &mut HttpResponse) -> Self {
        Self {
            host: response.host().to_owned(),
            headers: response.take_headers(),
            concealer: response.take_concealer(),
        }
    }

    fn request_id(&self) -> Option<String> {
        request_id(&self.headers).map(|id| self.concealer.conceal(&id))
    }

    pub(crate) fn content_type(&self) -> String {
        let content_type = self.headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.map_or_else(|| "no content type".into(), printable);
        self.concealer.conceal(&content_type)
    }

    /// An answer that isn't what this wire says: `what` is wrong with it, never its content.
    pub fn unreadable(&self, what: impl Into<String>) -> BackendError {
        BackendError::Decode {
            host: self.host.clone(),
            what: what.into(),
            request_id: self.request_id(),
            source: None,
        }
    }

    /// `what` ("it", "an event") isn't the JSON that this wire says. The parser's own message is left out: it
    /// quotes what it read.
    #[must_use]
    pub fn unparsable(&self, what: &str, error: &serde_json::Error) -> BackendError {
        let problem = if error.is_data() {
            "is JSON of another kind"
        } else {
            "is not JSON"
        };
        let (line, column) = (error.line(), error.column());
        self.unreadable(format!("{what} {problem} (line {line}, column {column})"))
    }

    /// An error in place of an answer, or within one: see [`told_error`].
    #[must_use]
    pub fn told(&self, error: &Value) -> BackendError {
        let mut error = told_error(&self.host, error);
        error.request_id = self.request_id().or(error.request_id);
        self.concealer.conceal_error(&mut error);
        BackendError::Provider(Box::new(error))
    }

    /// An answer without what was asked for: an error, if it says that it is one, and else unreadable; says `what` is
    /// wrong with it.
    #[must_use]
    pub fn unanswered(&self, body: &[u8], what: &str) -> BackendError {
        match error_in(body) {
            Some(told) => self.told(&told),
            None => self.unreadable(what),
        }
    }

    /// An event that can't be read, or tells of an error.
    pub(crate) fn faulty(&self, fault: Fault) -> BackendError {
        match fault {
            Fault::Unreadable(error) => self.unparsable("an event", &error),
            Fault::Told(error) => self.told(&error),
            Fault::TooLarge(what) => self.unreadable(what),
        }
    }

    /// An answer whose end didn't come.
    pub(crate) fn broken(&self, error: HttpError) -> BackendError {
        let mut error = BackendError::from(error);
        if let BackendError::Network { request_id, .. } | BackendError::Decode { request_id, .. } = &mut error
        {
            *request_id = self.request_id();
        }
        error
    }

    /// A stream that is over too early.
    #[must_use]
    pub fn cut_off(&self) -> BackendError {
        let cause: Cause = Arc::new(CutOff);
        BackendError::Network {
            host: self.host.clone(),
            phase: Phase::Body,
            request_id: self.request_id(),
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
