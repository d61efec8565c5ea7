use crate::profile::Profile;
use gatepass_core::{ConfigError, SecretString};
use std::path::PathBuf;

/// Which model to call, with which credential, and how it shall answer.
///
/// ```
/// use gatepass::LlmConfig;
///
/// let config = LlmConfig::new("corp/my-model").with_temperature(0.7).with_max_tokens(200);
/// # drop(config);
/// ```
///
/// Who knows such a configuration as `auth_type: oauth2` with `oauth_provider: "google"` writes `with_oauth2("google")`:
/// the two are one value here, [`AuthType::OAuth2 { provider }`](AuthType::OAuth2), so that neither can be forgotten.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LlmConfig {
    /// `PROVIDER/NAME` for a configured provider, or a name that tells its vendor (`gpt-4o-mini`).
    pub model: String,
    /// Which kind of credential.
    pub auth_type: AuthType,
    /// An API key, instead of the vendor's environment variable.
    pub api_key: Option<SecretString>,
    /// The file that providers are looked up in, instead of `./litellm_config.json` and `./gatepass.toml`.
    pub config_path: Option<PathBuf>,
    /// Whose login, at a provider that people log in to; the only one if nothing is said.
    pub account: Option<String>,
    /// Where logins are, instead of the user's own profile.
    pub profile: Option<Profile>,
    /// The address of the API, where the provider's entry doesn't name one.
    pub base_url: Option<String>,
    /// Whether the API key may travel unencrypted to a [`base_url`](Self::base_url) on another machine.
    pub allow_http: bool,
    /// Randomness, from 0.
    pub temperature: Option<f64>,
    /// The most tokens that an answer may have.
    pub max_tokens: Option<u32>,
    /// Nucleus sampling, from 0 to 1.
    pub top_p: Option<f64>,
}

/// Which kind of credential.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthType {
    /// The model's provider, if it is configured; else the vendor's API key; else, for Gemini, the login at Google.
    #[default]
    ApiKey,
    /// An OAuth2 token of this provider.
    OAuth2 {
        /// The provider.
        provider: String,
    },
}

impl LlmConfig {
    /// Calls this model, with the provider's own defaults.
    pub fn new(model: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            auth_type: AuthType::default(),
            api_key: None,
            config_path: None,
            account: None,
            profile: None,
            base_url: None,
            allow_http: false,
            temperature: None,
            max_tokens: None,
            top_p: None,
        }
    }

    /// Uses an OAuth2 token of `provider`.
    #[must_use]
    pub fn with_oauth2(mut self, provider: impl Into<String>) -> Self {
        self.auth_type = AuthType::OAuth2 {
            provider: provider.into(),
        };
        self
    }

    /// Uses this API key instead of the vendor's environment variable.
    #[must_use]
    pub fn with_api_key(mut self, key: impl Into<SecretString>) -> Self {
        self.api_key = Some(key.into());
        self
    }

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

    /// Sets the address of the API, where the provider's entry doesn't name one.
    #[must_use]
    pub fn with_base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Lets the API key travel unencrypted to another machine: for a model's server in a network that you trust, say
    /// `http://vllm:8000/v1` between containers. A configured provider has `allow_http` in its entry, and a login's token is
    /// never sent so.
    #[must_use]
    pub const fn with_allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Sets the randomness, from 0.
    #[must_use]
    pub const fn with_temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Sets the most tokens that an answer may have.
    #[must_use]
    pub const fn with_max_tokens(mut self, max_tokens: u32) -> Self {
        self.max_tokens = Some(max_tokens);
        self
    }

    /// Sets nucleus sampling, from 0 to 1.
    #[must_use]
    pub const fn with_top_p(mut self, top_p: f64) -> Self {
        self.top_p = Some(top_p);
        self
    }

    /// The OAuth2 provider that was asked for.
    pub(crate) fn oauth2_provider(&self) -> Result<Option<&str>, ConfigError> {
        match &self.auth_type {
            AuthType::OAuth2 { provider } if provider.is_empty() => Err(ConfigError::invalid(
                "oauth_provider",
                "must be specified when auth_type is oauth2",
                "name the provider: with_oauth2(\"google\")",
            )),
            AuthType::OAuth2 { provider } => Ok(Some(provider)),
            AuthType::ApiKey => Ok(None),
        }
    }
}
