use crate::resolver::LeadsInside;
use crate::status::request_id;
use gatepass_core::{BackendError, Cause, Phase};
use http::HeaderMap;
use std::error::Error;
use std::sync::Arc;

/// A request got no usable answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum HttpError {
    /// The network failed, or time was up.
    Network {
        /// The server.
        host: String,
        /// How far it had come.
        phase: Phase,
        /// Why.
        source: Option<Cause>,
    },
    /// The server's name leads inside, and [may only lead outside](crate::ServerUrl::outside). Nothing was sent.
    LeadsInside {
        /// The server.
        host: String,
    },
    /// The answer is one that we don't read: too large, or in an encoding that nobody asked for.
    Unreadable {
        /// The server.
        host: String,
        /// What is wrong with it.
        what: String,
        /// The server's id for this request.
        request_id: Option<String>,
    },
}

impl HttpError {
    pub(crate) fn timeout(host: &str, phase: Phase) -> Self {
        Self::Network {
            host: host.to_owned(),
            phase,
            source: None,
        }
    }

    pub(crate) fn unreadable(host: &str, what: impl Into<String>, headers: &HeaderMap) -> Self {
        Self::Unreadable {
            host: host.to_owned(),
            what: what.into(),
            request_id: request_id(headers),
        }
    }

    /// The address is left out of the cause: it could hold a secret.
    pub(crate) fn of(host: &str, error: reqwest::Error, otherwise: Phase) -> Self {
        if has_cause(&error, |cause: &LeadsInside| matches!(cause, LeadsInside)) {
            let host = host.to_owned();
            return Self::LeadsInside { host };
        }
        let is_refused_certificate = |cause: &_| matches!(cause, rustls::Error::InvalidCertificate(_));
        let phase = if has_cause(&error, is_refused_certificate) {
            Phase::Tls
        } else if error.is_connect() {
            Phase::Connect
        } else if error.is_timeout() {
            Phase::FirstByte
        } else {
            otherwise
        };
        Self::Network {
            host: host.to_owned(),
            phase,
            source: Some(Arc::new(error.without_url())),
        }
    }

    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Network { phase, .. } => !matches!(phase, Phase::Tls),
            Self::Unreadable { .. } | Self::LeadsInside { .. } => false,
        }
    }
}

impl From<HttpError> for BackendError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Network { host, phase, source } => Self::Network {
                host,
                phase,
                request_id: None,
                source,
            },
            HttpError::LeadsInside { host } => Self::Network {
                host,
                phase: Phase::Connect,
                request_id: None,
                source: Some(Arc::new(LeadsInside)),
            },
            HttpError::Unreadable {
                host,
                what,
                request_id,
            } => Self::Decode {
                host,
                what,
                request_id,
                source: None,
            },
        }
    }
}

/// Looks for an error among the causes; an `io::Error` leaves out the one that it wraps, and may wrap another
/// `io::Error`.
fn has_cause<E: Error + 'static>(error: &(dyn Error + 'static), is_it: impl Fn(&E) -> bool) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.downcast_ref().is_some_and(&is_it) {
            return true;
        }
        next = match cause.downcast_ref::<std::io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => cause.source(),
        };
    }
    false
}
