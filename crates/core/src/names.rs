use crate::error::{ConfigError, printable};
use std::fmt;

/// The name of a provider: the key under `oauth2_providers`, and the text before the first `/` of a model.
///
/// Visible characters, no `/` or `\`, at most 64 bytes: a name is also part of file names and keyring entries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderName(String);

impl ProviderName {
    /// Parses a name.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for an empty name, a path, `.` or `..`, white space or a control character.
    pub fn parse(name: &str) -> Result<Self, ConfigError> {
        check_name(name, "provider name").map(|()| Self(name.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The longest name that still fits into every platform's file names and keyring entries.
const MAX_NAME_BYTES: usize = 64;

pub(crate) fn check_name(name: &str, what: &str) -> Result<(), ConfigError> {
    let problem = if name.is_empty() {
        "is empty"
    } else if name.len() > MAX_NAME_BYTES {
        "is longer than 64 bytes"
    } else if name == "." || name == ".." || name.contains(['/', '\\']) {
        "looks like a path"
    } else if name.chars().any(char::is_whitespace) || printable(name) != name {
        "contains white space or a control character"
    } else {
        return Ok(());
    };
    Err(ConfigError::invalid(
        what,
        problem,
        "use letters, digits, '-', '_', '.' or '@'",
    ))
}

/// What an access token may be used for: scope values of RFC 6749 §3.3, in the order given, no value twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// Parses space-separated scope values.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for an empty value (a leading, trailing or double space, an empty text) or a
    /// character that RFC 6749 doesn't allow.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut scopes = Self::default();
        for value in text.split(' ') {
            if value.is_empty() {
                return Err(ConfigError::invalid(
                    "scope",
                    "cannot contain empty values",
                    "separate the values by exactly one space",
                ));
            }
            if !value.bytes().all(is_scope_character) {
                return Err(ConfigError::invalid(
                    "scope",
                    "contains a character that a scope can't have (RFC 6749 section 3.3)",
                    "use visible ASCII characters without '\"' and '\\'",
                ));
            }
            if !scopes.contains(value) {
                scopes.0.push(value.to_owned());
            }
        }
        Ok(scopes)
    }

    /// The values, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether `value` is among them.
    #[must_use]
    pub fn contains(&self, value: &str) -> bool {
        self.0.iter().any(|scope| scope == value)
    }

    /// Whether there is no value at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `%x21 / %x23-5B / %x5D-7E`, RFC 6749 §3.3.
const fn is_scope_character(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_have_no_empty_values() {
        assert_eq!(
            Scopes::parse("llm.read llm.write").unwrap().to_string(),
            "llm.read llm.write"
        );
        assert_eq!(Scopes::parse("a b a").unwrap().to_string(), "a b");
        for bad in ["", " ", "a  b", " a", "a ", "a\tb", "a\nb", "a\"b", "ä"] {
            assert!(Scopes::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_is_no_path_and_no_control_sequence() {
        for good in ["google", "my_custom-provider.2", "jane@example.com"] {
            assert_eq!(ProviderName::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "a\\b",
            "../x",
            "a b",
            "a\n",
            "\u{1b}[2J",
            "jane\u{202e}moc.elpmaxe@",
            "jane\u{200b}",
            &"x".repeat(65),
        ] {
            assert!(ProviderName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
