//! A credential as JSON, for stores.

use super::{Credential, RefreshToken, Unknown};
use crate::chat::JsonObject;
use crate::error::ConfigError;
use crate::names::Scopes;
use crate::token::{AccessToken, TokenScheme};
use secrecy::zeroize::{Zeroize, Zeroizing};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::time::{Duration, SystemTime};

impl Credential {
    /// The credential with its secrets, as a JSON object for a store to encrypt.
    ///
    /// ```json
    /// {"token_url": "https://as.example/token", "client_id": "client", "access_token": "…",
    ///  "token_type": "bearer", "expires_at": 1900000000, "expires_in": 3599, "access_token_scope": "llm.read",
    ///  "refresh_token": "…", "scope": "llm.read llm.write", "subject": "248289761001"}
    /// ```
    ///
    /// `expires_at` counts seconds since the Unix epoch; `token_type` is `bearer` or `api_key`; what is unknown is
    /// left out. Members that [`from_json`](Self::from_json) didn't know are written back as they were read.
    ///
    /// # Errors
    /// Never in practice: there is nothing in a credential that JSON can't say.
    pub fn to_secret_json(&self) -> Result<SecretString, serde_json::Error> {
        let token = self.access_token.as_ref();
        let written = Written {
            token_url: &self.token_url,
            client_id: &self.client_id,
            access_token: token.map(ExposeSecret::expose_secret),
            token_type: token.map(|token| Type::from(token.scheme())),
            expires_at: token.and_then(AccessToken::expires_at).map(unix_seconds),
            expires_in: token.and_then(AccessToken::lifetime).map(|time| time.as_secs()),
            access_token_scope: token.and_then(AccessToken::scopes).map(Scopes::to_string),
            refresh_token: self.refresh_token.as_ref().map(ExposeSecret::expose_secret),
            scope: self.scopes.as_ref().map(Scopes::to_string),
            subject: self.subject.as_deref(),
            unknown: &self.unknown.0,
        };
        // Measured first: a buffer that grew or shrank would leave copies of secrets behind.
        let mut length = Length(0);
        serde_json::to_writer(&mut length, &written)?;
        let mut text = Zeroizing::new(String::with_capacity(length.0));
        serde_json::to_writer(Appender(&mut text), &written)?;
        Ok(SecretString::from(std::mem::take(&mut *text)))
    }

    /// Reads what [`to_secret_json`](Self::to_secret_json) wrote, in this version or another one.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it isn't such an object. The error never shows a value.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let read: Read = serde_json::from_str(json).map_err(|error| {
            // The text of the error may quote the value that it stumbled over.
            invalid(format!("has no valid JSON object at column {}", error.column()))
        })?;
        let access_token = match read.access_token {
            Some(secret) => Some(
                Type::token(read.token_type, secret)?
                    .with_times(read.expires_at, read.expires_in)
                    .with_granted(read.access_token_scope)?,
            ),
            None => None,
        };
        Ok(Self {
            token_url: read.token_url,
            client_id: read.client_id,
            access_token,
            refresh_token: read.refresh_token.map(RefreshToken::new),
            scopes: read.scope.map(scopes).transpose()?,
            subject: read.subject,
            unknown: Unknown(read.unknown),
        })
    }
}

#[derive(Serialize)]
struct Written<'a> {
    token_url: &'a str,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<Type>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token_scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(flatten)]
    unknown: &'a JsonObject,
}

#[derive(Deserialize)]
struct Read {
    token_url: String,
    client_id: String,
    access_token: Option<SecretString>,
    #[serde(default)]
    token_type: Type,
    expires_at: Option<u64>,
    expires_in: Option<u64>,
    access_token_scope: Option<String>,
    refresh_token: Option<SecretString>,
    scope: Option<String>,
    subject: Option<String>,
    #[serde(flatten)]
    unknown: JsonObject,
}

#[derive(Default, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Type {
    #[default]
    Bearer,
    ApiKey,
}

impl Type {
    fn token(self, secret: SecretString) -> Result<AccessToken, ConfigError> {
        match self {
            Self::Bearer => AccessToken::bearer(secret),
            Self::ApiKey => AccessToken::api_key(secret),
        }
        .map_err(|error| invalid(error.to_string()))
    }
}

impl From<TokenScheme> for Type {
    fn from(scheme: TokenScheme) -> Self {
        match scheme {
            TokenScheme::Bearer => Self::Bearer,
            TokenScheme::ApiKey => Self::ApiKey,
        }
    }
}

impl AccessToken {
    fn with_times(mut self, expires_at: Option<u64>, expires_in: Option<u64>) -> Self {
        let expiry = |seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        if let Some(expires_at) = expires_at.and_then(expiry) {
            self = self.with_expires_at(expires_at);
        }
        match expires_in {
            Some(seconds) => self.with_lifetime(Duration::from_secs(seconds)),
            None => self,
        }
    }

    fn with_granted(self, scope: Option<String>) -> Result<Self, ConfigError> {
        match scope {
            Some(scope) => Ok(self.with_scopes(scopes(scope)?)),
            None => Ok(self),
        }
    }
}

/// No scopes at all are written as an empty text, which [`Scopes::parse`] refuses for good reasons.
#[expect(clippy::needless_pass_by_value, reason = "handed over by `Option::map`")]
fn scopes(text: String) -> Result<Scopes, ConfigError> {
    if text.is_empty() {
        return Ok(Scopes::default());
    }
    Scopes::parse(&text)
}

/// What expired before 1970 has expired.
fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

fn invalid(what: String) -> ConfigError {
    ConfigError::invalid("stored credential", what, "log in again")
}

/// Appends JSON, which is UTF-8, to a text.
struct Appender<'a>(&'a mut String);

impl std::io::Write for Appender<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .push_str(std::str::from_utf8(bytes).map_err(std::io::Error::other)?);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Counts bytes.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Drop for Unknown {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
