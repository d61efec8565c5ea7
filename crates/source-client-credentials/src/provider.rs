use gatepass_core::{ProviderName, RefreshToken, Scopes};
use gatepass_http::{HttpOptions, ServerUrl, Transport};
use gatepass_oauth2::{AuthStyle, Client};
use http::HeaderMap;
use std::path::PathBuf;
use std::time::Duration;

/// A provider's entry, resolved and found valid.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Provider {
    /// Its name.
    pub name: ProviderName,
    /// The file that it stands in.
    pub path: PathBuf,
    /// The client that asks for tokens.
    pub client: Client,
    /// Where tokens are asked for.
    pub token: TokenLocation,
    /// What they shall be good for.
    pub scopes: Option<Scopes>,
    /// A refresh token to use first.
    pub refresh_token: Option<RefreshToken>,
    /// The API that the token is for.
    pub base_url: Option<ServerUrl>,
    /// The audience that the token is for.
    pub audience: Option<String>,
    /// The resource that the token is for, RFC 8707.
    pub resource: Option<String>,
    /// How the client proves who it is.
    pub auth_style: AuthStyle,
    /// How long to wait for an answer to begin.
    pub timeout: Option<Duration>,
    /// Certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether secrets may travel unencrypted.
    pub transport: Transport,
    /// Headers for each call of the model.
    pub headers: HeaderMap,
}

/// Where tokens are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenLocation {
    /// At this token endpoint.
    Url(ServerUrl),
    /// At the endpoint that this issuer's metadata names.
    Issuer(String),
}

impl Provider {
    /// How to speak to this provider's servers.
    #[must_use]
    pub fn http_options(&self) -> HttpOptions {
        let mut options = HttpOptions::default();
        options.first_byte_timeout = self.timeout.unwrap_or(options.first_byte_timeout);
        options.ca_file.clone_from(&self.ca_file);
        options
    }
}
