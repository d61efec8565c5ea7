use crate::client::HttpClient;
use crate::conceal::Concealer;
use crate::error::HttpError;
use crate::request::HttpRequest;
use crate::response::HttpResponse;
use crate::retry::RetryPolicy;
use crate::server_url::ServerUrl;
use crate::status::{self, ErrorAnswer, ErrorReader};
use bytes::Bytes;
use gatepass_core::{
    AccessToken, Advice, BackendError, Clock, ConfigError, ExposeSecret, ProviderError, SystemClock,
    TokenError, TokenScheme, TokenSource,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

/// Sends requests to one server, each with a token that is valid when it is sent.
///
/// * The token goes to `base_url` and nowhere else: requests name a path, not an address.
/// * A 401 makes the source [reject](TokenSource::reject) that very token; if the source then has another one,
///   the request is sent once more.
/// * Transient failures are tried again by the [`RetryPolicy`], until an answer begins: a stream that broke
///   isn't asked for again. `x-should-retry` has the last word.
// In no cache line with the count of an `Arc` around it, which each task that takes a clone writes to.
#[repr(align(128))]
pub struct AuthorizedClient {
    http: HttpClient,
    base_url: ServerUrl,
    source: Arc<dyn TokenSource>,
    read_error: ErrorReader,
    key_header: Option<HeaderName>,
    headers: HeaderMap,
    /// The values of those headers that are secret.
    secret_headers: Option<Arc<[HeaderValue]>>,
    retry: RetryPolicy,
    /// The path that was asked for first, and its address: a backend asks for hardly any other.
    usual: OnceLock<(Box<str>, ServerUrl)>,
}

impl AuthorizedClient {
    /// Sends to `base_url` with tokens of `source`; `read_error` reads the provider's error bodies.
    pub fn new(
        http: HttpClient,
        base_url: ServerUrl,
        source: Arc<dyn TokenSource>,
        read_error: ErrorReader,
    ) -> Self {
        Self {
            http,
            base_url,
            source,
            read_error,
            key_header: None,
            headers: HeaderMap::new(),
            secret_headers: None,
            retry: RetryPolicy::models(),
            usual: OnceLock::new(),
        }
    }

    /// Names the header that an API key goes into; without it, a key is sent as a bearer token.
    #[must_use]
    pub fn with_key_header(mut self, name: HeaderName) -> Self {
        self.key_header = Some(name);
        self
    }

    /// Adds headers to every request. They never replace the credential. The value of one that is
    /// [sensitive](HeaderValue::is_sensitive) is hidden in errors, should the server quote it.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        let secret = self.headers.values().filter(|value| value.is_sensitive());
        self.secret_headers = Some(secret.cloned().collect::<Arc<[_]>>()).filter(|secret| !secret.is_empty());
        self
    }

    /// Sets how failures are tried again.
    #[must_use]
    pub const fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The address that the token goes to.
    #[must_use]
    pub const fn base_url(&self) -> &ServerUrl {
        &self.base_url
    }

    /// A JSON body for `path` below the base URL. Nothing is sent yet.
    pub fn post_json(&self, path: &str, body: impl Into<Bytes>) -> Call<'_> {
        self.call(self.address(path), Some(body.into()))
    }

    /// Asks for `path` below the base URL. Nothing is sent yet.
    pub fn get(&self, path: &str) -> Call<'_> {
        self.call(self.address(path), None)
    }

    /// As [`post_json`](Self::post_json), with a query besides the base URL's own.
    pub fn post_json_with_query(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Call<'_> {
        self.call(self.address_with(path, query), Some(body.into()))
    }

    /// As [`get`](Self::get), with a query besides the base URL's own.
    pub fn get_with_query(&self, path: &str, query: &[(&str, &str)]) -> Call<'_> {
        self.call(self.address_with(path, query), None)
    }

    const fn call<'a>(&'a self, url: Address<'a>, body: Option<Bytes>) -> Call<'a> {
        Call {
            client: self,
            url,
            body,
        }
    }

    fn address_with(&self, path: &str, query: &[(&str, &str)]) -> Address<'_> {
        Address::Other(Box::new(self.base_url.join(path).with_query(query)))
    }

    fn address(&self, path: &str) -> Address<'_> {
        let (usual, url) = self.usual.get_or_init(|| (path.into(), self.base_url.join(path)));
        if **usual == *path {
            Address::Usual(url)
        } else {
            Address::Other(Box::new(self.base_url.join(path)))
        }
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<HttpResponse, Failure> {
        let token = self.token().await?;
        // A box, and nothing else beside it, so that the future of a call that needs none is small.
        let refused = {
            let request = self.request(call, &token)?;
            let response = self.http.send_to(&call.url, request).await?;
            if response.status().is_success() {
                return Ok(response.with_concealer(self.concealer(token)));
            }
            Box::pin(self.after_refusal(call, response, token))
        };
        refused.await
    }

    /// Sends once more if it was the token that was refused and there is another one.
    async fn after_refusal(
        &self,
        call: &Call<'_>,
        response: HttpResponse,
        token: AccessToken,
    ) -> Result<HttpResponse, Failure> {
        if response.status() != StatusCode::UNAUTHORIZED {
            return Err(failure(response, self.concealer(token), self.read_error).await);
        }
        self.source.reject(&token);
        let fresh = self.token().await?;
        if fresh == token {
            return Err(failure(response, self.concealer(token), self.read_error).await);
        }
        tracing::info!(
            host = response.host(),
            "the token was refused; sending once more with a new one"
        );
        drop(response);
        let response = self.http.send_to(&call.url, self.request(call, &fresh)?).await?;
        if response.status().is_success() {
            return Ok(response.with_concealer(self.concealer(fresh)));
        }
        let mut failure = failure(response, self.concealer(fresh), self.read_error).await;
        if let Failure::Answer { error, .. } = &mut failure {
            // It may quote the one that it refused first.
            self.concealer(token).conceal_error(error);
        }
        Err(failure)
    }

    fn concealer(&self, token: AccessToken) -> Concealer {
        Concealer::of(token, self.secret_headers.clone())
    }

    async fn token(&self) -> Result<AccessToken, TokenError> {
        if let Some(token) = self.source.current() {
            return Ok(token.clone());
        }
        self.source.token().await
    }

    /// The request of a call, with the credential.
    fn request(&self, call: &Call<'_>, token: &AccessToken) -> Result<HttpRequest, ConfigError> {
        let mut request = call.request();
        // What the request says of itself wins.
        for (name, value) in &self.headers {
            request.headers.entry(name).or_insert_with(|| value.clone());
        }
        let (name, value) = self.credential(token)?;
        request.headers.insert(name, value);
        Ok(request)
    }

    fn credential(&self, token: &AccessToken) -> Result<(HeaderName, HeaderValue), ConfigError> {
        match (token.scheme(), &self.key_header) {
            (TokenScheme::ApiKey, Some(name)) => Ok((name.clone(), token.header().clone())),
            (TokenScheme::Bearer, _) => Ok((header::AUTHORIZATION, token.header().clone())),
            _ => {
                let value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()));
                let mut value = value.map_err(|_| {
                    ConfigError::invalid("the API key", "doesn't fit into a header", "correct it")
                })?;
                value.set_sensitive(true);
                Ok((header::AUTHORIZATION, value))
            }
        }
    }
}

impl fmt::Debug for AuthorizedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizedClient")
            .field("base_url", &self.base_url)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

/// Reads an answer that is no success.
async fn failure(mut response: HttpResponse, concealer: Concealer, read_error: ErrorReader) -> Failure {
    let body = response.read_some().await;
    let body = concealer.conceal(&String::from_utf8_lossy(&body));
    let headers = response.headers();
    let answer = ErrorAnswer {
        status: response.status(),
        headers,
        body: body.as_bytes(),
    };
    let mut error = status::provider_error(response.host(), &answer, SystemClock.now().wall_time());
    read_error(&answer, &mut error);
    // Once more: what was escaped in the body is not any longer.
    concealer.conceal_error(&mut error);
    Failure::Answer {
        error: Box::new(error),
        should_retry: status::should_retry(headers),
    }
}

/// What is asked of a server, as often as it takes. It is sent when it is awaited.
#[must_use = "it is sent when it is awaited"]
pub struct Call<'a> {
    client: &'a AuthorizedClient,
    url: Address<'a>,
    /// JSON to post; without it, something is to be got.
    body: Option<Bytes>,
}

/// Where it is asked; as small as can be, since each call in flight holds it.
enum Address<'a> {
    Usual(&'a ServerUrl),
    Other(Box<ServerUrl>),
}

impl Deref for Address<'_> {
    type Target = ServerUrl;

    fn deref(&self) -> &ServerUrl {
        match self {
            Self::Usual(url) => url,
            Self::Other(url) => url,
        }
    }
}

impl<'a> Call<'a> {
    /// Sends it; returns a successful answer as soon as it begins. This is awaiting it, without a box for the future.
    ///
    /// # Errors
    /// See [`BackendError`]; an answer with another status is [`BackendError::Provider`].
    #[expect(clippy::manual_async_fn, reason = "it would hold the call twice")]
    pub fn send(self) -> impl Future<Output = Result<HttpResponse, BackendError>> + Send + 'a {
        async move {
            let attempt = || self.client.attempt(&self);
            let retry = &self.client.retry;
            Ok(retry.run("model call", Failure::advice, attempt).await?)
        }
    }

    fn request(&self) -> HttpRequest {
        let url = ServerUrl::clone(&self.url);
        match &self.body {
            Some(body) => HttpRequest::post_json(url, body.clone()),
            None => HttpRequest::get(url),
        }
    }
}

impl<'a> IntoFuture for Call<'a> {
    type Output = Result<HttpResponse, BackendError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Without the body, which is what somebody asked.
impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("url", &*self.url)
            .finish_non_exhaustive()
    }
}

/// Why one attempt failed.
enum Failure {
    /// The source has tried as often as it makes sense.
    Token(TokenError),
    Config(ConfigError),
    Http(HttpError),
    Answer {
        error: Box<ProviderError>,
        should_retry: Option<bool>,
    },
}

impl Failure {
    fn advice(&self) -> Advice {
        match self {
            Self::Token(_) | Self::Config(_) => Advice::Fail,
            Self::Http(error) if error.is_transient() => Advice::Retry { after: None },
            Self::Http(_) => Advice::Fail,
            Self::Answer {
                error,
                should_retry: Some(true),
            } => Advice::Retry {
                after: error.retry_after,
            },
            Self::Answer {
                should_retry: Some(false),
                ..
            } => Advice::Fail,
            Self::Answer { error, .. } => error.advice(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(error) => error.fmt(f),
            Self::Config(error) => error.fmt(f),
            Self::Http(error) => BackendError::from(error.clone()).fmt(f),
            Self::Answer { error, .. } => error.fmt(f),
        }
    }
}

impl From<Failure> for BackendError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Token(error) => Self::Token(error),
            Failure::Config(error) => Self::Config(error),
            Failure::Http(error) => error.into(),
            Failure::Answer { error, .. } => Self::Provider(error),
        }
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}
