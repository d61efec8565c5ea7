//! A stored login as a token source.

use crate::login::LoginProvider;
use crate::profile::Profile;
use crate::shared::Shared;
use gatepass_core::{
    AccessToken, CachedTokenSource, ConfigError, CredentialKey, ProviderName, StoreError, TokenError,
    TokenSource, async_trait,
};
use gatepass_oauth2::RefreshTokenSource;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Whose login, and where it is.
type Settings = (LoginProvider, Profile, Option<String>);

/// All who use one login share one source: one token, one refresh.
static SOURCES: Shared<Settings, LoggedIn> = Shared::new();

#[derive(Clone)]
struct LoggedIn {
    cached: Arc<dyn TokenSource>,
    source: Arc<LoggedInSource>,
}

/// The token source of a person's login at `provider`, shared by all in this process who use it.
///
/// Nobody need be logged in yet: that shows when a token is asked for, as
/// [`LoginRequired`](TokenError::LoginRequired). Without an `account`, the one that is logged in is used; several are
/// an error then. A login is refreshed where it was issued; see [`RefreshTokenSource`].
///
/// # Errors
/// [`ConfigError::Invalid`] for an account that can't be a name.
pub fn logged_in_source(
    provider: &LoginProvider,
    profile: &Profile,
    account: Option<&str>,
) -> Result<Arc<dyn TokenSource>, ConfigError> {
    if let Some(account) = account {
        CredentialKey::new(provider.name().clone()).with_account(account)?;
    }
    let settings = (provider.clone(), profile.clone(), account.map(str::to_owned));
    let name = format!("{} {account:?} in {profile:?}", provider.name());
    let shared = SOURCES.get_or_make(name, settings, |settings| {
        let source = Arc::new(LoggedInSource::new(settings.clone()));
        Ok(LoggedIn {
            cached: Arc::new(CachedTokenSource::new(Arc::clone(&source))),
            source,
        })
    })?;
    Ok(shared.cached)
}

/// Waits for every refresh of a login that is under way in this process, and saves what could not be saved before.
///
/// For a program that is about to end: a refresh token that has been replaced and not saved is lost with it.
///
/// # Errors
/// The first [`StoreError`]; all logins were tried.
pub async fn persist_logins() -> Result<(), StoreError> {
    let mut outcome = Ok(());
    for shared in SOURCES.values() {
        if let Some(source) = shared.source.inner.get() {
            outcome = outcome.and(source.persist().await);
        }
    }
    outcome
}

impl Profile {
    /// Which login is meant: that of `account`, else the only one at `provider`.
    ///
    /// # Errors
    /// [`TokenError::LoginRequired`] if there is none, [`TokenError::Config`] if there are several,
    /// [`TokenError::Store`].
    pub async fn login(
        &self,
        provider: &ProviderName,
        account: Option<&str>,
    ) -> Result<CredentialKey, TokenError> {
        if let Some(account) = account {
            return Ok(CredentialKey::new(provider.clone()).with_account(account)?);
        }
        let mut logins = self.logins(provider).await?;
        match (logins.pop(), logins.is_empty()) {
            (Some(only), true) => Ok(only),
            (None, _) => Err(TokenError::LoginRequired {
                provider: provider.to_string(),
                account: None,
                source: None,
            }),
            (Some(last), false) => {
                logins.push(last);
                let accounts: Vec<_> = logins.iter().map(CredentialKey::account).collect();
                let what = format!("must be chosen: {provider} has {}", accounts.join(", "));
                Err(ConfigError::invalid("account", what, "name one of them: --account NAME").into())
            }
        }
    }
}

struct LoggedInSource {
    provider: LoginProvider,
    profile: Profile,
    account: Option<String>,
    /// Known since the first call that found a login: from then on it is that one.
    inner: OnceCell<RefreshTokenSource>,
}

impl LoggedInSource {
    fn new((provider, profile, account): Settings) -> Self {
        Self {
            provider,
            profile,
            account,
            inner: OnceCell::new(),
        }
    }

    async fn find(&self) -> Result<RefreshTokenSource, TokenError> {
        let (name, account) = (self.provider.name(), self.account.as_deref());
        let key = self.profile.login(name, account).await?;
        let endpoint = self.provider.endpoint().await?;
        Ok(RefreshTokenSource::new(endpoint, self.profile.store()?, key))
    }
}

#[async_trait]
impl TokenSource for LoggedInSource {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        let source = self.inner.get_or_try_init(|| self.find()).await?;
        let token = source.token().await;
        token.map_err(|error| self.provider.in_its_words(error))
    }

    fn reject(&self, token: &AccessToken) {
        if let Some(inner) = self.inner.get() {
            inner.reject(token);
        }
    }
}
