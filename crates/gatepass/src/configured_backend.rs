//! The backend of a configured provider.

use crate::backend::{Api, Place, vertex_url};
use crate::configured::{Whose, source_of};
use crate::shared::Shared;
use gatepass_client_credentials::{self as client_credentials, Provider};
use gatepass_core::{ConfigError, LlmBackend};
use gatepass_http::{HttpClient, ServerUrl};
use std::sync::Arc;

pub(crate) fn backend_of(
    provider: Provider,
    base_url: Option<&str>,
    whose: Whose,
) -> Result<Arc<dyn LlmBackend>, ConfigError> {
    static BACKENDS: Shared<(Provider, ServerUrl, Whose), Arc<dyn LlmBackend>> = Shared::new();

    let base_url = base_url_of(&provider, base_url)?;
    let name = format!(
        "{} in {} at {base_url} for {whose:?}",
        provider.name,
        provider.path.display()
    );
    let settings = (provider, base_url, whose);
    BACKENDS.get_or_make(name, settings, |(provider, base_url, whose)| {
        let place = Place {
            api: api_of(provider)?,
            http: HttpClient::new(provider.http_options())?,
            base_url: base_url.clone(),
            headers: provider.headers.clone(),
            provider: provider.name.as_str(),
        };
        let source = source_of(provider.clone(), whose)?;
        let backend = place.backend(source);
        backend.map_err(|error| error.at(&provider.path, provider.name.as_str()))
    })
}

fn api_of(provider: &Provider) -> Result<Api, ConfigError> {
    match &provider.api {
        client_credentials::Api::OpenAi => Ok(Api::OpenAi),
        client_credentials::Api::OpenAiResponses => Ok(Api::OpenAiResponses),
        client_credentials::Api::Azure { api_version } => Ok(Api::Azure {
            api_version: api_version.clone(),
        }),
        client_credentials::Api::Gemini | client_credentials::Api::Vertex { .. } => Ok(Api::Gemini),
        client_credentials::Api::Anthropic => Ok(Api::Anthropic),
        _ => Err(ConfigError::invalid(
            "api",
            "is not known to this build",
            "update gatepass",
        )),
    }
}

/// The entry's address, or the caller's where it has none: a token goes only where its entry says.
fn base_url_of(provider: &Provider, given: Option<&str>) -> Result<ServerUrl, ConfigError> {
    let at_entry = |error: ConfigError| error.at(&provider.path, provider.name.as_str());
    let given = given
        .map(|url| ServerUrl::parse(url, "base_url", provider.transport))
        .transpose()?;
    let (what, fix) = match (own_url(provider).map_err(at_entry)?, given) {
        (Some(own), Some(given)) if own != given => (
            "differs from the one that was given: the token goes only where its entry says",
            "leave it out, or change the entry",
        ),
        (Some(url), _) | (None, Some(url)) => return Ok(url),
        (None, None) => (
            "is missing",
            "add the address of the API: base_url = https://host/v1",
        ),
    };
    Err(at_entry(ConfigError::invalid("base_url", what, fix)))
}

/// Project and location tell an address of Vertex AI; on another server, its path.
fn own_url(provider: &Provider) -> Result<Option<ServerUrl>, ConfigError> {
    let server = provider.base_url.clone();
    let client_credentials::Api::Vertex { project, location } = &provider.api else {
        return Ok(server);
    };
    let vertex = vertex_url(project, location)?;
    Ok(Some(match server {
        Some(server) => server.with_path(vertex.path()),
        None => vertex,
    }))
}
