use crate::alarm::Alarm;
use crate::error::HttpError;
use crate::request::HttpRequest;
use crate::resolver::Resolver;
use crate::response::HttpResponse;
use crate::server_url::ServerUrl;
use crate::tls;
use gatepass_core::{ConfigError, Phase};
use http::HeaderValue;
use reqwest::redirect;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// Sends requests that carry secrets.
///
/// No redirects and no `Referer`; no proxy for this machine itself (for others, the system's proxy); TLS
/// checked as the platform does. Names of addresses that were [told by somebody else](ServerUrl::outside) lead to no
/// private network. Three timeouts (to connect, to the first byte, between two chunks) and never
/// one over a whole stream. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct HttpClient {
    proxied: reqwest::Client,
    direct: reqwest::Client,
    resolver: Resolver,
    options: HttpOptions,
}

/// How a client connects and how long it waits.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpOptions {
    /// The time to connect, TLS included: 10 s.
    pub connect_timeout: Duration,
    /// The time until an answer begins, and for one that is read whole: 10 min each, for a model may think.
    pub first_byte_timeout: Duration,
    /// The time between two chunks of an answer: 2 min.
    pub idle_timeout: Duration,
    /// A PEM file with certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(600),
            idle_timeout: Duration::from_secs(120),
            ca_file: None,
        }
    }
}

impl HttpOptions {
    /// Sets the time until an answer begins.
    #[must_use]
    pub const fn with_first_byte_timeout(mut self, timeout: Duration) -> Self {
        self.first_byte_timeout = timeout;
        self
    }

    /// Sets the time between two chunks of an answer.
    #[must_use]
    pub const fn with_idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Trusts the certificates of a PEM file besides the system's.
    #[must_use]
    pub fn with_ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }
}

impl HttpClient {
    /// A client; connects to nothing yet.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for a `ca_file` that can't be used.
    pub fn new(options: HttpOptions) -> Result<Self, ConfigError> {
        let tls = match &options.ca_file {
            Some(path) => tls::with_ca_file(path)?,
            None => tls::system()?,
        };
        let build = |builder: reqwest::ClientBuilder| {
            builder.build().map_err(|_| {
                ConfigError::invalid(
                    "the HTTP client",
                    "cannot be built",
                    "check the system's proxy settings",
                )
            })
        };
        let resolver = Resolver::default();
        let proxied = builder(&options, tls.clone()).dns_resolver(resolver.clone());
        Ok(Self {
            proxied: build(proxied)?,
            direct: build(builder(&options, tls).no_proxy())?,
            resolver,
            options,
        })
    }

    /// Sends a request once and returns the answer, whatever its status, as soon as its head is there.
    ///
    /// Dropping the future, or later the answer, closes the connection.
    ///
    /// # Errors
    /// [`HttpError`]
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = request.url.clone();
        self.send_to(&url, request).await
    }

    /// As [`send`](Self::send), for who has the request's address at hand.
    pub(crate) fn send_to<'a>(
        &'a self,
        url: &'a ServerUrl,
        request: HttpRequest,
    ) -> impl Future<Output = Result<HttpResponse, HttpError>> + Send + 'a {
        self.resolver.note(url);
        let client = if url.is_loopback() {
            &self.direct
        } else {
            &self.proxied
        };
        // The future holds this alone; of an `async fn` it would hold the request, too, until it ends.
        let sending = client.execute(request.into_inner());
        async move {
            let mut sending = pin!(sending);
            let mut alarm = Alarm::new(self.options.first_byte_timeout, self.options.idle_timeout);
            let sent = poll_fn(|cx| match sending.as_mut().poll(cx) {
                Poll::Ready(sent) => Poll::Ready(Some(sent)),
                Poll::Pending => alarm.poll(cx).map(|()| None),
            });
            match sent.await {
                Some(Ok(response)) => HttpResponse::new(response, alarm, &self.options),
                Some(Err(error)) => Err(HttpError::of(&url.host(), error, Phase::Send)),
                None => Err(HttpError::timeout(&url.host(), Phase::FirstByte)),
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that builds HTTP clients"
)]
fn builder(options: &HttpOptions, tls: rustls::ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(options.connect_timeout)
        // Static: each request clones it, and threads would wait for each other to count.
        .user_agent(HeaderValue::from_static(concat!(
            "gatepass/",
            env!("CARGO_PKG_VERSION")
        )))
}
