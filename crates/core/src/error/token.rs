use super::{Advice, Cause, ConfigError, StoreError, printable};
use std::fmt;
use std::time::Duration;

/// No token could be had. Cheap to clone: all callers that waited for one refresh get the same error.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Nobody is logged in, or the login has ended. Log in with the command that [`TokenError::fix`] names.
    #[error("not authenticated with {provider}")]
    LoginRequired {
        /// The provider.
        provider: String,
        /// Whose login, where a certain one was asked for.
        account: Option<String>,
        /// Why an earlier login doesn't do any more.
        #[source]
        source: Option<Cause>,
    },
    /// The authorization server refused. Not retried: correct the client's credentials or its rights.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The authorization server couldn't be asked, or couldn't answer. Retried already; try later.
    #[error("the authorization server {host} is unavailable: {what}")]
    Unavailable {
        /// The server.
        host: String,
        /// What happened, with the status where there is one.
        what: String,
        /// How long it asked us to wait.
        retry_after: Option<Duration>,
        /// Why.
        #[source]
        source: Option<Cause>,
    },
    /// The authorization server's certificate isn't trusted: nothing was sent to it. Set `ca_file`.
    #[error("the authorization server {host} is not trusted: {what}")]
    Untrusted {
        /// The server.
        host: String,
        /// What happened.
        what: String,
        /// Why.
        #[source]
        source: Option<Cause>,
    },
    /// What came isn't a token response. Check that the token URL is right.
    #[error("malformed token response: {what}")]
    Malformed {
        /// What is wrong with it, never its content.
        what: String,
    },
    /// The configuration can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The credential store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The refresh ended without an outcome: its runtime shut down, or the source panicked.
    #[error("the token refresh was interrupted: {what}")]
    Interrupted {
        /// What happened.
        what: &'static str,
    },
}

impl TokenError {
    /// A reply that is no token response.
    pub fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into() }
    }

    /// What the caller can do.
    #[must_use]
    pub const fn advice(&self) -> Advice {
        match self {
            Self::LoginRequired { .. } => Advice::LoginRequired,
            Self::Refused(_) | Self::Untrusted { .. } | Self::Malformed { .. } => Advice::FixConfig,
            Self::Unavailable { retry_after, .. } => Advice::Retry { after: *retry_after },
            Self::Config(error) => error.advice(),
            Self::Store(error) => error.advice(),
            Self::Interrupted { .. } => Advice::Retry { after: None },
        }
    }

    /// The next step, as a sentence without a full stop.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::LoginRequired {
                provider, account, ..
            } => {
                let account = account.as_ref().map(|account| format!(" --account {account}"));
                let account = account.unwrap_or_default();
                format!("run: gatepass auth login --provider {provider}{account}")
            }
            Self::Refused(refusal) => refusal.fix().into(),
            Self::Unavailable { .. } => {
                "try again later; if that doesn't help, check the server's address and the network".into()
            }
            Self::Interrupted { .. } => "try again later".into(),
            Self::Untrusted { .. } => "set ca_file to the certificates of your authority".into(),
            Self::Malformed { .. } => "check that the token URL is the server's token endpoint".into(),
            Self::Config(error) => error.fix(),
            Self::Store(error) => error.fix(),
        }
    }
}

/// An authorization server's refusal, RFC 6749 §5.2.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The server.
    pub host: String,
    /// The HTTP status.
    pub status: u16,
    /// `error`: `invalid_client`, `invalid_grant`, …; empty where the server named none.
    pub error: String,
    /// `error_description`, fit for a terminal.
    pub description: Option<String>,
    /// The server's id for this request.
    pub request_id: Option<String>,
}

impl Refusal {
    /// A refusal by `host`.
    pub fn new(host: impl Into<String>, status: u16, error: &str) -> Self {
        Self {
            host: host.into(),
            status,
            error: printable(error),
            description: None,
            request_id: None,
        }
    }

    /// Sets the server's description.
    #[must_use]
    pub fn with_description(mut self, description: Option<&str>) -> Self {
        self.description = description.map(printable).filter(|text| !text.is_empty());
        self
    }

    /// Sets the server's id for this request.
    #[must_use]
    pub fn with_request_id(mut self, request_id: Option<String>) -> Self {
        self.request_id = request_id;
        self
    }

    const fn fix(&self) -> &'static str {
        match self.error.as_bytes() {
            b"invalid_client" => {
                "check client_id and client_secret, and how the server wants them (auth_style)"
            }
            b"invalid_grant" => "log in again: the grant has expired or was revoked",
            b"invalid_scope" => "check the scope: the server doesn't grant it to this client",
            b"invalid_target" => "check resource and audience: the server doesn't know them",
            b"unauthorized_client" | b"unsupported_grant_type" => {
                "ask the server's administrator to allow this grant"
            }
            // Nothing answered that knows OAuth2.
            b"" if matches!(self.status, 404 | 405) => "check token_url: no token endpoint answers there",
            _ => "check the provider's entry, and ask the server's administrator",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the authorization server {} refused", self.host)?;
        if !self.error.is_empty() {
            write!(f, ": {}", self.error)?;
        }
        if let Some(description) = &self.description {
            write!(f, ": {description}")?;
        }
        write!(f, " (status {}", self.status)?;
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_happened_and_each_code_has_its_own_way_out() {
        let refusal = Refusal::new("as.example", 400, "invalid_grant");
        assert_eq!(
            refusal.to_string(),
            "the authorization server as.example refused: invalid_grant (status 400)"
        );
        let said = Refusal::new("as.example", 500, "").with_description(Some("gone"));
        assert_eq!(
            said.to_string(),
            "the authorization server as.example refused: gone (status 500)"
        );
        assert_eq!(refusal.clone().with_description(Some("")), refusal);
        let codes = [
            "invalid_client",
            "invalid_grant",
            "invalid_scope",
            "invalid_target",
            "unauthorized_client",
            "",
        ];
        let fixes: std::collections::BTreeSet<_> = codes
            .iter()
            .map(|code| TokenError::Refused(Box::new(Refusal::new("as.example", 400, code))).fix())
            .collect();
        assert_eq!(fixes.len(), codes.len(), "{fixes:?}");
        let nowhere = TokenError::Refused(Box::new(Refusal::new("as.example", 404, ""))).fix();
        assert!(nowhere.contains("token_url"), "{nowhere}");
    }
}
