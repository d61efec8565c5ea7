mod json;

use crate::chat::JsonObject;
use crate::error::ConfigError;
use crate::names::{ProviderName, Scopes, check_name};
use crate::token::AccessToken;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// Names one credential in a store: whose login, at which provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialKey {
    provider: ProviderName,
    account: String,
}

impl CredentialKey {
    /// The account of a login that nobody gave a name.
    pub const DEFAULT_ACCOUNT: &'static str = "default";

    /// The credential of `provider`'s default account.
    #[must_use]
    pub fn new(provider: ProviderName) -> Self {
        Self {
            provider,
            account: Self::DEFAULT_ACCOUNT.to_owned(),
        }
    }

    /// Names the account, an e-mail address for instance.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] under the rules of [`ProviderName::parse`].
    pub fn with_account(mut self, account: &str) -> Result<Self, ConfigError> {
        check_name(account, "account name")?;
        account.clone_into(&mut self.account);
        Ok(self)
    }

    /// The provider.
    #[must_use]
    pub const fn provider(&self) -> &ProviderName {
        &self.provider
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }
}

impl fmt::Display for CredentialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.account)
    }
}

/// A refresh token (RFC 6749 §1.5). `Debug` never shows it, and the memory is wiped on drop.
#[derive(Debug, Clone)]
pub struct RefreshToken(SecretString);

impl RefreshToken {
    /// Wraps a refresh token.
    pub fn new(secret: impl Into<SecretString>) -> Self {
        Self(secret.into())
    }
}

/// The secret itself. Read it next to the place it is sent to, and nowhere else.
impl ExposeSecret<str> for RefreshToken {
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for RefreshToken {
    fn eq(&self, other: &Self) -> bool {
        self.expose_secret() == other.expose_secret()
    }
}

impl Eq for RefreshToken {}

/// What a login leaves behind, bound to the server that issued it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credential {
    /// The token endpoint that issued it: no other address is ever sent its refresh token.
    pub token_url: String,
    /// The client that it was issued to.
    pub client_id: String,
    /// Who logged in, as the issuer calls them (`sub` of a checked ID token). Never shown; it tells one person's
    /// credential from another's.
    pub subject: Option<String>,
    /// The newest access token.
    pub access_token: Option<AccessToken>,
    /// The newest refresh token.
    pub refresh_token: Option<RefreshToken>,
    /// The scopes that were granted, which may be others than were asked for.
    pub scopes: Option<Scopes>,
    unknown: Unknown,
}

/// Members of a stored credential that this version doesn't know, kept for the one that wrote them.
///
/// `Debug` shows no value, since any of them may be a secret, and the memory is wiped on drop.
#[derive(Clone, Default, PartialEq, Eq)]
struct Unknown(JsonObject);

impl Credential {
    /// A credential that `token_url` issued to `client_id`.
    pub fn new(token_url: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            token_url: token_url.into(),
            client_id: client_id.into(),
            subject: None,
            access_token: None,
            refresh_token: None,
            scopes: None,
            unknown: Unknown::default(),
        }
    }

    /// Says who logged in.
    #[must_use]
    pub fn with_subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets the access token.
    #[must_use]
    pub fn with_access_token(mut self, token: AccessToken) -> Self {
        self.access_token = Some(token);
        self
    }

    /// Sets the refresh token.
    #[must_use]
    pub fn with_refresh_token(mut self, token: RefreshToken) -> Self {
        self.refresh_token = Some(token);
        self
    }

    /// Sets the granted scopes.
    #[must_use]
    pub fn with_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = Some(scopes);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_print_the_secrets() {
        let credential = Credential::new("https://as.example/token", "client")
            .with_access_token(AccessToken::bearer("canary-access").unwrap())
            .with_refresh_token(RefreshToken::new("canary-refresh"));
        assert!(!format!("{credential:?}").contains("canary"), "{credential:?}");
    }

    #[test]
    fn two_accounts_of_one_provider_are_two_credentials() {
        let google = CredentialKey::new(ProviderName::parse("google").unwrap());
        let jane = google.clone().with_account("jane@example.com").unwrap();
        assert_ne!(google, jane);
        assert_eq!(jane.to_string(), "google/jane@example.com");
        assert!(google.with_account("../jane").is_err());
    }
}
