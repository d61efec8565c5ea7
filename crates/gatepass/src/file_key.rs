//! The key of the file store, fetched from where the profile says.

use crate::profile::{FileKey, Profile};
use gatepass_core::{SecretString, StoreError};
use gatepass_file_store::KeySource;
use std::process::{Command, Stdio};

impl Profile {
    pub(crate) fn key_source(&self) -> Result<KeySource, StoreError> {
        match self.key() {
            FileKey::File => Ok(KeySource::KeyFile),
            FileKey::Keyring => in_keyring(self),
            FileKey::Variable(name) => variable(name).map(KeySource::Given),
            FileKey::Command(command) => printed_by(command).map(KeySource::Given),
            FileKey::PassphraseVariable(name) => variable(name).map(KeySource::Passphrase),
            FileKey::PassphraseCommand(command) => printed_by(command).map(KeySource::Passphrase),
        }
    }
}

/// Each directory has a key of its own.
#[cfg(feature = "keyring")]
fn in_keyring(profile: &Profile) -> Result<KeySource, StoreError> {
    use gatepass_keyring_store::{Keyring, KeyringVault};
    let path = std::path::absolute(profile.directory());
    let path = path.unwrap_or_else(|_| profile.directory().to_owned());
    let vault = KeyringVault::new(Keyring::new(), &path.to_string_lossy());
    Ok(KeySource::Vault(std::sync::Arc::new(vault)))
}

#[cfg(not(feature = "keyring"))]
fn in_keyring(_: &Profile) -> Result<KeySource, StoreError> {
    Err(refused(
        "the keyring: this build can't use it",
        "set GATEPASS_KEY to file, or enable the feature keyring",
    ))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the variable that the user named for the key"
)]
fn variable(name: &str) -> Result<SecretString, StoreError> {
    match std::env::var(name) {
        Ok(secret) if !secret.trim().is_empty() => Ok(SecretString::from(secret.trim())),
        _ => Err(refused(
            format!("the key: the environment variable {name} is not set, or empty"),
            format!("set {name}, or change GATEPASS_KEY"),
        )),
    }
}

/// What it says on stderr goes to ours; it may ask the person.
fn printed_by(command: &str) -> Result<SecretString, StoreError> {
    const FIX: &str = "try the command of GATEPASS_KEY in a shell";
    let (shell, flag) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let output = Command::new(shell)
        .args([flag, command])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| refused(format!("the key: {shell} can't be started ({error})"), FIX))?;
    if !output.status.success() {
        return Err(refused(
            format!("the key: its command ended with {}", output.status),
            FIX,
        ));
    }
    let printed = SecretString::from(String::from_utf8_lossy(&output.stdout).trim());
    if gatepass_core::ExposeSecret::expose_secret(&printed).is_empty() {
        return Err(refused("the key: its command printed nothing", FIX));
    }
    Ok(printed)
}

fn refused(what: impl Into<String>, fix: impl Into<String>) -> StoreError {
    StoreError::Refused {
        what: what.into(),
        fix: fix.into(),
    }
}
