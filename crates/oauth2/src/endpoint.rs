use crate::client::{AuthStyle, Client};
use crate::conceal::conceal;
use crate::grant::Grant;
use crate::wire::{self, TokenResponse};
use gatepass_core::{Clock, Refusal, SystemClock, TokenError};
use gatepass_http::{
    HttpClient, HttpError, HttpRequest, HttpResponse, RetryPolicy, ServerUrl, request_id, retry_after,
};
use http::{HeaderValue, StatusCode, header};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

/// The most bytes that an answer may have.
pub(crate) const BODY_LIMIT: usize = 1 << 20;

/// The time that a whole token request may take, retries included.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// Speaks to one token endpoint (RFC 6749 §3.2) as one client.
///
/// Transient failures are tried again after 1, 2 and 4 s, within 30 s in all. After a request that failed in
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
    retry: RetryPolicy,
    timeout: Duration,
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
            retry: RetryPolicy::tokens(),
            timeout: TIMEOUT,
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
        self.retry = retry;
        self
    }

    /// Sets the time that a whole token request may take, retries included.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
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
        let mut policy = self.retry.clone();
        // No pause that the time wouldn't suffice for: the real error is told instead of "no answer".
        policy.deadline = policy.deadline.min(self.timeout);
        if self.down.load(Ordering::Relaxed) {
            policy.retries = 0;
        }
        let what = format!("token request for {}", self.name);
        let attempts = policy.run(&what, TokenError::advice, || self.attempt(grant));
        let outcome = tokio::time::timeout(self.timeout, attempts)
            .await
            .unwrap_or_else(|_| Err(self.unavailable(format!("no answer within {:?}", self.timeout), None)));
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
        let outcome = self.exchange(grant, style).await;
        outcome.map_err(|error| conceal(error, [self.client.secret(), grant.secret()]))
    }

    async fn exchange(&self, grant: &Grant, style: AuthStyle) -> Result<TokenResponse, TokenError> {
        let asked_at = self.clock.now();
        let request = self
            .client
            .sign(grant.form(&self.target), style, |form| {
                HttpRequest::post_form(self.url.clone(), form.into_body())
            })?
            // Some servers send an HTML page to whoever doesn't ask for JSON.
            .with_header(header::ACCEPT, HeaderValue::from_static("application/json"));
        let mut response = self
            .http
            .send(request)
            .await
            .map_err(|error| self.network(error))?;
        if !response.status().is_success() {
            let body = response.read_some().await;
            return Err(self.judge(&response, &body));
        }
        let body = response
            .read(BODY_LIMIT)
            .await
            .map_err(|error| self.network(error))?;
        wire::read_success(&self.url.host(), response.status().as_u16(), &body, asked_at)
    }

    /// An error answer. What a 4xx says is a verdict, unless it says "later"; what a 5xx says is none.
    fn judge(&self, response: &HttpResponse, body: &[u8]) -> TokenError {
        let status = response.status();
        let (error, description) = wire::read_error(body);
        if status.is_redirection() {
            let what = format!(
                "it redirects (status {}); secrets don't follow redirects",
                status.as_u16()
            );
            return TokenError::malformed(format!("{what} ({})", self.url.host()));
        }
        if is_transient(status, &error) {
            let code = if error.is_empty() {
                String::new()
            } else {
                format!(" {}", gatepass_core::printable(&error))
            };
            let retry_after = retry_after(response.headers(), self.clock.now().wall_time());
            return self.unavailable(format!("status {}{code}", status.as_u16()), retry_after);
        }
        let refusal = Refusal::new(self.url.host(), status.as_u16(), &error)
            .with_description(description.as_deref())
            .with_request_id(request_id(response.headers()));
        TokenError::Refused(Box::new(refusal))
    }

    fn network(&self, error: HttpError) -> TokenError {
        network_error(&self.url, error)
    }

    fn unavailable(&self, what: String, retry_after: Option<Duration>) -> TokenError {
        TokenError::Unavailable {
            host: self.url.host(),
            what,
            retry_after,
            source: None,
        }
    }
}

pub(crate) fn network_error(url: &ServerUrl, error: HttpError) -> TokenError {
    let transient = error.is_transient();
    match error {
        HttpError::Network { host, phase, source } if transient => TokenError::Unavailable {
            host,
            what: phase.to_string(),
            retry_after: None,
            source,
        },
        HttpError::Network { host, phase, source } => TokenError::Untrusted {
            host,
            what: phase.to_string(),
            source,
        },
        HttpError::Unreadable { what, .. } => TokenError::malformed(format!("{what} ({})", url.host())),
        _ => TokenError::malformed(format!("unreadable ({})", url.host())),
    }
}

/// RFC 6749 §5.2 lets a server answer 400 or 401; some call a missing parameter `invalid_request`.
fn may_be_the_style(refusal: &Refusal) -> bool {
    refusal.status == 401 || matches!(refusal.error.as_str(), "invalid_client" | "invalid_request")
}

fn is_transient(status: StatusCode, error: &str) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429)
        || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
        || matches!(error, "temporarily_unavailable" | "server_error" | "slow_down")
}
