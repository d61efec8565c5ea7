mod signed;

pub(crate) use signed::BODY_LIMIT;

use crate::client::{AuthStyle, Client};
use crate::grant::{Form, Grant};
use crate::patience::Patience;
use crate::wire::{self, TokenResponse};
use gatepass_core::{Clock, ConfigError, Credential, SystemClock, TokenError};
use gatepass_http::{HttpClient, RetryPolicy, ServerUrl, Transport};
use signed::{Answer, Question};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, SystemTime};

/// Speaks to one token endpoint (RFC 6749 §3.2) as one client.
///
/// Transient failures are tried again after 1, 2 and 4 s, within 30 s in all. An answer that takes more than 10 s is
/// one of them, but for a grant that can be used once (a code, a rotating refresh token): asking again while the
/// first request is under way could end the login. After a request that failed in spite of that, the next ones
/// are tried once each until the server is back. A refusal is final. Nothing is cached here but the way of client
/// authentication that worked.
#[derive(Debug)]
pub struct TokenEndpoint {
    http: HttpClient,
    url: ServerUrl,
    client: Client,
    style: AuthStyle,
    pub(crate) name: String,
    /// What every request says about the server that tokens are for.
    pub(crate) target: Vec<(String, String)>,
    patience: Patience,
    clock: Arc<dyn Clock>,
    /// What `AuthStyle::Auto` has found out: 0 nothing, 1 Basic, 2 Post.
    learned: AtomicU8,
    /// Whether the last request failed in spite of its retries.
    down: AtomicBool,
}

impl TokenEndpoint {
    /// The endpoint at `url`, asked by `client`.
    pub fn new(http: HttpClient, url: ServerUrl, client: Client) -> Self {
        Self {
            http,
            name: url.host(),
            url,
            client,
            style: AuthStyle::Auto,
            target: Vec::new(),
            patience: Patience::default(),
            clock: Arc::new(SystemClock),
            learned: AtomicU8::new(0),
            down: AtomicBool::new(false),
        }
    }

    /// Says how the client proves who it is.
    #[must_use]
    pub const fn with_auth_style(mut self, style: AuthStyle) -> Self {
        self.style = style;
        self
    }

    /// Sets the name under which retries are logged: the provider's.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Names the server that tokens are for, on every request: RFC 8707, once or several times.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<String>) -> Self {
        self.target.push(("resource".into(), resource.into()));
        self
    }

    /// Names the audience that tokens are for, on every request: the parameter of servers without RFC 8707.
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.target.push(("audience".into(), audience.into()));
        self
    }

    /// Sets how failures are tried again.
    #[must_use]
    pub const fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.patience.retry = retry;
        self
    }

    /// Sets the time that a whole token request may take, retries included.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.patience.timeout = timeout;
        self
    }

    /// Takes the time from another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Its address.
    #[must_use]
    pub const fn url(&self) -> &ServerUrl {
        &self.url
    }

    pub(crate) fn client_id(&self) -> &str {
        self.client.id()
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now().wall_time()
    }

    /// Asks for a token.
    ///
    /// # Errors
    /// [`TokenError::Refused`] with the server's own words, [`TokenError::Unavailable`] after the retries,
    /// [`TokenError::Malformed`] for an answer that is no token response.
    pub async fn request(&self, grant: &Grant) -> Result<TokenResponse, TokenError> {
        let what = format!("token request for {}", self.name);
        let mut patience = match grant {
            Grant::ClientCredentials { .. } => self.patience.clone(),
            _ => self.patience.clone().with_whole_attempts(),
        };
        if self.down.load(Ordering::Relaxed) {
            patience = patience.without_retries();
        }
        let outcome = patience
            .run(&what, &self.url.host(), || self.attempt(grant))
            .await;
        self.down.store(
            matches!(outcome, Err(TokenError::Unavailable { .. })),
            Ordering::Relaxed,
        );
        outcome
    }

    /// Asks once, as a device that waits for its person does (RFC 8628 §3.4).
    pub(crate) async fn poll(&self, grant: &Grant) -> Result<TokenResponse, TokenError> {
        self.patience.once(&self.url.host(), self.attempt(grant)).await
    }

    /// Asks another endpoint of the same server once, as the same client. `secret` is what the form has of it.
    pub(crate) async fn post(
        &self,
        url: &ServerUrl,
        form: Form,
        secret: Option<&str>,
    ) -> Result<Vec<u8>, TokenError> {
        let question = Question {
            url,
            form,
            secrets: secret.into_iter().collect(),
            final_words: &[],
        };
        let read = |answer: &Answer| {
            let complaint = wire::read_error(&answer.body);
            Ok(if complaint.error.is_empty() {
                Ok(answer.body.to_vec())
            } else {
                Err(complaint)
            })
        };
        self.patience.once(&url.host(), self.ask(&question, &read)).await
    }

    async fn attempt(&self, grant: &Grant) -> Result<TokenResponse, TokenError> {
        let question = Question {
            url: &self.url,
            form: grant.form(&self.target),
            secrets: grant.secrets(),
            final_words: match grant {
                Grant::DeviceCode { .. } => &["authorization_pending", "slow_down"],
                _ => &[],
            },
        };
        self.ask(&question, &|answer| {
            wire::read_success(&self.url.host(), &answer.body, answer.asked_at)
        })
        .await
    }

    /// A credential goes to who issued it, in the name of the client that it was issued to, or nowhere.
    pub(crate) fn check_issued(&self, credential: &Credential) -> Result<(), ConfigError> {
        let fix = "log in again, or restore the former value";
        // Written in another way it is the same address still.
        let issuer = ServerUrl::parse(&credential.token_url, "token_url", Transport::PlainAllowed);
        if !issuer.is_ok_and(|issuer| issuer == self.url) {
            let what = "is not the one that issued the stored login";
            return Err(ConfigError::invalid("token_url", what, fix));
        }
        if credential.client_id != self.client.id() {
            let what = "is not the one that the stored login was issued to";
            return Err(ConfigError::invalid("client_id", what, fix));
        }
        Ok(())
    }
}
