//! The key of the file store, fetched from where the profile says.

use crate::model::Vendor;
use crate::profile::{FileKey, Profile};
use gatepass_core::{ExposeSecret, SecretString, StoreError};
use gatepass_file_store::KeySource;
use std::io::Read;
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
        // Somebody may have written the key in the place of a name.
        _ if !is_name(name) => Err(refused(
            "the key: GATEPASS_KEY names no environment variable",
            "write env:NAME or passphrase-env:NAME, and set NAME",
        )),
        _ => Err(refused(
            format!("the key: the environment variable {name} is not set, or empty"),
            format!("set {name}, or change GATEPASS_KEY"),
        )),
    }
}

fn is_name(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// It gets our environment but for the vendors' API keys. What it says on stderr goes to ours; our stdin isn't its own: somebody may be about to paste an address there.
fn printed_by(command: &str) -> Result<SecretString, StoreError> {
    const FIX: &str = "try the command of GATEPASS_KEY in a shell";
    const LIMIT: usize = 4096; // no key, and hardly a passphrase, is longer
    let refused = |what: String| refused(format!("the key: {what}"), FIX);
    let (shell, flag) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let mut program = Command::new(shell);
    for secret in Vendor::all_key_variables() {
        program.env_remove(secret);
    }
    let mut child = program
        .args([flag, command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| refused(format!("{shell} can't be started ({error})")))?;
    let mut printed = String::with_capacity(LIMIT + 1);
    let read = child.stdout.take().map_or(Ok(0), |stdout| {
        stdout.take(LIMIT as u64 + 1).read_to_string(&mut printed)
    });
    let (length, printed) = (printed.len(), SecretString::from(printed));
    if length > LIMIT {
        _ = child.kill();
    }
    let status = child.wait();
    match (read, status) {
        _ if length > LIMIT => Err(refused(format!("its command prints more than {LIMIT} bytes"))),
        (_, Ok(status)) if !status.success() => Err(refused(format!("its command ended with {status}"))),
        (Err(error), _) | (_, Err(error)) => Err(refused(format!("its command can't be read ({error})"))),
        (Ok(_), Ok(_)) => match printed.expose_secret().trim() {
            "" => Err(refused("its command printed nothing".into())),
            secret => Ok(SecretString::from(secret)),
        },
    }
}

fn refused(what: impl Into<String>, fix: impl Into<String>) -> StoreError {
    StoreError::Refused {
        what: what.into(),
        fix: fix.into(),
    }
}
