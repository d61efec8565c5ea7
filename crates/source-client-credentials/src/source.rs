use crate::provider::Provider;
use async_trait::async_trait;
use gatepass_core::{
    AccessToken, Clock, ConfigError, ProviderName, RefreshToken, SystemClock, TokenError, TokenSource,
};
use gatepass_http::{HttpClient, RetryPolicy};
use gatepass_oauth2::{Discovery, Grant, TokenEndpoint};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// Asks for a token with a client's own credentials (RFC 6749 §4.4), on each call.
///
/// Wrap it in a [`CachedTokenSource`](gatepass_core::CachedTokenSource). Where the entry has a refresh token, it
/// is used first, and a new one that comes with the answer replaces it for as long as this source lives. What
/// becomes of it when the server refuses is told by the server's word (RFC 6749 §5.2):
///
/// - `invalid_grant`, `unsupported_grant_type`, `unauthorized_client`, `invalid_request` (so says oidc-provider to a
///   client without this grant): it is of no use, or not any more; the client's own credentials are used from then on.
/// - `invalid_scope`, `invalid_target`: what was asked for isn't granted this way; the client's own credentials are
///   used for this call, and the refresh token for the next.
/// - Any other, and a refusal without a word, such as a firewall's page: says nothing about the refresh token. It
///   is the caller's error, and the refresh token stays.
pub struct ClientCredentialsSource {
    provider: Provider,
    http: HttpClient,
    retry: RetryPolicy,
    clock: Arc<dyn Clock>,
    /// Known from the start, or found out on the first call.
    endpoint: OnceCell<TokenEndpoint>,
    refresh_token: Mutex<Option<RefreshToken>>,
}

impl ClientCredentialsSource {
    /// A source for this provider. Asks for nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`] for a `ca_file` that can't be used, and for a provider that a person logs in to.
    pub fn new(provider: Provider) -> Result<Self, ConfigError> {
        if provider.grant_type.is_login() {
            let what = "is a person's login: the client's own credentials are of no use";
            let error = ConfigError::invalid("grant_type", what, "use the stored login");
            return Err(error.at(&provider.path, provider.name.as_str()));
        }
        let http = provider.token_http()?;
        let refresh_token = Mutex::new(provider.refresh_token.clone());
        Ok(Self {
            provider,
            http,
            retry: RetryPolicy::tokens(),
            clock: Arc::new(SystemClock),
            endpoint: OnceCell::new(),
            refresh_token,
        })
    }

    /// Sets how failures are tried again.
    #[must_use]
    pub const fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Takes the time from another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The provider's name.
    #[must_use]
    pub const fn name(&self) -> &ProviderName {
        &self.provider.name
    }

    async fn acquire(&self) -> Result<AccessToken, TokenError> {
        let endpoint = self.endpoint.get_or_try_init(|| self.find_endpoint()).await?;
        if let Some(token) = self.refresh_token()
            && let Some(access_token) = self.refresh(endpoint, token).await?
        {
            return Ok(access_token);
        }
        // A refresh token that comes with this grant is not kept: it could do no more (RFC 6749 §4.4.3).
        let grant = Grant::ClientCredentials {
            scopes: self.provider.scopes.clone(),
        };
        let token = endpoint.request(&grant).await?.access_token;
        self.compare_scopes(&token);
        Ok(token)
    }

    /// A token for the refresh token; `None` if the client's own credentials shall be used instead.
    async fn refresh(
        &self,
        endpoint: &TokenEndpoint,
        token: RefreshToken,
    ) -> Result<Option<AccessToken>, TokenError> {
        let grant = Grant::RefreshToken { token: token.clone() };
        let refusal = match endpoint.request(&grant).await {
            Ok(response) => {
                if let Some(rotated) = response.refresh_token {
                    self.keep(rotated);
                }
                return Ok(Some(response.access_token));
            }
            Err(TokenError::Refused(refusal)) => refusal,
            Err(error) => return Err(error),
        };
        let provider = &self.provider.name;
        match refusal.error.as_str() {
            "invalid_grant" | "invalid_request" | "unauthorized_client" | "unsupported_grant_type" => {
                tracing::warn!(%provider, %refusal, "the refresh token of {provider} is of no use any more: {refusal}");
                self.forget(&token);
            }
            "invalid_scope" | "invalid_target" => {
                tracing::warn!(%provider, %refusal, "the refresh token of {provider} is not used for this call: {refusal}");
            }
            _ => return Err(TokenError::Refused(refusal)),
        }
        Ok(None)
    }

    async fn find_endpoint(&self) -> Result<TokenEndpoint, TokenError> {
        let discovery = Discovery::new(self.http.clone())
            .with_retry(self.retry.clone())
            .with_clock(Arc::clone(&self.clock))
            .with_timeout(self.provider.token_timeout());
        let server = self.provider.server(&discovery).await?;
        Ok(self
            .provider
            .endpoint(self.http.clone(), &server)
            .with_retry(self.retry.clone())
            .with_clock(Arc::clone(&self.clock)))
    }

    /// RFC 6749 §5.1: a server that grants something else says so. Some leave out what they don't know.
    fn compare_scopes(&self, token: &AccessToken) {
        let (Some(asked), Some(granted)) = (&self.provider.scopes, token.scopes()) else {
            return;
        };
        let missing: Vec<_> = asked.iter().filter(|scope| !granted.contains(scope)).collect();
        if !missing.is_empty() {
            let (provider, missing) = (&self.provider.name, missing.join(" "));
            tracing::warn!(%provider, missing, "fewer scopes were granted by {provider}: without {missing}");
        }
    }

    fn refresh_token(&self) -> Option<RefreshToken> {
        self.refresh_token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn keep(&self, token: RefreshToken) {
        *self.refresh_token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    /// Unless another call has had it replaced meanwhile.
    fn forget(&self, token: &RefreshToken) {
        let mut kept = self.refresh_token.lock().unwrap_or_else(PoisonError::into_inner);
        kept.take_if(|kept| kept == token);
    }
}

#[async_trait]
impl TokenSource for ClientCredentialsSource {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        self.acquire().await
    }
}

impl fmt::Debug for ClientCredentialsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentialsSource")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}
