//! Vendors that are called with an API key.

use crate::config::LlmConfig;
use crate::connect::Connection;
use crate::model::Model;
use crate::shared::Shared;
use gatepass_core::{AccessToken, ConfigError, ExposeSecret, LlmBackend, SecretString, StaticTokenSource};
use gatepass_http::{HttpClient, HttpOptions, ServerUrl, Transport};
use gatepass_openai::OpenAiBackend;
use std::sync::Arc;

/// The settings of a backend: where, and with which key.
type Settings = (ServerUrl, AccessToken);

static BACKENDS: Shared<Settings, Arc<dyn LlmBackend>> = Shared::new();

/// OpenAI, or the server at `base_url`, with `OPENAI_API_KEY`.
pub(crate) fn openai(config: &LlmConfig, model: &Model<'_>) -> Result<Connection, ConfigError> {
    let key = api_key(config, "OPENAI_API_KEY")?;
    let base_url = config.base_url.as_deref().unwrap_or("https://api.openai.com/v1");
    let base_url = ServerUrl::parse(base_url, "base_url", Transport::Encrypted)?;
    let name = format!("openai at {base_url}");
    let backend = BACKENDS.get_or_make(name, (base_url, key), |(base_url, key)| {
        let source = Arc::new(StaticTokenSource::new(key.clone()));
        let http = HttpClient::new(HttpOptions::default())?;
        Ok(Arc::new(OpenAiBackend::with_http(http, base_url.clone(), source)))
    })?;
    Ok((backend, model.name.to_owned()))
}

fn api_key(config: &LlmConfig, variable: &str) -> Result<AccessToken, ConfigError> {
    let (key, place) = match &config.api_key {
        Some(key) => (key.clone(), "api_key"),
        None => (from_environment(variable)?, variable),
    };
    AccessToken::bearer(key).map_err(|_| {
        let what = "is empty, or has a character that a header can't carry";
        ConfigError::invalid(place, what, "copy the key once more")
    })
}

/// The variable's value, without the line break that a file may have left at its end.
#[expect(
    clippy::disallowed_methods,
    reason = "the vendor's own variable: its documentation tells users to set it"
)]
fn from_environment(variable: &str) -> Result<SecretString, ConfigError> {
    let key = SecretString::from(std::env::var(variable).unwrap_or_default());
    let key = SecretString::from(key.expose_secret().trim_end_matches(['\r', '\n']));
    if key.expose_secret().is_empty() {
        return Err(ConfigError::invalid(
            variable,
            "is not set, or empty",
            format!("set {variable}, or configure a provider and write PROVIDER/NAME"),
        ));
    }
    Ok(key)
}
