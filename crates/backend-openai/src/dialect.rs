use gatepass_http::ServerUrl;

/// Where servers that speak OpenAI's language differ so much that a request of one is refused by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenAI itself.
    OpenAi,
    /// Mistral, which refuses every field that it doesn't know.
    Mistral,
    /// Everyone else.
    Compatible,
}

impl Dialect {
    pub(crate) fn of(base_url: &ServerUrl) -> Self {
        let host = base_url.host();
        let is = |name: &str| host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
        if is("api.openai.com") {
            Self::OpenAi
        } else if is("api.mistral.ai") {
            Self::Mistral
        } else {
            Self::Compatible
        }
    }

    /// OpenAI's reasoning models refuse `max_tokens`; many others know nothing else.
    pub(crate) const fn max_tokens(self) -> &'static str {
        match self {
            Self::OpenAi => "max_completion_tokens",
            Self::Mistral | Self::Compatible => "max_tokens",
        }
    }

    pub(crate) const fn seed(self) -> &'static str {
        match self {
            Self::Mistral => "random_seed",
            Self::OpenAi | Self::Compatible => "seed",
        }
    }

    /// Whether a stream tells its usage only if `stream_options` asks for it.
    pub(crate) const fn usage_is_asked_for(self) -> bool {
        !matches!(self, Self::Mistral)
    }

    /// Whether a tool call may carry `extra_content`, as Google's compatible API wants it back.
    pub(crate) const fn takes_signatures(self) -> bool {
        matches!(self, Self::Compatible)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass_http::Transport;

    #[test]
    fn a_dialect_is_known_by_its_host() {
        for (url, dialect) in [
            ("https://api.openai.com/v1", Dialect::OpenAi),
            ("https://eu.api.openai.com/v1", Dialect::OpenAi),
            ("https://api.mistral.ai/v1", Dialect::Mistral),
            ("https://evil-api.openai.com.example/v1", Dialect::Compatible),
            ("https://myapi.openai.com/v1", Dialect::Compatible),
            ("https://api.groq.com/openai/v1", Dialect::Compatible),
        ] {
            let url = ServerUrl::parse(url, "base_url", Transport::Encrypted).unwrap();
            assert_eq!(Dialect::of(&url), dialect, "{url}");
        }
    }
}
