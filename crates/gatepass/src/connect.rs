//! From a model's name to the backend that answers: the one place that knows all kinds of provider.
//!
//! ```text
//! "corp/my-model" ─► the entry "corp" of the configuration ─► its token source ─► the backend at its base_url
//! "gpt-4o-mini"   ─► OPENAI_API_KEY                        ─► a static token   ─► the backend of api.openai.com
//! ```

use crate::config::LlmConfig;
use crate::model::{Model, Vendor};
use gatepass_core::{ConfigError, LlmBackend};
use std::sync::Arc;

/// A backend, and the model's name as that backend knows it.
pub(crate) type Connection = (Arc<dyn LlmBackend>, String);

/// Connects what `config` names. Asks no server yet.
pub(crate) fn connect(config: &LlmConfig) -> Result<Connection, ConfigError> {
    let model = Model::parse(&config.model)?;
    let oauth2_provider = config.oauth2_provider()?;
    refuse_strangers_token(&model, oauth2_provider)?;

    // Who names a key means that key, whatever a file in the working directory says.
    if config.api_key.is_some() {
        refuse_two_credentials(&model, oauth2_provider)?;
    }
    #[cfg(feature = "client-credentials")]
    if config.api_key.is_none()
        && let Some(connection) = crate::configured::connect(config, &model, oauth2_provider)?
    {
        return Ok(connection);
    }
    match model.vendor() {
        #[cfg(feature = "openai")]
        Some(Vendor::OpenAi) if oauth2_provider.is_none() => crate::api_key::openai(config, &model),
        // Gemini with a person's login: `logged_in_source(&LoginProvider::google(&profile)?, …)` is its token source,
        // `profile.client_secrets()?.quota_project()` the project that its calls count against.
        Some(vendor) => Err(unsupported(vendor)),
        None => Err(ConfigError::invalid(
            "model:",
            format!("'{}' names no provider", gatepass_core::printable(&config.model)),
            "write PROVIDER/NAME for a configured provider, or openai/NAME",
        )),
    }
}

/// A model of one vendor never gets another vendor's token.
fn refuse_strangers_token(model: &Model<'_>, oauth2_provider: Option<&str>) -> Result<(), ConfigError> {
    let (Some("google"), vendor) = (oauth2_provider, model.vendor()) else {
        return Ok(());
    };
    if vendor == Some(Vendor::Google) {
        return Ok(());
    }
    Err(ConfigError::invalid(
        "oauth_provider",
        format!(
            "google has no token for the model '{}'",
            gatepass_core::printable(model.name)
        ),
        "use a Gemini model, or the provider that serves this one",
    ))
}

fn refuse_two_credentials(model: &Model<'_>, oauth2_provider: Option<&str>) -> Result<(), ConfigError> {
    if oauth2_provider.is_none() && model.vendor().is_some() {
        return Ok(());
    }
    Err(ConfigError::invalid(
        "api_key",
        "is of no use to a configured provider, which has its own credential",
        "leave api_key out, or name a vendor's model",
    ))
}

fn unsupported(vendor: Vendor) -> ConfigError {
    let (name, fix) = match vendor {
        Vendor::OpenAi => (
            "OpenAI",
            "enable the feature openai, or configure the OAuth2 provider",
        ),
        Vendor::Google => (
            "Gemini",
            "configure an OpenAI-compatible gateway as PROVIDER/NAME",
        ),
        Vendor::Anthropic => (
            "Claude",
            "configure an OpenAI-compatible gateway as PROVIDER/NAME",
        ),
    };
    ConfigError::invalid("model:", format!("this build can't call {name} models"), fix)
}
