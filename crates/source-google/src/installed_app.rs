use crate::client_secrets::ClientSecrets;
use crate::scopes::default_scopes;
use gatepass_core::{ConfigError, Scopes};
use gatepass_http::HttpClient;
use gatepass_oauth2::{AuthorizationCodeFlow, AuthorizationHandler, Login, LoginError, TokenEndpoint};
use std::time::Duration;

/// Logs a person in with Google: the flow of an installed application.
///
/// An [`AuthorizationCodeFlow`] that asks for a refresh token each time (`access_type=offline`, `prompt=consent`).
/// The account comes from the ID token, where the server is Google.
#[derive(Debug)]
pub struct InstalledAppFlow {
    inner: AuthorizationCodeFlow,
}

impl InstalledAppFlow {
    /// A login of the client that `secrets` describe, for the [default scopes](default_scopes).
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for a redirect address of a web client that can't be listened on.
    pub fn new(http: HttpClient, secrets: &ClientSecrets) -> Result<Self, ConfigError> {
        Self::at(secrets.endpoint(http).with_name("google"), secrets)
    }

    /// The same with an endpoint of your own making: another retry policy, clock or name.
    ///
    /// # Errors
    /// As [`new`](Self::new); also if the endpoint is not that of `secrets`.
    pub fn at(endpoint: TokenEndpoint, secrets: &ClientSecrets) -> Result<Self, ConfigError> {
        let flow = AuthorizationCodeFlow::new(secrets.server(), endpoint)?
            .with_scopes(default_scopes()?)
            .with_parameter("access_type", "offline")
            .with_parameter("prompt", "consent");
        let inner = match &secrets.redirect {
            Some((path, port)) => flow.with_redirect(path, *port)?,
            None => flow,
        };
        Ok(Self { inner })
    }

    /// Asks for these scopes instead; see [`expand_scopes`](crate::expand_scopes).
    #[must_use]
    pub fn with_scopes(mut self, scopes: Scopes) -> Self {
        self.inner = self.inner.with_scopes(scopes);
        self
    }

    /// Proposes an account: an e-mail address.
    #[must_use]
    pub fn with_login_hint(mut self, account: &str) -> Self {
        self.inner = self.inner.with_parameter("login_hint", account);
        self
    }

    /// Sets how long to wait for the person: 5 min if nothing is said.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.inner = self.inner.with_timeout(timeout);
        self
    }

    /// Logs in; see [`AuthorizationCodeFlow::run`].
    ///
    /// # Errors
    /// [`LoginError`]
    pub async fn run(&self, handler: &impl AuthorizationHandler) -> Result<Login, LoginError> {
        self.inner.run(handler).await
    }
}

/// Says why Google has no device login for models.
#[must_use]
pub fn no_device_login() -> ConfigError {
    ConfigError::invalid(
        "device login",
        "is not possible with Google: its device flow grants no scope that a model accepts",
        "log in with --no-browser: open the address on any machine and paste the one that it leads to",
    )
}
