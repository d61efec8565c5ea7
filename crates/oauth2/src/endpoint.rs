use crate::client::{AuthStyle, Client};
use crate::conceal::Secrets;
use crate::grant::Grant;
use crate::patience::Patience;
use crate::verdict::{may_be_the_style, network_error, verdict};
use crate::wire::{self, TokenResponse};
use gatepass_core::{Clock, SystemClock, TokenError};
use gatepass_http::{HttpClient, HttpRequest, RetryPolicy, ServerUrl};
use http::{HeaderValue, header};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

/// The most bytes that an answer may have.
pub(crate) const BODY_LIMIT: usize = 1 << 20;

/// Speaks to one token endpoint (RFC 6749 §3.2) as one client.
///
/// Transient failures, an answer that takes more than 10 s among them, are tried again after 1, 2 and 4 s, within
/// 30 s in all. After a request that failed in
/// spite of that, the next ones are tried once each until the server is back. A refusal is final. Nothing is
/// cached here but the way of client authentication that worked.
#[derive(Debug)]
pub struct TokenEndpoint {
    http: HttpClient,
    url: ServerUrl,
    client: Client,
    style: AuthStyle,
    name: String,
    target: Vec<(String, String)>,
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

    /// Asks for a token.
    ///
    /// # Errors
    /// [`TokenError::Refused`] with the server's own words, [`TokenError::Unavailable`] after the retries,
    /// [`TokenError::Malformed`] for an answer that is no token response.
    pub async fn request(&self, grant: &Grant) -> Result<TokenResponse, TokenError> {
        let what = format!("token request for {}", self.name);
        let mut patience = self.patience.clone();
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

    /// One request; a second one in the other style when the server refuses the client in the first.
    async fn attempt(&self, grant: &Grant) -> Result<TokenResponse, TokenError> {
        let style = match (self.style, self.learned.load(Ordering::Relaxed)) {
            // A public client proves nothing: there is nothing to find out.
            _ if self.client.secret().is_none() => AuthStyle::Post,
            (AuthStyle::Auto, 1) => AuthStyle::Basic,
            (AuthStyle::Auto, 2) => AuthStyle::Post,
            (style, _) => style,
        };
        if style != AuthStyle::Auto {
            return self.send(grant, style).await;
        }
        let refusal = match self.send(grant, AuthStyle::Basic).await {
            Err(TokenError::Refused(refusal)) if may_be_the_style(&refusal) => refusal,
            outcome => return self.learn(1, outcome),
        };
        match self.send(grant, AuthStyle::Post).await {
            // It isn't the style, then: the first answer is the better one.
            Err(TokenError::Refused(second)) if may_be_the_style(&second) || second.error.is_empty() => {
                Err(TokenError::Refused(refusal))
            }
            outcome => self.learn(2, outcome),
        }
    }

    /// Remembers the style in which the client was recognised. A refusal for another reason shows that, too; a mere
    /// status doesn't.
    fn learn(
        &self,
        style: u8,
        outcome: Result<TokenResponse, TokenError>,
    ) -> Result<TokenResponse, TokenError> {
        let recognised = match &outcome {
            Ok(_) => true,
            Err(TokenError::Refused(refusal)) => !refusal.error.is_empty(),
            Err(_) => false,
        };
        if recognised {
            self.learned.store(style, Ordering::Relaxed);
        }
        outcome
    }

    async fn send(&self, grant: &Grant, style: AuthStyle) -> Result<TokenResponse, TokenError> {
        let asked_at = self.clock.now();
        let request = self
            .client
            .sign(grant.form(&self.target), style, |form| {
                HttpRequest::post_form(self.url.clone(), form.into_body())
            })?
            // Some servers send an HTML page to whoever doesn't ask for JSON.
            .with_header(header::ACCEPT, HeaderValue::from_static("application/json"));
        let network = |error| network_error(&self.url, error);
        let mut response = self.http.send(request).await.map_err(network)?;
        let complaint = if response.status().is_success() {
            let body = response.read(BODY_LIMIT).await.map_err(network)?;
            match wire::read_success(&self.url.host(), &body, asked_at)? {
                Ok(response) => return Ok(response),
                Err(complaint) => complaint,
            }
        } else {
            wire::read_error(&response.read_some().await)
        };
        let secrets = Secrets::of(&self.client, grant);
        Err(verdict(
            &response,
            &complaint,
            &secrets,
            self.clock.now().wall_time(),
        ))
    }
}
