//! Providers of a configuration file: OAuth2 client credentials, and those that a person logs in to.

use crate::config::LlmConfig;
#[cfg(any(feature = "anthropic", feature = "gemini", feature = "openai"))]
use crate::configured_backend::backend_of;
use crate::connect::Connection;
use crate::model::Model;
use crate::profile::Profile;
use crate::shared::Shared;
use gatepass_client_credentials::{ClientCredentialsSource, Provider, Providers};
use gatepass_core::{CachedTokenSource, ConfigError, TokenSource};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// All who use one provider share one source, whatever they are called.
static SOURCES: Shared<Provider, Arc<dyn TokenSource>> = Shared::new();

/// Where the credential of a provider is looked for.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TokenSourceOptions {
    /// The file that providers are looked up in, instead of `./litellm_config.json` and `./gatepass.toml`.
    pub config_path: Option<PathBuf>,
    /// Whose login, at a provider that people log in to; the only one if nothing is said.
    pub account: Option<String>,
    /// Where logins are, instead of the user's own profile.
    pub profile: Option<Profile>,
}

/// The token source of a provider, shared by all in this process who use it.
///
/// The provider is looked up in `config_path`, or in `./litellm_config.json` and `./gatepass.toml`; else it is
/// `google`, with the login of the user's own profile. Tokens are cached; see [`CachedTokenSource`].
///
/// # Errors
/// [`ConfigError`] for a file, or an entry, that can't be used, and for an unknown provider.
pub fn token_source(provider: &str, config_path: Option<&Path>) -> Result<Arc<dyn TokenSource>, ConfigError> {
    let options = TokenSourceOptions {
        config_path: config_path.map(Path::to_owned),
        ..TokenSourceOptions::default()
    };
    token_source_with(provider, &options)
}

/// As [`token_source`], with the login of an account, or of another profile.
///
/// # Errors
/// As [`token_source`].
pub fn token_source_with(
    provider: &str,
    options: &TokenSourceOptions,
) -> Result<Arc<dyn TokenSource>, ConfigError> {
    let providers = providers(options.config_path.as_deref())?;
    let whose = Whose {
        account: options.account.clone(),
        profile: options.profile.clone(),
    };
    match providers.find(provider)? {
        Some(provider) => source_of(provider, &whose),
        #[cfg(feature = "google")]
        None if provider == "google" => {
            providers.warn_of_broken_files();
            let profile = whose.profile()?;
            let google = crate::login::LoginProvider::google(&profile)?;
            crate::logged_in::logged_in_source(&google, &profile, whose.account.as_deref())
        }
        #[cfg(not(feature = "google"))]
        None if provider == "google" => Err(ConfigError::invalid(
            "oauth_provider",
            "google is none that this build can log in to",
            "enable the feature google, or configure the provider",
        )),
        None => Err(providers.unknown(provider)),
    }
}

/// Whose login is meant, where a person logs in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Whose {
    account: Option<String>,
    profile: Option<Profile>,
}

/// The connection to a configured provider; `None` if the model is to be looked for elsewhere.
pub(crate) fn connect(
    config: &LlmConfig,
    model: &Model<'_>,
    oauth2_provider: Option<&str>,
) -> Result<Option<Connection>, ConfigError> {
    let Some(name) = oauth2_provider.or(model.provider) else {
        return Ok(None);
    };
    let providers = providers(config.config_path.as_deref())?;
    // Only a file that was named has the last word on what `openai/…` means.
    let elsewhere = oauth2_provider.is_none() && model.vendor().is_some() && !providers.is_named();
    let provider = match providers.find(name)? {
        Some(provider) => provider,
        None if elsewhere || oauth2_provider == Some("google") => {
            providers.warn_of_broken_files();
            return Ok(None);
        }
        None => return Err(providers.unknown(name)),
    };
    let model_name = match model.provider {
        Some(prefix) if prefix != name => config.model.as_str(),
        _ => model.name,
    };
    let whose = Whose {
        account: config.account.clone(),
        profile: config.profile.clone(),
    };
    Ok(Some((
        backend_of(provider, config.base_url.as_deref(), whose)?,
        model_name.to_owned(),
    )))
}

pub(crate) fn providers(path: Option<&Path>) -> Result<Providers, ConfigError> {
    path.map_or_else(|| Ok(Providers::discover(Path::new(""))), Providers::read)
}

pub(crate) fn source_of(provider: Provider, whose: &Whose) -> Result<Arc<dyn TokenSource>, ConfigError> {
    if provider.grant_type.is_login() {
        return login_of(&provider, whose);
    }
    let name = format!("{} in {}", provider.name, provider.path.display());
    SOURCES.get_or_make(name, provider, |provider| {
        Ok(Arc::new(CachedTokenSource::new(ClientCredentialsSource::new(
            provider.clone(),
        )?)))
    })
}

#[cfg(feature = "login")]
fn login_of(provider: &Provider, whose: &Whose) -> Result<Arc<dyn TokenSource>, ConfigError> {
    let provider = crate::login::LoginProvider::configured(provider.clone())?;
    crate::logged_in::logged_in_source(&provider, &whose.profile()?, whose.account.as_deref())
}

#[cfg(not(feature = "login"))]
fn login_of(provider: &Provider, _: &Whose) -> Result<Arc<dyn TokenSource>, ConfigError> {
    let what = "is a person's login, which this build doesn't have";
    let error = ConfigError::invalid("grant_type", what, "enable the feature login");
    Err(error.at(&provider.path, provider.name.as_str()))
}

impl TokenSourceOptions {
    /// Looks providers up in this file.
    #[must_use]
    pub fn with_config_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.config_path = Some(path.into());
        self
    }

    /// Uses the login of this account.
    #[must_use]
    pub fn with_account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// Looks logins up in this profile.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }
}

impl Whose {
    #[cfg(feature = "login")]
    fn profile(&self) -> Result<Profile, ConfigError> {
        self.profile.clone().map_or_else(Profile::from_environment, Ok)
    }
}

/// What a build without any backend says.
#[cfg(not(any(feature = "anthropic", feature = "gemini", feature = "openai")))]
fn backend_of(
    _: Provider,
    _: Option<&str>,
    _: Whose,
) -> Result<Arc<dyn gatepass_core::LlmBackend>, ConfigError> {
    Err(ConfigError::invalid(
        "model:",
        "this build can't call configured providers",
        "enable the feature openai, gemini or anthropic",
    ))
}
