//! Providers of a configuration file: OAuth2 client credentials.

use crate::config::LlmConfig;
use crate::connect::Connection;
use crate::model::Model;
use crate::shared::Shared;
use gatepass_client_credentials::{ClientCredentialsSource, Provider, Providers};
use gatepass_core::{CachedTokenSource, ConfigError, LlmBackend, TokenSource};
use std::path::Path;
use std::sync::Arc;

/// All who use one provider share one source, whatever they are called.
static SOURCES: Shared<Provider, Arc<dyn TokenSource>> = Shared::new();

/// The token source of a configured provider, shared by all in this process who use it.
///
/// The provider is looked up in `config_path`, or in `./litellm_config.json` and `./gatepass.toml`. Tokens are
/// cached; see [`CachedTokenSource`].
///
/// # Errors
/// [`ConfigError`] for a file, or an entry, that can't be used, and for an unknown provider.
pub fn token_source(provider: &str, config_path: Option<&Path>) -> Result<Arc<dyn TokenSource>, ConfigError> {
    source_of(providers(config_path)?.get(provider)?)
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
        None if elsewhere => {
            providers.warn_of_broken_files();
            return Ok(None);
        }
        None => return Err(providers.unknown(name)),
    };
    let model_name = match model.provider {
        Some(prefix) if prefix != name => config.model.as_str(),
        _ => model.name,
    };
    Ok(Some((
        backend_of(provider, config.base_url.as_deref())?,
        model_name.to_owned(),
    )))
}

fn providers(path: Option<&Path>) -> Result<Providers, ConfigError> {
    path.map_or_else(|| Ok(Providers::discover(Path::new(""))), Providers::read)
}

fn source_of(provider: Provider) -> Result<Arc<dyn TokenSource>, ConfigError> {
    let name = format!("{} in {}", provider.name, provider.path.display());
    SOURCES.get_or_make(name, provider, |provider| {
        Ok(Arc::new(CachedTokenSource::new(ClientCredentialsSource::new(
            provider.clone(),
        )?)))
    })
}

#[cfg(feature = "openai")]
fn backend_of(provider: Provider, base_url: Option<&str>) -> Result<Arc<dyn LlmBackend>, ConfigError> {
    use gatepass_http::{HttpClient, ServerUrl};
    use gatepass_openai::OpenAiBackend;

    static BACKENDS: Shared<(Provider, ServerUrl), Arc<dyn LlmBackend>> = Shared::new();

    let base_url = base_url_of(&provider, base_url)?;
    let name = format!("{} in {} at {base_url}", provider.name, provider.path.display());
    BACKENDS.get_or_make(name, (provider, base_url), |(provider, base_url)| {
        let source = source_of(provider.clone())?;
        let http = HttpClient::new(provider.http_options())?;
        let backend = OpenAiBackend::with_http(http, base_url.clone(), source);
        Ok(Arc::new(backend.with_headers(provider.headers.clone())))
    })
}

/// The entry's `base_url`, or the caller's where it has none: a token goes only where its entry says.
#[cfg(feature = "openai")]
fn base_url_of(provider: &Provider, given: Option<&str>) -> Result<gatepass_http::ServerUrl, ConfigError> {
    let given = given
        .map(|url| gatepass_http::ServerUrl::parse(url, "base_url", provider.transport))
        .transpose()?;
    let (what, fix) = match (&provider.base_url, given) {
        (Some(own), Some(given)) if *own != given => (
            "differs from the one that was given: the token goes only where its entry says",
            "leave it out, or change the entry",
        ),
        (Some(own), _) => return Ok(own.clone()),
        (None, Some(given)) => return Ok(given),
        (None, None) => (
            "is missing",
            "add the address of the API: base_url = https://host/v1",
        ),
    };
    let problem = gatepass_core::ConfigProblem::new(what, fix).with_field("base_url");
    Err(ConfigError::Invalid(Box::new(problem)).at(&provider.path, provider.name.as_str()))
}

#[cfg(not(feature = "openai"))]
fn backend_of(_: Provider, _: Option<&str>) -> Result<Arc<dyn LlmBackend>, ConfigError> {
    Err(ConfigError::invalid(
        "model:",
        "this build can't call configured providers",
        "enable the feature openai",
    ))
}
