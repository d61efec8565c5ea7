use crate::endpoint::TokenEndpoint;
use crate::identity::{Expected, Identity};
use crate::wire::TokenResponse;
use gatepass_core::{Advice, Cause, Credential, Scopes, TokenError, printable};
use std::fmt;
use std::time::Duration;

/// What a person's login has brought.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Login {
    /// What belongs into a [`CredentialStore`](gatepass_core::CredentialStore). Its scopes are the granted ones; it
    /// has no refresh token if the server gave none, and ends with its access token then.
    pub credential: Credential,
    /// Who logged in, where the server says so by an ID token and its issuer is known.
    pub identity: Option<Identity>,
    /// The scopes that were asked for and not granted.
    pub missing: Option<Scopes>,
    /// The scopes that were granted without being asked for.
    pub unexpected: Option<Scopes>,
}

impl Login {
    /// What `response` means to who asked for `scopes`.
    pub(crate) fn new(
        endpoint: &TokenEndpoint,
        scopes: Option<&Scopes>,
        response: TokenResponse,
        expected: Option<&Expected<'_>>,
    ) -> Result<Self, TokenError> {
        let identity = match (expected, &response.id_token) {
            (Some(expected), Some(token)) => Some(Identity::read(token, expected)?),
            _ => None,
        };
        let granted = response.access_token.scopes().or(scopes).cloned();
        let mut missing = difference(scopes, granted.as_ref());
        if response.id_token.is_some() {
            // It is what `openid` was asked for. Servers whose access tokens are for a resource (RFC 8707) don't name
            // `openid` among the scopes of those.
            missing =
                missing.and_then(|missing| difference(Some(&missing), Scopes::parse("openid").ok().as_ref()));
        }
        let unexpected = scopes.and_then(|_| difference(granted.as_ref(), scopes));
        if missing.is_some() || unexpected.is_some() {
            tracing::warn!(
                ?missing,
                ?unexpected,
                "other scopes were granted than were asked for"
            );
        }
        let mut credential = Credential::new(endpoint.url().as_str(), endpoint.client_id())
            .with_access_token(response.access_token);
        credential.refresh_token = response.refresh_token;
        credential.scopes = granted;
        credential.subject = identity.as_ref().map(|identity| identity.subject.clone());
        Ok(Self {
            credential,
            identity,
            missing,
            unexpected,
        })
    }
}

/// What `all` has and `some` hasn't; `None` for nothing.
fn difference(all: Option<&Scopes>, some: Option<&Scopes>) -> Option<Scopes> {
    let missing: Vec<&str> = all?
        .iter()
        .filter(|scope| !some.is_some_and(|some| some.contains(scope)))
        .collect();
    Scopes::parse(&missing.join(" ")).ok()
}

/// A person's login didn't come about.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The person said no, or the server didn't let them in. In the server's words, fit for a terminal.
    #[error("the login was refused: {error}{}", Described(.description.as_deref()))]
    Denied {
        /// `access_denied`, `invalid_scope`, … (RFC 6749 §4.1.2.1, RFC 8628 §3.5).
        error: String,
        /// The server's description.
        description: Option<String>,
    },
    /// Nobody has logged in in time.
    #[error("nobody has logged in within {after:?}")]
    TimedOut {
        /// How long we waited.
        after: Duration,
    },
    /// This machine can't do its part: no port can be bound, no browser started, the handler gave up.
    #[error("{what}")]
    System {
        /// What can't be done.
        what: String,
        /// What the system said.
        #[source]
        source: Option<Cause>,
    },
    /// The server can't be asked, or doesn't give a token for it.
    #[error(transparent)]
    Token(#[from] TokenError),
}

struct Described<'a>(Option<&'a str>);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |description| write!(f, ": {description}"))
    }
}

impl LoginError {
    /// What this machine, or the one who shows the address, can't do.
    pub fn system(what: impl Into<String>, source: Option<Cause>) -> Self {
        Self::System {
            what: what.into(),
            source,
        }
    }

    /// A server's refusal.
    pub(crate) fn denied(error: &str, description: Option<&str>) -> Self {
        Self::Denied {
            error: printable(error),
            description: description.map(printable).filter(|text| !text.is_empty()),
        }
    }

    /// What the caller can do.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            Self::Denied { error, .. } if matches!(&**error, "access_denied" | "expired_token") => {
                Advice::LoginRequired
            }
            Self::Denied { error, .. } if matches!(&**error, "server_error" | "temporarily_unavailable") => {
                Advice::Retry { after: None }
            }
            Self::Denied { .. } => Advice::FixConfig,
            Self::TimedOut { .. } => Advice::LoginRequired,
            Self::System { .. } => Advice::Fail,
            Self::Token(error) => error.advice(),
        }
    }

    /// The next step, as a sentence without a full stop.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Denied { error, .. } if error == "access_denied" => {
                "log in again and allow the access".into()
            }
            Self::Denied { error, .. } if error == "invalid_scope" => {
                "ask for other scopes: the server doesn't grant these to this client".into()
            }
            Self::Denied { .. } => {
                "check the client and its scopes, or ask the server's administrator".into()
            }
            Self::TimedOut { .. } => "log in again, and finish in time".into(),
            Self::System { source, .. } if is_taken(source.as_ref()) => {
                "end the program that uses it, and log in again".into()
            }
            Self::System { .. } => {
                "log in with --no-browser: open the address by hand and paste the one that it leads to".into()
            }
            Self::Token(error) => error.fix(),
        }
    }
}

/// An address that another program listens on.
fn is_taken(source: Option<&Cause>) -> bool {
    let error = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    error.is_some_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}
