//! Google, with a `client_secrets.json`.

use crate::login::LoginOptions;
use crate::profile::Profile;
use gatepass_core::{ConfigError, ConfigProblem};
use gatepass_google::{ClientSecrets, ClientSecretsError, InstalledAppFlow, expand_scopes};
use gatepass_http::{HttpClient, HttpOptions};

impl Profile {
    /// The client that people log in to Google with, and its quota project.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`], with the path and the next step.
    pub fn client_secrets(&self) -> Result<ClientSecrets, ConfigError> {
        ClientSecrets::read(&self.client_secrets_path()).map_err(|error| config_error(&error))
    }
}

/// The sentence that people know begins with a capital.
fn config_error(error: &ClientSecretsError) -> ConfigError {
    let what = match error {
        ClientSecretsError::NotFound { path } => {
            format!("Client secrets file not found: {}", path.display())
        }
        ClientSecretsError::Unreadable { source, .. } => format!("{error}: {source}"),
        error => error.to_string(),
    };
    ConfigError::Invalid(Box::new(ConfigProblem::new(what, error.fix())))
}

pub(crate) fn http() -> Result<HttpClient, ConfigError> {
    HttpClient::new(HttpOptions::default())
}

pub(crate) fn flow(
    secrets: &ClientSecrets,
    options: &LoginOptions,
) -> Result<InstalledAppFlow, gatepass_core::TokenError> {
    let mut flow = InstalledAppFlow::new(http()?, secrets)?;
    if let Some(scope) = &options.scope {
        flow = flow.with_scopes(expand_scopes(scope)?);
    }
    if let Some(account) = &options.account {
        flow = flow.with_login_hint(account);
    }
    Ok(match options.timeout {
        Some(timeout) => flow.with_timeout(timeout),
        None => flow,
    })
}
