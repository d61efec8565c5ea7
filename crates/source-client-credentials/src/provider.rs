use gatepass_core::{ConfigError, ProviderName, RefreshToken, Scopes, TokenError};
use gatepass_http::{HttpClient, HttpOptions, ServerUrl, Transport};
use gatepass_oauth2::{AuthStyle, Client, Discovery, Metadata, TokenEndpoint};
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
    /// By which grant a token is had: whether a person logs in.
    pub grant_type: GrantType,
    /// The client that asks for tokens.
    pub client: Client,
    /// Where tokens are asked for.
    pub token: TokenLocation,
    /// Where a person logs in, if the issuer doesn't tell.
    pub authorization_url: Option<ServerUrl>,
    /// Where a device login begins, if the issuer doesn't tell.
    pub device_authorization_url: Option<ServerUrl>,
    /// Where a login is ended, if the issuer doesn't tell.
    pub revocation_url: Option<ServerUrl>,
    /// The one redirect address that the server knows, on this machine: its path and its port.
    pub redirect: Option<(String, u16)>,
    /// What they shall be good for.
    pub scopes: Option<Scopes>,
    /// A refresh token to use first.
    pub refresh_token: Option<RefreshToken>,
    /// The API that the token is for.
    pub base_url: Option<ServerUrl>,
    /// Which language that API speaks.
    pub api: Api,
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

/// Which language an API speaks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Api {
    /// OpenAI's chat completions, as most gateways do.
    #[default]
    OpenAi,
    /// OpenAI's Responses.
    OpenAiResponses,
    /// The deployments of an Azure resource, which `base_url` names. Azure's undated API is [`OpenAi`](Self::OpenAi), or
    /// [`OpenAiResponses`](Self::OpenAiResponses).
    Azure {
        /// The version of its API: a date, `2024-10-21` say.
        api_version: String,
    },
    /// The Gemini API.
    Gemini,
    /// Vertex AI: at Google's own address of the location, unless `base_url` names another server.
    Vertex {
        /// The id of the project.
        project: String,
        /// A region (`europe-west4`), `us`, `eu` or `global`.
        location: String,
    },
    /// Anthropic's Messages.
    Anthropic,
}

/// By which grant a token is had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum GrantType {
    /// The client's own credentials, RFC 6749 §4.4: nobody logs in.
    #[default]
    ClientCredentials,
    /// A person logs in by a browser, RFC 6749 §4.1.
    AuthorizationCode,
    /// A person logs in on another device, RFC 8628.
    DeviceCode,
}

impl GrantType {
    /// Reads `client_credentials`, `authorization_code` or `device_code`; also RFC 8628's own name for the last.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for any other text.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        match text {
            "client_credentials" => Ok(Self::ClientCredentials),
            "authorization_code" => Ok(Self::AuthorizationCode),
            "device_code" | "urn:ietf:params:oauth:grant-type:device_code" => Ok(Self::DeviceCode),
            _ => Err(ConfigError::invalid(
                "grant_type",
                "is not known",
                "write client_credentials, authorization_code or device_code",
            )),
        }
    }

    /// Whether a person logs in.
    #[must_use]
    pub const fn is_login(self) -> bool {
        !matches!(self, Self::ClientCredentials)
    }
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

    /// The longest that a whole token request, or finding the token endpoint, may take.
    #[must_use]
    pub fn token_timeout(&self) -> Duration {
        self.timeout.unwrap_or(Duration::from_secs(30))
    }

    /// The client for its authorization server.
    ///
    /// # Errors
    /// [`ConfigError`] for a `ca_file` that can't be used.
    pub fn token_http(&self) -> Result<HttpClient, ConfigError> {
        let options = self.http_options();
        HttpClient::new(options.with_first_byte_timeout(self.token_timeout()))
            .map_err(|error| error.at(&self.path, self.name.as_str()))
    }

    /// What is known of its authorization server. An issuer is asked by `discovery`; what the entry itself says is
    /// believed first.
    ///
    /// # Errors
    /// As [`Discovery::metadata`], with the place of the entry.
    pub async fn server(&self, discovery: &Discovery) -> Result<Metadata, TokenError> {
        let mut server = match &self.token {
            TokenLocation::Url(url) => Metadata::new(url.clone()),
            TokenLocation::Issuer(issuer) => match discovery.metadata(issuer, self.transport).await {
                // A problem of the configuration that only its server could tell.
                Err(TokenError::Config(error)) => {
                    return Err(error.at(&self.path, self.name.as_str()).into());
                }
                found => found?,
            },
        };
        if self.auth_style != AuthStyle::Auto {
            server.auth_style = self.auth_style;
        }
        for (ours, theirs) in [
            (&self.authorization_url, &mut server.authorization_endpoint),
            (
                &self.device_authorization_url,
                &mut server.device_authorization_endpoint,
            ),
            (&self.revocation_url, &mut server.revocation_endpoint),
        ] {
            *theirs = ours.clone().or_else(|| theirs.take());
        }
        Ok(server)
    }

    /// The token endpoint of that server, with all that the entry says of its use.
    #[must_use]
    pub fn endpoint(&self, http: HttpClient, server: &Metadata) -> TokenEndpoint {
        let mut endpoint = server
            .endpoint(http, self.client.clone())
            .with_name(self.name.as_str())
            .with_timeout(self.token_timeout());
        if let Some(audience) = &self.audience {
            endpoint = endpoint.with_audience(audience);
        }
        if let Some(resource) = &self.resource {
            endpoint = endpoint.with_resource(resource);
        }
        endpoint
    }
}

/// Path and port of a redirect address on this machine. Servers compare it as text, so it has to be the very one that
/// is listened on.
pub(crate) fn redirect(text: &str) -> Result<(String, u16), ConfigError> {
    let parts = text
        .strip_prefix("http://127.0.0.1:")
        .and_then(|rest| rest.split_once('/'))
        .and_then(|(port, path)| Some((format!("/{path}"), port.parse().ok()?)));
    parts.filter(|(_, port)| *port != 0).ok_or_else(|| {
        ConfigError::invalid(
            "redirect_uri",
            "is not an address that can be listened on",
            "write http://127.0.0.1:PORT/PATH, as it is registered at the server",
        )
    })
}
