use gatepass_http::ServerUrl;

/// Where servers that speak OpenAI's language differ so much that a request of one is refused by another, or
/// answered as if half of it weren't there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenAI itself.
    OpenAi,
    /// OpenAI's models at Microsoft.
    Azure,
    /// Mistral, which refuses every field that it doesn't know.
    Mistral,
    /// Groq.
    Groq,
    /// OpenRouter, which has the fields of all the others.
    OpenRouter,
    /// DeepSeek, Moonshot and Z.ai: thinking is switched on and off, and wanted back.
    Thinking,
    /// Google's compatible API, which refuses every field that it doesn't know.
    Google,
    /// Everyone else.
    Compatible,
}

/// How a server is told how much to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReasoningStyle {
    /// `"reasoning_effort":"low"`.
    Effort,
    /// As `Effort`, and `"reasoning_format":"parsed"`.
    EffortAndFormat,
    /// As `Effort`, and `"thinking":{"type":"disabled"}` for no thinking at all.
    Switch,
    /// `"reasoning":{"effort":"low","max_tokens":…,"exclude":…}`.
    Object,
}

impl Dialect {
    pub(crate) fn of(base_url: &ServerUrl) -> Self {
        const HOSTS: [(&str, Dialect); 17] = [
            ("api.openai.com", Dialect::OpenAi),
            ("openai.azure.com", Dialect::Azure),
            ("openai.azure.us", Dialect::Azure),
            ("openai.azure.cn", Dialect::Azure),
            ("cognitiveservices.azure.com", Dialect::Azure),
            ("cognitiveservices.azure.us", Dialect::Azure),
            ("cognitiveservices.azure.cn", Dialect::Azure),
            ("services.ai.azure.com", Dialect::Azure),
            ("api.mistral.ai", Dialect::Mistral),
            ("api.groq.com", Dialect::Groq),
            ("openrouter.ai", Dialect::OpenRouter),
            ("api.deepseek.com", Dialect::Thinking),
            ("api.moonshot.ai", Dialect::Thinking),
            ("api.moonshot.cn", Dialect::Thinking),
            ("api.z.ai", Dialect::Thinking),
            ("generativelanguage.googleapis.com", Dialect::Google),
            ("aiplatform.googleapis.com", Dialect::Google),
        ];
        let host = base_url.host();
        let known = HOSTS.iter().find(|(name, _)| is_at(&host, name));
        known.map_or(Self::Compatible, |(_, dialect)| *dialect)
    }

    /// Where the API is at its own host, for who names the host alone.
    pub(crate) const fn usual_path(self) -> Option<&'static str> {
        match self {
            Self::OpenAi | Self::Mistral => Some("/v1"),
            Self::Groq => Some("/openai/v1"),
            Self::OpenRouter => Some("/api/v1"),
            _ => None,
        }
    }

    /// OpenAI's reasoning models refuse `max_tokens`; many others know nothing else.
    pub(crate) const fn max_tokens(self) -> &'static str {
        match self {
            Self::OpenAi | Self::Azure | Self::Groq | Self::OpenRouter => "max_completion_tokens",
            _ => "max_tokens",
        }
    }

    pub(crate) const fn seed(self) -> &'static str {
        match self {
            Self::Mistral => "random_seed",
            _ => "seed",
        }
    }

    /// Whether a stream tells its usage only if `stream_options` asks for it.
    pub(crate) const fn usage_is_asked_for(self) -> bool {
        !matches!(self, Self::Mistral)
    }

    /// Whether a tool call may carry `extra_content`, as Google's compatible API wants it back.
    pub(crate) const fn takes_signatures(self) -> bool {
        matches!(self, Self::Google | Self::Compatible)
    }

    pub(crate) const fn reasoning(self) -> ReasoningStyle {
        match self {
            Self::OpenRouter => ReasoningStyle::Object,
            Self::Groq => ReasoningStyle::EffortAndFormat,
            Self::Thinking => ReasoningStyle::Switch,
            _ => ReasoningStyle::Effort,
        }
    }

    /// Whether thoughts may be sent back. OpenAI never shows any here.
    pub(crate) const fn takes_thoughts(self) -> bool {
        !matches!(self, Self::OpenAi | Self::Azure | Self::Google)
    }

    /// Whether a message with tool calls is refused without the thought that led to them, even an empty one.
    pub(crate) const fn wants_thoughts(self) -> bool {
        matches!(self, Self::Thinking)
    }

    /// Whether `top_k` is known. Where nobody knows, the caller does.
    pub(crate) const fn takes_top_k(self) -> bool {
        matches!(self, Self::OpenRouter | Self::Compatible)
    }

    /// Whether a tool's answer may hold more than text.
    pub(crate) const fn takes_media_of_tools(self) -> bool {
        !matches!(self, Self::OpenAi | Self::Azure)
    }

    /// Whether vectors can be had in base64, a quarter of the size.
    pub(crate) const fn takes_base64_vectors(self) -> bool {
        matches!(self, Self::OpenAi | Self::Azure)
    }
}

/// Whether `host` is `name`, or one of its subdomains. Google names its regions before a hyphen.
fn is_at(host: &str, name: &str) -> bool {
    let Some(rest) = host.strip_suffix(name) else {
        return false;
    };
    rest.is_empty() || rest.ends_with('.') || (rest.ends_with('-') && name == "aiplatform.googleapis.com")
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
            ("https://my-api.openai.com/v1", Dialect::Compatible),
            ("https://api.groq.com/openai/v1", Dialect::Groq),
            ("https://corp.openai.azure.com/openai/v1", Dialect::Azure),
            ("https://corp.services.ai.azure.com/openai/v1", Dialect::Azure),
            ("https://openrouter.ai/api/v1", Dialect::OpenRouter),
            ("https://api.deepseek.com", Dialect::Thinking),
            (
                "https://europe-west1-aiplatform.googleapis.com/v1",
                Dialect::Google,
            ),
            ("https://aiplatform.googleapis.com/v1", Dialect::Google),
            ("https://llm.corp.example/v1", Dialect::Compatible),
        ] {
            let url = ServerUrl::parse(url, "base_url", Transport::Encrypted).unwrap();
            assert_eq!(Dialect::of(&url), dialect, "{url}");
        }
    }
}
