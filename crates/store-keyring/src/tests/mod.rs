//! The store over a keyring that is none: small entries, and calls that fail where the test wants it.

mod contract;
mod crashes;
mod fake;
mod slow;

use gatepass_core::{AccessToken, Credential, CredentialKey, ProviderName, RefreshToken};

fn key(account: &str) -> CredentialKey {
    let provider = ProviderName::parse("corp").unwrap();
    CredentialKey::new(provider).with_account(account).unwrap()
}

/// A credential of about that many bytes.
fn credential(mark: char, bytes: usize) -> Credential {
    let token: String = std::iter::repeat_n(mark, bytes).collect();
    Credential::new("https://as.example/token", "client")
        .with_access_token(AccessToken::bearer(token).unwrap())
        .with_refresh_token(RefreshToken::new(format!("refresh-{mark}")))
}
