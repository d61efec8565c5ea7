//! Gemini, called as the person who logged in with Google.

use crate::api_key::{base_url, has_key, place};
use crate::config::LlmConfig;
use crate::connect::Connection;
use crate::logged_in::logged_in_source;
use crate::login::LoginProvider;
use crate::model::{Model, Vendor};
use crate::profile::Profile;
use crate::shared::Shared;
use gatepass_core::http::{HeaderMap, HeaderValue};
use gatepass_core::{ConfigError, LlmBackend};
use gatepass_http::ServerUrl;
use gatepass_http::Transport;
use std::sync::Arc;

/// Whose login, the client that it was made with, and where.
type Settings = (Profile, Option<String>, LoginProvider, ServerUrl);

static BACKENDS: Shared<Settings, Arc<dyn LlmBackend>> = Shared::new();

/// Whether a login is to be used: who asks for it gets it. Who asks for nothing gets it where there is no key but a
/// client to log in with, and at Google's own address alone: a login goes nowhere else unasked.
pub(crate) fn is_meant(config: &LlmConfig, oauth2_provider: Option<&str>) -> bool {
    if oauth2_provider.is_some() {
        return oauth2_provider == Some("google");
    }
    let has_client = || {
        let profile = config.profile.clone().map_or_else(Profile::from_environment, Ok);
        profile.is_ok_and(|profile| profile.client_secrets_path().exists())
    };
    config.api_key.is_none() && config.base_url.is_none() && !has_key(Vendor::Google) && has_client()
}

/// The Gemini API with the login of an account. The project of `client_secrets.json` is the one whose quota its
/// calls use (`x-goog-user-project`).
pub(crate) fn connect(config: &LlmConfig, model: &Model<'_>) -> Result<Connection, ConfigError> {
    let profile = config
        .profile
        .clone()
        .map_or_else(Profile::from_environment, Ok)?;
    let google = LoginProvider::google(&profile)?;
    if config.allow_http {
        return Err(ConfigError::invalid(
            "allow_http",
            "is for API keys: a login's token is never sent unencrypted",
            "leave it out, or use an API key",
        ));
    }
    let base_url = base_url(config, Vendor::Google, Transport::Encrypted)?;
    let account = config.account.clone();
    let name = format!("google {account:?} in {profile:?} at {base_url}");
    let settings = (profile, account, google, base_url);
    let backend = BACKENDS.get_or_make(name, settings, |(profile, account, google, base_url)| {
        let source = logged_in_source(google, profile, account.as_deref())?;
        let headers = quota_project(profile)?;
        place(Vendor::Google, base_url.clone(), headers)?.backend(source)
    })?;
    Ok((backend, model.name.to_owned()))
}

fn quota_project(profile: &Profile) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    if let Some(project) = profile.client_secrets()?.quota_project() {
        let value = HeaderValue::from_str(project).map_err(|_| {
            ConfigError::invalid(
                "project_id",
                "is not the id of a project",
                "download the file once more",
            )
        })?;
        headers.insert("x-goog-user-project", value);
    }
    Ok(headers)
}
