use super::{Advice, Cause, ConfigError, TokenError, printable};
use crate::chat::{ChatReply, RateLimits};
use std::fmt;
use std::time::Duration;

/// A model could not be asked, or its answer could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// No token could be had.
    #[error("no token for this call")]
    Token(#[from] TokenError),
    /// The configuration can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The provider answered with an error; [`ProviderError::kind`] says of which kind.
    #[error("{0}")]
    Provider(Box<ProviderError>),
    /// The request can't be said to this provider. Change it.
    #[error("invalid request: {what}")]
    Request {
        /// What is wrong with it.
        what: String,
    },
    /// The server couldn't be reached, or was silent for too long. Retried already where that is safe.
    #[error("{host}: {phase}")]
    Network {
        /// The server.
        host: String,
        /// How far the call had come.
        phase: Phase,
        /// The server's id for this request, where its answer had begun.
        request_id: Option<String>,
        /// Why.
        #[source]
        source: Option<Cause>,
    },
    /// The answer isn't what this wire says.
    #[error("unreadable answer from {host}: {what}")]
    Decode {
        /// The server.
        host: String,
        /// What is wrong with it, never its content.
        what: String,
        /// The server's id for this request.
        request_id: Option<String>,
        /// Why.
        #[source]
        source: Option<Cause>,
    },
    /// The answer broke off. What had come until then is kept.
    #[error("the answer broke off")]
    Interrupted {
        /// What had come.
        partial: Box<ChatReply>,
        /// Why.
        #[source]
        source: Box<Self>,
    },
    /// This backend doesn't offer that.
    #[error("this backend doesn't offer {what}")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
    },
}

/// How far a call had come when the network failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// No connection (name, route, TLS).
    Connect,
    /// Connected, but no answer began in time.
    FirstByte,
    /// The answer stopped coming.
    Idle,
    /// The connection broke within the answer.
    Body,
    /// The connection broke before the answer.
    Send,
    /// The server's certificate isn't trusted.
    Tls,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "cannot connect",
            Self::FirstByte => "no answer in time",
            Self::Idle => "the answer stopped coming",
            Self::Body => "the connection broke within the answer",
            Self::Send => "the connection broke before the answer",
            Self::Tls => "the server's certificate isn't trusted",
        })
    }
}

/// What kind of failure a [`BackendError`] is, the same for every provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The credential was refused (401).
    Auth,
    /// The configuration can't be used.
    Config,
    /// The content was refused.
    ContentFilter,
    /// The input is longer than the model's context.
    ContextLength,
    /// The answer can't be read.
    Decode,
    /// The request is invalid.
    InvalidRequest,
    /// The network failed.
    Network,
    /// No such model or address (404).
    NotFound,
    /// The provider has too much to do (503, 529).
    Overloaded,
    /// The credential may not do this (403).
    Permission,
    /// A quota is used up; waiting a little doesn't help.
    Quota,
    /// Too many requests (429).
    RateLimit,
    /// The provider failed (5xx).
    Server,
    /// The backend doesn't offer it.
    Unsupported,
}

impl ErrorKind {
    /// Its word, for logs and scripts: `rate_limit`, for instance.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Config => "config",
            Self::ContentFilter => "content_filter",
            Self::ContextLength => "context_length",
            Self::Decode => "decode",
            Self::InvalidRequest => "invalid_request",
            Self::Network => "network",
            Self::NotFound => "not_found",
            Self::Overloaded => "overloaded",
            Self::Permission => "permission",
            Self::Quota => "quota",
            Self::RateLimit => "rate_limit",
            Self::Server => "server",
            Self::Unsupported => "unsupported",
        }
    }
}

impl BackendError {
    /// What kind of failure this is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Token(TokenError::Config(_)) | Self::Config(_) => ErrorKind::Config,
            Self::Token(TokenError::Unavailable { .. }) | Self::Network { .. } => ErrorKind::Network,
            Self::Token(_) => ErrorKind::Auth,
            Self::Provider(error) => error.kind,
            Self::Request { .. } => ErrorKind::InvalidRequest,
            Self::Decode { .. } => ErrorKind::Decode,
            Self::Interrupted { source, .. } => source.kind(),
            Self::Unsupported { .. } => ErrorKind::Unsupported,
        }
    }

    /// What the caller can do.
    #[must_use]
    pub const fn advice(&self) -> Advice {
        match self {
            Self::Token(error) => error.advice(),
            Self::Config(error) => error.advice(),
            Self::Provider(error) => error.advice(),
            Self::Request { .. } | Self::Unsupported { .. } => Advice::FixConfig,
            Self::Network {
                phase: Phase::Tls, ..
            } => Advice::FixConfig,
            Self::Network { .. } => Advice::Retry { after: None },
            Self::Decode { .. } => Advice::Fail,
            Self::Interrupted { source, .. } => source.advice(),
        }
    }

    /// The next step, as a sentence without a full stop.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Token(error) => error.fix(),
            Self::Config(error) => error.fix(),
            Self::Provider(error) => error.fix(),
            Self::Request { .. } | Self::Unsupported { .. } => "change the request".into(),
            Self::Network {
                phase: Phase::Tls, ..
            } => "set ca_file to your authority's certificates".into(),
            Self::Network { .. } => "check base_url and the network, then try again".into(),
            Self::Decode { .. } => "check that base_url is the address of this API".into(),
            Self::Interrupted { source, .. } => source.fix(),
        }
    }

    /// The provider's id for the request, where it sent one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Provider(error) => error.request_id.as_deref(),
            Self::Network { request_id, .. } | Self::Decode { request_id, .. } => request_id.as_deref(),
            Self::Interrupted { source, partial } => {
                let of_partial = partial.metadata.request_id.as_deref();
                source.request_id().or(of_partial)
            }
            _ => None,
        }
    }
}

/// A provider's error answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ProviderError {
    /// Which server.
    pub host: String,
    /// Of which kind.
    pub kind: ErrorKind,
    /// The HTTP status; 200 for an error inside a stream.
    pub status: u16,
    /// The provider's own code or type, as it stands (`insufficient_quota`, `RESOURCE_EXHAUSTED`).
    pub code: Option<String>,
    /// The provider's message, fit for a terminal.
    pub message: String,
    /// What the model's own provider said, where a router passes it on; fit for a terminal.
    pub upstream: Option<String>,
    /// What the model wrote and the provider wouldn't pass on, a call that isn't valid for instance (Groq's
    /// `failed_generation`). Not part of what is displayed.
    pub failed_generation: Option<String>,
    /// The provider's id for the request.
    pub request_id: Option<String>,
    /// How long the provider asked us to wait.
    pub retry_after: Option<Duration>,
    /// What the provider said of its limits.
    pub rate_limits: RateLimits,
}

impl ProviderError {
    /// An error answer of `host`.
    pub fn new(host: impl Into<String>, kind: ErrorKind, status: u16, message: &str) -> Self {
        Self {
            host: host.into(),
            kind,
            status,
            code: None,
            message: printable(message),
            upstream: None,
            failed_generation: None,
            request_id: None,
            retry_after: None,
            rate_limits: RateLimits::default(),
        }
    }

    /// What the caller can do.
    #[must_use]
    pub const fn advice(&self) -> Advice {
        match self.kind {
            ErrorKind::RateLimit | ErrorKind::Overloaded | ErrorKind::Server => Advice::Retry {
                after: self.retry_after,
            },
            ErrorKind::Auth | ErrorKind::Permission | ErrorKind::Quota => Advice::Fail,
            _ => Advice::FixConfig,
        }
    }

    fn fix(&self) -> String {
        let fix = match self.kind {
            ErrorKind::Auth => "check the credential and that it is meant for this server",
            ErrorKind::ContentFilter => "change the content",
            ErrorKind::ContextLength => "shorten the input, or choose a model with a longer context",
            ErrorKind::NotFound => {
                "check the model's name (list them with: gatepass models --provider NAME) and base_url"
            }
            ErrorKind::Permission => "ask the provider's administrator for access",
            ErrorKind::Quota => "check plan and billing at the provider",
            ErrorKind::Overloaded | ErrorKind::RateLimit | ErrorKind::Server => match self.retry_after {
                Some(pause) if !pause.is_zero() => {
                    return format!("try again in {} s", pause.as_secs_f64().ceil());
                }
                _ => "try again later",
            },
            _ => "change the request",
        };
        fix.into()
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered {}", self.host, self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if let Some(upstream) = &self.upstream {
            write!(f, ": {upstream}")?;
        }
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_asks_for_a_pause_is_quoted_on_it() {
        let mut error = ProviderError::new("h.example", ErrorKind::RateLimit, 429, "Slow down.");
        for (pause, fix) in [
            (None, "try again later"),
            (Some(Duration::ZERO), "try again later"),
            (Some(Duration::from_millis(200)), "try again in 1 s"),
            (Some(Duration::from_secs(90)), "try again in 90 s"),
        ] {
            error.retry_after = pause;
            assert_eq!(BackendError::Provider(Box::new(error.clone())).fix(), fix);
        }
    }
}
