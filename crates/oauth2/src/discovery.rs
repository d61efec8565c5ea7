use crate::endpoint::BODY_LIMIT;
use crate::metadata::{FIX, Metadata};
use crate::patience::Patience;
use crate::verdict::{is_transient, network_error, unavailable};
use gatepass_core::{Clock, ConfigError, SystemClock, TokenError};
use gatepass_http::{HttpClient, HttpRequest, RetryPolicy, ServerUrl, Transport, retry_after};
use http::{HeaderValue, header};
use std::sync::Arc;
use std::time::Duration;

/// Asks authorization servers what they say of themselves (RFC 8414, OpenID Connect Discovery).
///
/// Transient failures are tried again as those of token requests are, within 30 s in all. Nothing is cached.
#[derive(Debug, Clone)]
pub struct Discovery {
    http: HttpClient,
    patience: Patience,
    clock: Arc<dyn Clock>,
}

impl Discovery {
    /// Asks with this client.
    #[must_use]
    pub fn new(http: HttpClient) -> Self {
        Self {
            http,
            patience: Patience::default(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Sets how failures are tried again.
    #[must_use]
    pub const fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.patience.retry = retry;
        self
    }

    /// Sets the time that finding a document may take, all places and retries included.
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

    /// Asks the server that `issuer` names, at the place of RFC 8414 §3.1 first and at OpenID Connect's then.
    ///
    /// The document's `issuer` must be the very text that was asked for (RFC 8414 §3.3). No redirect is followed.
    ///
    /// A document may send us to this machine, into a private network or to a cloud's metadata service only on the
    /// issuer's own origin, which somebody has configured: any other server must not direct our requests there.
    /// That goes for addresses as they are written, and for what names resolve to when a connection is made: those
    /// of other origins then lead outside only. An issuer that is inside itself may name others inside. Where a
    /// proxy is used, the proxy looks names up.
    ///
    /// # Errors
    /// [`TokenError::Config`] if there is no such document, if it names another issuer or an unsafe endpoint;
    /// [`TokenError::Unavailable`] and [`TokenError::Untrusted`] if the server can't be asked.
    pub async fn metadata(&self, issuer: &str, transport: Transport) -> Result<Metadata, TokenError> {
        let url = Metadata::issuer_url(issuer, transport)?;
        let host = url.host();
        let what = format!("metadata document of {host}");
        self.patience
            .run(&what, &host, || self.attempt(issuer, &url, transport))
            .await
    }

    async fn attempt(
        &self,
        issuer: &str,
        url: &ServerUrl,
        transport: Transport,
    ) -> Result<Metadata, TokenError> {
        for place in places(url) {
            let Some(found) = self.fetch(place).await? else {
                continue;
            };
            if let Some(metadata) = Metadata::read(&found.body, issuer, url, transport)? {
                return Ok(match found.is_from_inside {
                    true => metadata,
                    false => metadata.outside(url),
                });
            }
        }
        let what = format!("has no metadata document at {}", url.host());
        Err(ConfigError::invalid("issuer", what, FIX).into())
    }

    /// The document; `None` if there is none at this place.
    async fn fetch(&self, place: ServerUrl) -> Result<Option<Found>, TokenError> {
        let request = HttpRequest::get(place.clone())
            .with_header(header::ACCEPT, HeaderValue::from_static("application/json"));
        let failed = |error| match network_error(&place, error) {
            TokenError::Malformed { what } => {
                let what = format!("has a metadata document that can't be read: {what}");
                ConfigError::invalid("issuer", what, FIX).into()
            }
            error => error,
        };
        let mut response = self.http.send(request).await.map_err(failed)?;
        let status = response.status();
        if is_transient(status, "") {
            let what = format!("status {} for its metadata document", status.as_u16());
            let pause = retry_after(response.headers(), self.clock.now().wall_time());
            return Err(unavailable(&place.host(), what, pause));
        }
        if !status.is_success() {
            return Ok(None);
        }
        let body = response.read(BODY_LIMIT).await.map_err(failed)?;
        Ok(Some(Found {
            body: body.to_vec(),
            is_from_inside: response.is_from_inside(),
        }))
    }
}

/// A document, and whether it came from a server inside: such a one may lead inside.
struct Found {
    body: Vec<u8>,
    is_from_inside: bool,
}

/// RFC 8414 §3.1 inserts the well-known part before the issuer's path; OpenID Connect appends it. Without a path,
/// that is the same.
fn places(issuer: &ServerUrl) -> Vec<ServerUrl> {
    let path = issuer.path().trim_end_matches('/');
    let mut places = vec![
        issuer.with_path(&format!("/.well-known/oauth-authorization-server{path}")),
        issuer.with_path(&format!("{path}/.well-known/openid-configuration")),
        issuer.with_path(&format!("/.well-known/openid-configuration{path}")),
    ];
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> ServerUrl {
        ServerUrl::parse(text, "issuer", Transport::Encrypted).unwrap()
    }

    #[test]
    fn the_document_is_looked_for_where_the_standards_say() {
        let of = |issuer: &str| {
            let places = places(&url(issuer));
            places
                .iter()
                .map(|place| place.as_str().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            of("https://as.example/tenant/"),
            [
                "https://as.example/.well-known/oauth-authorization-server/tenant",
                "https://as.example/tenant/.well-known/openid-configuration",
                "https://as.example/.well-known/openid-configuration/tenant",
            ]
        );
        for issuer in ["https://as.example", "https://as.example/"] {
            assert_eq!(
                of(issuer),
                [
                    "https://as.example/.well-known/oauth-authorization-server",
                    "https://as.example/.well-known/openid-configuration",
                ],
                "no place twice"
            );
        }
    }
}
