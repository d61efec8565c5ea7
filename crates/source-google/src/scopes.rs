use gatepass_core::{ConfigError, Scopes};

/// What a login asks for unless something else is said: `cloud-platform` and `generative-language.retriever`, which
/// the Gemini API accepts together, and `openid`, by which the account is known.
///
/// # Errors
/// Never: the scopes are valid.
pub fn default_scopes() -> Result<Scopes, ConfigError> {
    expand_scopes("cloud-platform generative-language.retriever openid")
}

/// The preset of the Gemini API's documentation. Google's consent page refuses its first scope.
const GENERATIVE_LANGUAGE: [&str; 2] = ["https://www.googleapis.com/auth/generative-language", "openid"];

/// The last parts of `https://www.googleapis.com/auth/…` that stand for the whole.
const SHORT: [&str; 7] = [
    "cloud-platform",
    "cloud-platform.read-only",
    "generative-language.peruserquota",
    "generative-language.retriever",
    "generative-language.tuning",
    "userinfo.email",
    "userinfo.profile",
];

/// Scopes as people write them: short names become Google's addresses, `generative-language` becomes the preset of
/// that name (with `openid`), everything else stays.
///
/// ```
/// # fn main() -> Result<(), gatepass_core::ConfigError> {
/// let scopes = gatepass_google::expand_scopes("cloud-platform openid")?;
/// assert_eq!(scopes.to_string(), "https://www.googleapis.com/auth/cloud-platform openid");
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`ConfigError::Invalid`] under the rules of [`Scopes::parse`].
pub fn expand_scopes(text: &str) -> Result<Scopes, ConfigError> {
    let mut expanded = Vec::new();
    for scope in Scopes::parse(text)?.iter() {
        if scope == "generative-language" {
            expanded.extend(GENERATIVE_LANGUAGE.map(str::to_owned));
        } else if SHORT.contains(&scope) {
            expanded.push(format!("https://www.googleapis.com/auth/{scope}"));
        } else {
            expanded.push(scope.to_owned());
        }
    }
    Scopes::parse(&expanded.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G5
    #[test]
    fn short_names_and_presets_expand() {
        let google = "https://www.googleapis.com/auth";
        for (text, expected) in [
            (
                "generative-language",
                format!("{google}/generative-language openid"),
            ),
            (
                "openid generative-language cloud-platform",
                format!("openid {google}/generative-language {google}/cloud-platform"),
            ),
            (
                "llm.read https://x.example/y",
                "llm.read https://x.example/y".into(),
            ),
        ] {
            assert_eq!(expand_scopes(text).unwrap().to_string(), expected);
        }
        let expected = format!("{google}/cloud-platform {google}/generative-language.retriever openid");
        assert_eq!(default_scopes().unwrap().to_string(), expected);
        assert!(expand_scopes("").is_err() && expand_scopes("a  b").is_err());
    }
}
