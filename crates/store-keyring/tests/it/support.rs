//! Things to keep in a keyring.

use gatepass_core::{AccessToken, Credential, CredentialKey, ProviderName, RefreshToken, Scopes};
use std::path::Path;
use std::time::{Duration, SystemTime};

pub(crate) fn key(account: &str) -> CredentialKey {
    let provider = ProviderName::parse("corp").unwrap();
    CredentialKey::new(provider).with_account(account).unwrap()
}

/// Every field, each with `mark`.
pub(crate) fn credential(mark: &str) -> Credential {
    let token = AccessToken::bearer(format!("access-{mark}"))
        .unwrap()
        .with_expires_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000))
        .with_lifetime(Duration::from_secs(3599));
    Credential::new("https://as.example/token", "client")
        .with_access_token(token)
        .with_refresh_token(RefreshToken::new(format!("refresh-{mark}")))
        .with_scopes(Scopes::parse("llm.read llm.write").unwrap())
}

/// All files below a directory.
pub(crate) fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

/// A program is not to be had; in CI, which installs what is missing, that is a failure.
pub(crate) fn left_out(program: &str) {
    #[expect(clippy::disallowed_methods, reason = "a test may ask where it runs")]
    let in_ci = std::env::var_os("CI").is_some();
    assert!(!in_ci, "missing in CI: {program}");
    eprintln!("\n*** LEFT OUT: {program} is not to be had ***\n");
}
