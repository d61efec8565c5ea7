//! From a model's name to the backend that answers: the one place that knows all kinds of provider.
//!
//! ```text
//! "corp/my-model" ─► the entry "corp" of the configuration ─► its token source ─► the backend at its base_url
//! "gpt-4o-mini"   ─► OPENAI_API_KEY                        ─► a static token   ─► the backend of api.openai.com
//! "gemini/…"      ─► the login at google                   ─► its refreshed token ─► the backend of the Gemini API
//! ```
//!
//! Which backend speaks which language is in [`backend`](crate::backend).

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
        #[cfg(all(feature = "gemini", feature = "google"))]
        Some(Vendor::Google) if crate::gemini_login::is_meant(config, oauth2_provider) => {
            crate::gemini_login::connect(config, &model)
        }
        #[cfg(any(feature = "anthropic", feature = "gemini", feature = "openai"))]
        Some(vendor) if oauth2_provider.is_none() => crate::api_key::connect(config, &model, vendor),
        Some(_) => Err(ConfigError::invalid(
            "oauth_provider",
            format!(
                "is of no use to the model '{}' in this build",
                gatepass_core::printable(model.name)
            ),
            "enable the features google and gemini, or configure the provider",
        )),
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
        "leave api_key out, or name a vendor's model; for any server that speaks OpenAI's language write openai/MODEL, with base_url",
    ))
}
