//! Entries of a credential.

use crate::ring::Entry;
use gatepass_core::{CredentialKey, ProviderName};
use std::fmt::Write;

/// A text that no keyring takes for another one: Windows doesn't tell `A` from `a`, macOS composes accents. What
/// is neither a small letter, a digit nor one of `-_@` and `plain` becomes `%` and two digits for each byte.
pub(crate) fn encoded(text: &str, plain: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_lowercase() || c.is_ascii_digit() || "-_@".contains(c) || plain.contains(c) {
            encoded.push(c);
        } else {
            _ = write!(encoded, "%{byte:02x}");
        }
    }
    encoded
}

fn decoded(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(rest.bytes());
    }
    String::from_utf8(bytes).ok()
}

/// The entries of one credential.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    service: String,
    user: String,
    /// `google/jane@example.com`
    pub(crate) shown: String,
}

impl Names {
    pub(crate) fn new(service: &str, key: &CredentialKey) -> Self {
        let provider = encoded(key.provider().as_str(), ".");
        let account = encoded(key.account(), ".");
        Self {
            service: service.to_owned(),
            user: format!("{provider}/{account}"),
            shown: key.to_string(),
        }
    }

    /// The entry that is the credential, or says where its parts are.
    pub(crate) fn head(&self) -> Entry {
        Entry {
            service: self.service.clone(),
            user: self.user.clone(),
            label: format!("{}: login of {}", self.service, self.shown),
        }
    }

    /// A part of what doesn't fit into one entry.
    pub(crate) fn part(&self, half: char, number: usize) -> Entry {
        Entry {
            service: format!("{} parts", self.service),
            user: format!("{}/{half}/{number}", self.user),
            label: format!("{}: part {number} of login {}", self.service, self.shown),
        }
    }
}

/// The credential whose head has that user; `None` for an entry that isn't ours.
pub(crate) fn key_of(user: &str) -> Option<CredentialKey> {
    let (provider, account) = user.split_once('/')?;
    let provider = ProviderName::parse(&decoded(provider)?).ok()?;
    CredentialKey::new(provider).with_account(&decoded(account)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(provider: &str, account: &str) -> CredentialKey {
        let provider = ProviderName::parse(provider).unwrap();
        CredentialKey::new(provider).with_account(account).unwrap()
    }

    #[test]
    fn every_name_comes_back() {
        for (provider, account) in [
            ("google", "jane@example.com"),
            ("Corp", "JANE"),
            ("ä", "100%"),
            ("a", "%41"),
        ] {
            let key = key(provider, account);
            let user = Names::new("gatepass", &key).head().user;
            assert_eq!(key_of(&user), Some(key), "{user}");
            assert!(
                !user.contains(|c: char| c.is_uppercase() || !c.is_ascii()),
                "{user}"
            );
        }
    }

    #[test]
    fn a_plain_name_stays_readable() {
        let names = Names::new("gatepass", &key("google", "jane@example.com"));
        assert_eq!(names.head().user, "google/jane@example.com");
        assert_eq!(names.part('a', 3).user, "google/jane@example.com/a/3");
    }

    #[test]
    fn what_is_not_ours_is_none() {
        for user in ["", "google", "/", "a/b/c", "a/%4", "a/%zz", "a/%ff", "%/b"] {
            assert_eq!(key_of(user), None, "{user}");
        }
    }
}
