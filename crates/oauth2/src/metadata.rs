mod document;

pub(crate) use document::FIX;

use crate::client::{AuthStyle, Client};
use crate::endpoint::TokenEndpoint;
use gatepass_core::ConfigError;
use gatepass_http::{HttpClient, ServerUrl, Transport};

/// What an authorization server says of itself (RFC 8414, OpenID Connect Discovery), or what was configured by hand;
/// as far as it is used.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Metadata {
    /// The issuer: exactly as it calls itself.
    pub issuer: Option<String>,
    /// The token endpoint.
    pub token_endpoint: ServerUrl,
    /// How clients prove who they are there, where it says so.
    pub auth_style: AuthStyle,
    /// Where a person logs in.
    pub authorization_endpoint: Option<ServerUrl>,
    /// Where a device login begins, RFC 8628.
    pub device_authorization_endpoint: Option<ServerUrl>,
    /// Where tokens are revoked, RFC 7009.
    pub revocation_endpoint: Option<ServerUrl>,
    /// Whether it knows the PKCE method `S256` (RFC 7636): as its document says, or taken for granted where there
    /// is none.
    pub supports_s256: bool,
    /// Whether its authorization responses name the issuer, RFC 9207.
    pub sends_issuer: bool,
}

impl Metadata {
    /// A server that publishes no document: its token endpoint, and nothing else yet. It is believed to know PKCE.
    #[must_use]
    pub const fn new(token_endpoint: ServerUrl) -> Self {
        Self {
            issuer: None,
            token_endpoint,
            auth_style: AuthStyle::Auto,
            authorization_endpoint: None,
            device_authorization_endpoint: None,
            revocation_endpoint: None,
            supports_s256: true,
            sends_issuer: false,
        }
    }

    /// Sets the issuer.
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets how clients prove who they are.
    #[must_use]
    pub const fn with_auth_style(mut self, style: AuthStyle) -> Self {
        self.auth_style = style;
        self
    }

    /// Sets where a person logs in.
    #[must_use]
    pub fn with_authorization_endpoint(mut self, url: ServerUrl) -> Self {
        self.authorization_endpoint = Some(url);
        self
    }

    /// Sets where a device login begins.
    #[must_use]
    pub fn with_device_authorization_endpoint(mut self, url: ServerUrl) -> Self {
        self.device_authorization_endpoint = Some(url);
        self
    }

    /// Sets where tokens are revoked.
    #[must_use]
    pub fn with_revocation_endpoint(mut self, url: ServerUrl) -> Self {
        self.revocation_endpoint = Some(url);
        self
    }

    /// Believes that the server knows the PKCE method `S256` although its document doesn't say so.
    #[must_use]
    pub const fn with_s256(mut self) -> Self {
        self.supports_s256 = true;
        self
    }

    /// The token endpoint, asked by `client`.
    #[must_use]
    pub fn endpoint(&self, http: HttpClient, client: Client) -> TokenEndpoint {
        TokenEndpoint::new(http, self.token_endpoint.clone(), client).with_auth_style(self.auth_style)
    }

    /// The address of an issuer: no query, no fragment (RFC 8414 §2).
    ///
    /// # Errors
    /// [`ConfigError::Invalid`], never with the address itself.
    pub fn issuer_url(issuer: &str, transport: Transport) -> Result<ServerUrl, ConfigError> {
        if issuer.contains('?') {
            let fix = "remove the '?' and what follows";
            return Err(ConfigError::invalid("issuer", "contains a query", fix));
        }
        ServerUrl::parse(issuer, "issuer", transport)
    }
}
