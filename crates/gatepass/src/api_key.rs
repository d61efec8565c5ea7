//! Vendors that are called with an API key.

use crate::backend::{Api, Place};
use crate::config::LlmConfig;
use crate::connect::Connection;
use crate::model::{Model, Vendor};
use crate::shared::Shared;
use gatepass_core::http::HeaderMap;
use gatepass_core::{AccessToken, ConfigError, ExposeSecret, LlmBackend, SecretString, StaticTokenSource};
use gatepass_http::{HttpClient, HttpOptions, ServerUrl, Transport};
use std::sync::Arc;

/// The settings of a backend: where, and with which key.
type Settings = (ServerUrl, AccessToken);

static BACKENDS: Shared<Settings, Arc<dyn LlmBackend>> = Shared::new();

/// The vendor, or the server at `base_url`, with the vendor's key.
pub(crate) fn connect(
    config: &LlmConfig,
    model: &Model<'_>,
    vendor: Vendor,
) -> Result<Connection, ConfigError> {
    let key = api_key(config, vendor)?;
    let transport = match config.allow_http {
        true => Transport::PlainAllowed,
        false => Transport::Encrypted,
    };
    let base_url = base_url(config, vendor, transport)?;
    let name = format!("{} at {base_url}", vendor.telemetry_name());
    let backend = BACKENDS.get_or_make(name, (base_url, key), |(base_url, key)| {
        place(vendor, base_url.clone(), HeaderMap::new())?
            .backend(Arc::new(StaticTokenSource::new(key.clone())))
    })?;
    Ok((backend, model.name.to_owned()))
}

/// The vendor's own address, or the one that was given.
pub(crate) fn base_url(
    config: &LlmConfig,
    vendor: Vendor,
    transport: Transport,
) -> Result<ServerUrl, ConfigError> {
    let base_url = config.base_url.as_deref().unwrap_or(match vendor {
        Vendor::Anthropic => "https://api.anthropic.com",
        Vendor::Google => "https://generativelanguage.googleapis.com",
        Vendor::OpenAi => "https://api.openai.com/v1",
    });
    ServerUrl::parse(base_url, "base_url", transport)
}

pub(crate) fn place(
    vendor: Vendor,
    base_url: ServerUrl,
    headers: HeaderMap,
) -> Result<Place<'static>, ConfigError> {
    let api = match vendor {
        Vendor::Anthropic => Api::Anthropic,
        Vendor::Google => Api::Gemini,
        Vendor::OpenAi => Api::OpenAi,
    };
    Ok(Place {
        api,
        http: HttpClient::new(HttpOptions::default())?,
        base_url,
        headers,
        provider: vendor.telemetry_name(),
    })
}

/// Whether the vendor's key is in the environment.
#[cfg(all(feature = "gemini", feature = "google"))]
pub(crate) fn has_key(vendor: Vendor) -> bool {
    from_environment(vendor.key_variables()).is_ok()
}

fn api_key(config: &LlmConfig, vendor: Vendor) -> Result<AccessToken, ConfigError> {
    let (key, place) = match &config.api_key {
        Some(key) => (key.clone(), "api_key"),
        None => from_environment(vendor.key_variables())?,
    };
    let key = match vendor {
        Vendor::OpenAi => AccessToken::bearer(key),
        Vendor::Anthropic | Vendor::Google => AccessToken::api_key(key),
    };
    key.map_err(|_| {
        let what = "is empty, or has a character that a header can't carry";
        ConfigError::invalid(place, what, "copy the key once more")
    })
}

/// The value of the first one that is set, without the line break that a file may have left at its end.
#[expect(
    clippy::disallowed_methods,
    reason = "the vendor's own variable: its documentation tells users to set it"
)]
fn from_environment(variables: &[&'static str]) -> Result<(SecretString, &'static str), ConfigError> {
    for variable in variables {
        let key = SecretString::from(std::env::var(variable).unwrap_or_default());
        let key = SecretString::from(key.expose_secret().trim_end_matches(['\r', '\n']));
        if !key.expose_secret().is_empty() {
            return Ok((key, variable));
        }
    }
    let variable = variables.first().copied().unwrap_or_default();
    let or_log_in = match variable {
        "GOOGLE_API_KEY" => ", or run: gatepass auth login --provider google",
        _ => "",
    };
    Err(ConfigError::invalid(
        variable,
        "is not set, or empty",
        format!("set {variable}{or_log_in}, or configure a provider and write PROVIDER/NAME"),
    ))
}
