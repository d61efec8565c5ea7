use crate::time;
use gatepass::{AccessToken, Clock, Credential, CredentialKey, ExposeSecret, Scopes, SystemClock};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::SystemTime;

/// What a stored login is good for, as far as this machine can tell.
pub(crate) struct State {
    pub(crate) key: CredentialKey,
    credential: Credential,
    now: SystemTime,
}

impl State {
    pub(crate) fn new(key: CredentialKey, credential: Credential) -> Self {
        Self {
            key,
            credential,
            now: SystemClock.now().wall_time(),
        }
    }

    /// Whether the next call gets a token by it.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.has_valid_token() || self.credential.refresh_token.is_some()
    }

    /// Without an expiry a token is good until it is refused.
    pub(crate) fn has_valid_token(&self) -> bool {
        let token = self.credential.access_token.as_ref();
        token.is_some_and(|token| token.expires_at().is_none_or(|end| end > self.now))
    }

    fn expires_at(&self) -> Option<SystemTime> {
        self.credential
            .access_token
            .as_ref()
            .and_then(AccessToken::expires_at)
    }

    /// `Token expires: 2025-10-13 15:30:00 UTC`
    pub(crate) fn expiry(&self) -> String {
        match self.expires_at() {
            Some(end) if self.has_valid_token() => format!("Token expires: {}", time::utc(end)),
            Some(end) => format!("Token expired: {}", time::utc(end)),
            None if self.has_valid_token() => "Token expires: unknown".into(),
            None => "Token: none yet".into(),
        }
    }

    pub(crate) fn described(&self) -> Value {
        let left = self
            .expires_at()
            .map(|end| end.duration_since(self.now).unwrap_or_default());
        json!({
            "provider": self.key.provider().as_str(),
            "account": self.key.account(),
            "authenticated": self.is_authenticated(),
            "expires_at": self.expires_at().map(time::rfc3339),
            "expires_in": left.map(|left| left.as_secs()),
            "refreshes": self.credential.refresh_token.is_some(),
            "scope": self.credential.scopes.as_ref().map(Scopes::to_string),
            "fingerprint": self.credential.access_token.as_ref().map(fingerprint),
        })
    }
}

/// Tells one token from another without showing it: the first 4 bytes of its SHA-256.
fn fingerprint(token: &AccessToken) -> String {
    let hash = Sha256::digest(token.expose_secret());
    hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
