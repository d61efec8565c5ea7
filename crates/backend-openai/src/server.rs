use crate::dialect::Dialect;
use crate::embeddings;
use gatepass_core::{BackendError, ConfigError, EmbeddingRequest, Embeddings, ModelInfo, TokenSource};
use gatepass_http::{AuthorizedClient, Call, HttpClient, HttpOptions, RetryPolicy, ServerUrl, Transport};
use gatepass_wire::{read_error, read_json};
use http::{HeaderMap, HeaderName};
use std::sync::Arc;

/// A server that speaks OpenAI's language, and what all of its APIs have in common.
#[derive(Debug)]
pub(crate) struct Server {
    client: AuthorizedClient,
    pub(crate) dialect: Dialect,
    /// Whether the path names the model: Azure's deployments.
    has_deployments: bool,
}

/// The header that Microsoft wants an API key in; a token of Entra's is a bearer token, as everywhere.
const AZURE_KEY: HeaderName = HeaderName::from_static("api-key");

impl Server {
    pub(crate) fn new(base_url: &str, source: impl TokenSource + 'static) -> Result<Self, ConfigError> {
        let base_url = ServerUrl::parse(base_url, "base_url", Transport::Encrypted)?;
        let http = HttpClient::new(HttpOptions::default())?;
        Ok(Self::with_http(http, base_url, Arc::new(source)))
    }

    pub(crate) fn with_http(http: HttpClient, base_url: ServerUrl, source: Arc<dyn TokenSource>) -> Self {
        let dialect = Dialect::of(&base_url);
        let base_url = match dialect.usual_path() {
            Some(path) if base_url.path() == "/" => base_url.at_path(path),
            _ => base_url,
        };
        let mut client = AuthorizedClient::new(http, base_url, source, read_error);
        if dialect == Dialect::Azure {
            client = client.with_key_header(AZURE_KEY);
        }
        Self {
            client,
            dialect,
            has_deployments: false,
        }
    }

    /// `{resource}/openai/deployments/{model}/…?api-version=…`.
    pub(crate) fn azure(
        http: HttpClient,
        resource: &ServerUrl,
        api_version: &str,
        source: Arc<dyn TokenSource>,
    ) -> Result<Self, ConfigError> {
        let is_version = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if api_version.is_empty() || !api_version.bytes().all(is_version) {
            let (what, fix) = (
                "is no version",
                "write it as Azure's documentation does: 2024-10-21",
            );
            return Err(ConfigError::invalid("api_version", what, fix));
        }
        if resource.as_str().contains('?') {
            let (what, fix) = ("has a query", "write it as https://NAME.openai.azure.com");
            return Err(ConfigError::invalid("base_url", what, fix));
        }
        let base_url = resource
            .join("openai")
            .with_query(&[("api-version", api_version)]);
        let mut server = Self::with_http(http, base_url, source);
        // Under a name of one's own, too.
        server.client = server.client.with_key_header(AZURE_KEY);
        server.dialect = Dialect::Azure;
        server.has_deployments = true;
        Ok(server)
    }

    pub(crate) fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.client = self.client.with_headers(headers);
        self
    }

    pub(crate) fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.client = self.client.with_retry(retry);
        self
    }

    /// Sends a body to `path`, below the deployment if the path names one.
    pub(crate) fn post<'a>(
        &'a self,
        path: &str,
        model: Option<&str>,
        body: Vec<u8>,
    ) -> Result<Call<'a>, BackendError> {
        if !self.has_deployments {
            return Ok(self.client.post_json(path, body));
        }
        let deployment = segment(model.unwrap_or_default())?;
        let path = format!("deployments/{deployment}/{path}");
        Ok(self.client.post_json(&path, body))
    }

    pub(crate) async fn embed(&self, request: &EmbeddingRequest) -> Result<Embeddings, BackendError> {
        let body = embeddings::encode(request, self.dialect)?;
        let response = self.post("embeddings", request.model.as_deref(), body)?.await?;
        embeddings::read(response, request.texts.len()).await
    }

    pub(crate) async fn models(&self) -> Result<Vec<ModelInfo>, BackendError> {
        let response = self.client.get("models").await?;
        read_json(response, |origin, body| {
            let models = crate::models::models(body).map_err(|error| origin.unparsable("it", &error))?;
            models.ok_or_else(|| origin.unreadable("it has no list of models"))
        })
        .await
    }
}

/// A name as one segment of a path, percent-encoded (RFC 3986 §2.1), so that it can't lead to another address.
fn segment(name: &str) -> Result<String, BackendError> {
    crate::check::model_name(Some(name))?;
    if matches!(name, "." | "..") {
        return Err(crate::check::invalid(
            "the model's name is no name of a deployment",
        ));
    }
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_alone_gets_the_path_of_its_api_where_that_is_known() {
        for (base_url, expected) in [
            ("https://api.openai.com", "https://api.openai.com/v1"),
            ("https://api.openai.com/", "https://api.openai.com/v1"),
            ("https://api.openai.com/v2", "https://api.openai.com/v2"),
            ("https://api.groq.com", "https://api.groq.com/openai/v1"),
            ("https://openrouter.ai", "https://openrouter.ai/api/v1"),
            ("https://api.deepseek.com", "https://api.deepseek.com/"),
            ("http://localhost:8080", "http://localhost:8080/"),
        ] {
            let key = gatepass_core::AccessToken::bearer("key").unwrap();
            let source = gatepass_core::StaticTokenSource::new(key);
            let server = Server::new(base_url, source).unwrap();
            assert_eq!(server.client.base_url().as_str(), expected, "{base_url}");
        }
    }

    #[test]
    fn a_deployment_stays_one_segment() {
        assert_eq!(segment("gpt-4o_2.x~1").unwrap(), "gpt-4o_2.x~1");
        assert_eq!(
            segment("a/../b?c#d e%2Fü").unwrap(),
            "a%2F..%2Fb%3Fc%23d%20e%252F%C3%BC"
        );
        for bad in ["", ".", "..", "a\nb"] {
            assert!(segment(bad).is_err(), "{bad:?}");
        }
    }
}
