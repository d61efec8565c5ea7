use gatepass_core::{ConfigError, printable};

/// A model as the user writes it: `provider/name`, or a name that tells its vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Model<'a> {
    /// What stands before the first `/`.
    pub(crate) provider: Option<&'a str>,
    /// The rest: the name that the provider knows.
    pub(crate) name: &'a str,
}

/// Those whose models are known without a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vendor {
    Anthropic,
    Google,
    OpenAi,
}

impl Vendor {
    /// Its name in OpenTelemetry's words (`gen_ai.provider.name`).
    #[cfg(any(feature = "anthropic", feature = "gemini", feature = "openai"))]
    pub(crate) const fn telemetry_name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Google => "gcp.gemini",
            Self::OpenAi => "openai",
        }
    }

    /// The environment variables that its documentation tells users to put their API key into, the first one first.
    #[cfg(any(
        feature = "anthropic",
        feature = "file-store",
        feature = "gemini",
        feature = "login",
        feature = "openai"
    ))]
    pub(crate) const fn key_variables(self) -> &'static [&'static str] {
        match self {
            Self::Anthropic => &["ANTHROPIC_API_KEY"],
            Self::Google => &["GOOGLE_API_KEY", "GEMINI_API_KEY"],
            Self::OpenAi => &["OPENAI_API_KEY"],
        }
    }

    /// Those of all vendors: programs that we start don't get them.
    #[cfg(any(feature = "file-store", feature = "login"))]
    pub(crate) fn all_key_variables() -> impl Iterator<Item = &'static str> {
        let all = [Self::Anthropic, Self::Google, Self::OpenAi];
        all.into_iter().flat_map(Self::key_variables).copied()
    }
}

impl<'a> Model<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, ConfigError> {
        let model = match text.split_once('/') {
            Some((provider, name)) => Self {
                provider: Some(provider),
                name,
            },
            None => Self {
                provider: None,
                name: text,
            },
        };
        if model.name.is_empty() || model.provider == Some("") || text.chars().any(char::is_control) {
            let what = format!("'{}' is not a model", printable(text));
            return Err(ConfigError::invalid(
                "model:",
                what,
                "write PROVIDER/NAME, or a name such as gpt-4o-mini",
            ));
        }
        Ok(model)
    }

    /// Whose model it is, as far as its name tells.
    pub(crate) fn vendor(&self) -> Option<Vendor> {
        let begins = |beginnings: &[&str]| {
            beginnings
                .iter()
                .any(|beginning| self.name.starts_with(beginning))
        };
        match self.provider {
            Some("openai") => Some(Vendor::OpenAi),
            Some("gemini" | "google") => Some(Vendor::Google),
            Some("anthropic") => Some(Vendor::Anthropic),
            Some(_) => None,
            None if begins(&["gpt-", "chatgpt-", "o1", "o3", "o4"]) => Some(Vendor::OpenAi),
            None if begins(&["gemini-", "gemma-"]) => Some(Vendor::Google),
            None if begins(&["claude-"]) => Some(Vendor::Anthropic),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_is_what_stands_before_the_first_slash() {
        let parse = |text| Model::parse(text).map(|model| (model.provider, model.name)).ok();
        assert_eq!(parse("corp/my-model"), Some((Some("corp"), "my-model")));
        assert_eq!(parse("corp/meta/llama-3"), Some((Some("corp"), "meta/llama-3")));
        assert_eq!(parse("gpt-4o-mini"), Some((None, "gpt-4o-mini")));
        for bad in ["", "/", "corp/", "/x", "a\nb", "corp/\u{1b}[2J"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_well_known_name_tells_its_vendor() {
        let vendor = |text| Model::parse(text).unwrap().vendor();
        assert_eq!(vendor("gpt-4o-mini"), Some(Vendor::OpenAi));
        assert_eq!(vendor("openai/anything"), Some(Vendor::OpenAi));
        assert_eq!(vendor("gemini/gemini-2.5-flash"), Some(Vendor::Google));
        assert_eq!(vendor("claude-sonnet-4"), Some(Vendor::Anthropic));
        assert_eq!(
            vendor("corp/gpt-4o"),
            None,
            "a configured provider's model is that provider's"
        );
        assert_eq!(vendor("llama"), None);
    }
}
