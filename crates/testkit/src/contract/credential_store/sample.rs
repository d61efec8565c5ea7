//! Keys and credentials to store.

use gatepass_core::{
    AccessToken, ConfigError, Credential, CredentialKey, ProviderName, RefreshToken, Scopes, TokenError,
};
use std::fmt::Display;
use std::time::{Duration, SystemTime};

pub(super) fn key(provider: &str, account: &str) -> CredentialKey {
    valid(parsed_key(provider, account))
}

fn parsed_key(provider: &str, account: &str) -> Result<CredentialKey, ConfigError> {
    CredentialKey::new(ProviderName::parse(provider)?).with_account(account)
}

/// The default account of a provider.
pub(super) fn jane() -> CredentialKey {
    CredentialKey::new(valid(ProviderName::parse("corp")))
}

/// Nothing but what a credential must have.
pub(super) fn bare() -> Credential {
    Credential::new("https://as.example/token", "client")
}

/// Every field, each with `mark`.
pub(super) fn full(mark: &str) -> Credential {
    bare()
        .with_subject(format!("subject-{mark}"))
        .with_access_token(access_token(mark))
        .with_refresh_token(RefreshToken::new(format!("refresh-{mark}")))
        .with_scopes(valid(Scopes::parse(
            "llm.read llm.write https://scope.example/all",
        )))
}

/// Every field of an access token.
pub(super) fn access_token(mark: &str) -> AccessToken {
    let expiry = SystemTime::UNIX_EPOCH + Duration::from_millis(1_900_000_000_250);
    valid::<_, TokenError>(AccessToken::bearer(format!("access-{mark}")))
        .with_expires_at(expiry)
        .with_lifetime(Duration::from_secs(3599))
        .with_scopes(valid(Scopes::parse("llm.read")))
}

pub(super) fn valid<T, E: Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("the suite's own sample is invalid: {error}"),
    }
}
