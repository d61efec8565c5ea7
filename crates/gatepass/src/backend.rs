//! From the language of an API to the backend that speaks it: the one place that knows all backends.

use gatepass_core::http::HeaderMap;
use gatepass_core::{ConfigError, LlmBackend, TokenSource, TracedBackend};
use gatepass_http::{HttpClient, ServerUrl};
use std::borrow::Cow;
use std::sync::Arc;

/// The language of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Api {
    Anthropic,
    /// Vertex AI's too: its address tells.
    Gemini,
    OpenAi,
    /// A vendor that is called by its key has no use for it.
    #[cfg(feature = "client-credentials")]
    OpenAiResponses,
    #[cfg(feature = "client-credentials")]
    Azure {
        api_version: String,
    },
}

/// Where an API is, and how it is spoken to.
pub(crate) struct Place<'a> {
    pub(crate) api: Api,
    pub(crate) http: HttpClient,
    pub(crate) base_url: ServerUrl,
    pub(crate) headers: HeaderMap,
    /// Whose it is, for telemetry.
    pub(crate) provider: &'a str,
}

impl Place<'_> {
    /// The backend that asks there, with tokens of `source`.
    pub(crate) fn backend(self, source: Arc<dyn TokenSource>) -> Result<Arc<dyn LlmBackend>, ConfigError> {
        let Self {
            api,
            http,
            base_url,
            headers,
            provider,
        } = self;
        let traced: Arc<dyn LlmBackend> = match api {
            #[cfg(feature = "anthropic")]
            Api::Anthropic => {
                let backend = gatepass_anthropic::AnthropicBackend::with_http(http, base_url, source);
                traced(backend.with_headers(headers), provider)
            }
            #[cfg(feature = "gemini")]
            Api::Gemini => {
                let backend = gatepass_gemini::GeminiBackend::with_http(http, base_url, source);
                traced(backend.with_headers(headers), provider)
            }
            #[cfg(feature = "openai")]
            Api::OpenAi => {
                let backend = gatepass_openai::OpenAiBackend::with_http(http, base_url, source);
                traced(backend.with_headers(headers), provider)
            }
            #[cfg(all(feature = "client-credentials", feature = "openai"))]
            Api::OpenAiResponses => {
                let backend = gatepass_openai::OpenAiResponsesBackend::with_http(http, base_url, source);
                traced(backend.with_headers(headers), provider)
            }
            #[cfg(all(feature = "client-credentials", feature = "openai"))]
            Api::Azure { api_version } => {
                let backend =
                    gatepass_openai::OpenAiBackend::azure_with_http(http, &base_url, &api_version, source)?;
                traced(backend.with_headers(headers), provider)
            }
            #[cfg(not(all(feature = "anthropic", feature = "gemini", feature = "openai")))]
            api => return Err(api.unsupported()),
        };
        Ok(traced)
    }
}

/// The address of `project`'s models at `location` of Vertex AI.
#[cfg(all(feature = "client-credentials", feature = "gemini"))]
pub(crate) fn vertex_url(project: &str, location: &str) -> Result<ServerUrl, ConfigError> {
    gatepass_gemini::GeminiBackend::vertex_url(project, location)
}

#[cfg(all(feature = "client-credentials", not(feature = "gemini")))]
pub(crate) fn vertex_url(_: &str, _: &str) -> Result<ServerUrl, ConfigError> {
    Err(Api::Gemini.unsupported())
}

fn traced(backend: impl LlmBackend + 'static, provider: &str) -> Arc<dyn LlmBackend> {
    Arc::new(TracedBackend::new(backend, Cow::Owned(provider.to_owned())))
}

impl Api {
    #[cfg(not(all(feature = "anthropic", feature = "gemini", feature = "openai")))]
    fn unsupported(self) -> ConfigError {
        let (models, feature) = match self {
            Self::Anthropic => ("Claude", "anthropic"),
            Self::Gemini => ("Gemini", "gemini"),
            _ => ("OpenAI", "openai"),
        };
        ConfigError::invalid(
            "model:",
            format!("this build can't call {models} models"),
            format!("enable the feature {feature}"),
        )
    }
}
