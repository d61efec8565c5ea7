//! What several commands ask alike.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use gatepass::{ConfigError, LlmConfig, Profile, StoreKind};
use std::path::PathBuf;

/// How a model's server is reached, and as whom.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    #[command(flatten)]
    pub(crate) account: AccountArg,
    #[command(flatten)]
    pub(crate) profile: ProfileArgs,
    /// The address of the API, if the provider's entry has none
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Send an API key there unencrypted: you trust the network between
    #[arg(long, requires = "base_url")]
    pub(crate) allow_http: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArg {
    /// The configuration, if not ./litellm_config.json and ./gatepass.toml
    #[arg(long = "config", value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ProviderArg {
    /// google, or a configured provider
    #[arg(id = "provider", long, value_name = "NAME", default_value = "google")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct AccountArg {
    /// Whose login, if there are several
    #[arg(id = "account", long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct StoreArg {
    /// Where logins are kept
    #[arg(long = "store", value_name = "STORE", value_parser = store_kind())]
    pub(crate) kind: Option<StoreKind>,
}

#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    /// Google's client_secrets.json, if it is elsewhere
    #[arg(long, value_name = "PATH")]
    pub(crate) client_secrets: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArg,
}

impl ConnectionArgs {
    /// The configuration of a model's calls.
    pub(crate) fn config(&self, model: impl Into<String>) -> Result<LlmConfig, ConfigError> {
        let mut config = LlmConfig::new(model);
        config.config_path.clone_from(&self.config.path);
        config.account.clone_from(&self.account.name);
        config.profile = self.profile.profile_if_named()?;
        config.base_url.clone_from(&self.base_url);
        config.allow_http = self.allow_http;
        Ok(config)
    }
}

impl StoreArg {
    /// The user's profile, with this store.
    pub(crate) fn profile(&self) -> Result<Profile, ConfigError> {
        let profile = Profile::from_environment()?;
        Ok(match self.kind {
            Some(kind) => profile.with_store(kind),
            None => profile,
        })
    }
}

impl ProfileArgs {
    /// The user's profile, with what was said otherwise.
    pub(crate) fn profile(&self) -> Result<Profile, ConfigError> {
        let profile = self.store.profile()?;
        Ok(match &self.client_secrets {
            Some(path) => profile.with_client_secrets(path),
            None => profile,
        })
    }

    /// As [`profile`](Self::profile); `None` if nothing was said, for who may need none.
    pub(crate) fn profile_if_named(&self) -> Result<Option<Profile>, ConfigError> {
        match (&self.client_secrets, self.store.kind) {
            (None, None) => Ok(None),
            _ => self.profile().map(Some),
        }
    }
}

fn store_kind() -> impl TypedValueParser<Value = StoreKind> {
    PossibleValuesParser::new([StoreKind::File, StoreKind::Keyring].map(StoreKind::as_str))
        .try_map(|name| StoreKind::parse(&name))
}
