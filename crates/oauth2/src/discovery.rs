use crate::client::AuthStyle;
use crate::endpoint::{BODY_LIMIT, TIMEOUT, network_error};
use gatepass_core::{ConfigError, TokenError, printable};
use gatepass_http::{HttpClient, HttpRequest, ServerUrl, Transport};
use http::{HeaderValue, header};
use serde::Deserialize;

/// What an authorization server says of itself (RFC 8414, OpenID Connect Discovery), as far as it is used.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Metadata {
    /// The token endpoint.
    pub token_endpoint: ServerUrl,
    /// How clients prove who they are there, where it says so.
    pub auth_style: AuthStyle,
}

#[derive(Deserialize)]
struct Document {
    issuer: Option<String>,
    token_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Metadata {
    /// Asks the server that `issuer` names, at the place of RFC 8414 §3.1 first and at OpenID Connect's then.
    ///
    /// The document's `issuer` must be the very text that was asked for (RFC 8414 §3.3).
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if there is no such document or it names another issuer;
    /// [`TokenError::Unavailable`] if the server can't be asked.
    pub async fn discover(http: &HttpClient, issuer: &str, transport: Transport) -> Result<Self, TokenError> {
        let url = Self::issuer_url(issuer, transport)?;
        let discovery = async {
            for place in places(&url) {
                let Some(body) = fetch(http, place).await? else {
                    continue;
                };
                if let Some(metadata) = read(&body, issuer, &url, transport)? {
                    return Ok(metadata);
                }
            }
            Err(TokenError::malformed(format!(
                "{} publishes no metadata document",
                url.host()
            )))
        };
        tokio::time::timeout(TIMEOUT, discovery)
            .await
            .unwrap_or_else(|_| {
                let what = format!("no metadata document within {TIMEOUT:?}");
                Err(TokenError::Unavailable {
                    host: url.host(),
                    what,
                    retry_after: None,
                    source: None,
                })
            })
    }

    /// The address of an issuer: no query, no fragment (RFC 8414 §2).
    ///
    /// # Errors
    /// [`ConfigError::Invalid`], never with the address itself.
    pub fn issuer_url(issuer: &str, transport: Transport) -> Result<ServerUrl, ConfigError> {
        if issuer.contains('?') {
            let fix = "remove the '?' and what follows";
            return Err(ConfigError::invalid("issuer", "contains a query", fix));
        }
        ServerUrl::parse(issuer, "issuer", transport)
    }
}

/// RFC 8414 §3.1 inserts the well-known part before the issuer's path; OpenID Connect appends it.
fn places(issuer: &ServerUrl) -> [ServerUrl; 3] {
    let path = issuer.path().trim_end_matches('/');
    [
        issuer.with_path(&format!("/.well-known/oauth-authorization-server{path}")),
        issuer.with_path(&format!("{path}/.well-known/openid-configuration")),
        issuer.with_path(&format!("/.well-known/openid-configuration{path}")),
    ]
}

/// The document; `None` if there is none at this place.
async fn fetch(http: &HttpClient, place: ServerUrl) -> Result<Option<Vec<u8>>, TokenError> {
    let request = HttpRequest::get(place.clone())
        .with_header(header::ACCEPT, HeaderValue::from_static("application/json"));
    let mut response = http
        .send(request)
        .await
        .map_err(|error| network_error(&place, error))?;
    let status = response.status();
    if status.is_server_error() || status.as_u16() == 429 {
        let what = format!("status {} for its metadata document", status.as_u16());
        return Err(TokenError::Unavailable {
            host: place.host(),
            what,
            retry_after: None,
            source: None,
        });
    }
    if !status.is_success() {
        return Ok(None);
    }
    let body = response
        .read(BODY_LIMIT)
        .await
        .map_err(|error| network_error(&place, error))?;
    Ok(Some(body.to_vec()))
}

/// What the document says; `None` if it is no such document, but the start page that some servers have everywhere.
fn read(
    body: &[u8],
    issuer: &str,
    url: &ServerUrl,
    transport: Transport,
) -> Result<Option<Metadata>, TokenError> {
    let host = url.host();
    let Ok(document) = serde_json::from_slice::<Document>(body) else {
        return Ok(None);
    };
    if document.issuer.as_deref() != Some(issuer) {
        let other = document
            .issuer
            .map_or_else(|| "no issuer".into(), |other| format!("'{}'", printable(&other)));
        return Err(ConfigError::invalid(
            "issuer",
            format!("is not the one that {host} names: {other}"),
            "write the issuer exactly as the server does, if you trust it",
        )
        .into());
    }
    let Some(token_endpoint) = document.token_endpoint else {
        return Err(TokenError::malformed(format!(
            "the metadata document of {host} names no token_endpoint"
        )));
    };
    let methods = document.token_endpoint_auth_methods_supported.unwrap_or_default();
    let has = |method: &str| methods.iter().any(|one| one == method);
    Ok(Some(Metadata {
        token_endpoint: ServerUrl::parse(
            &token_endpoint,
            "token_endpoint of the metadata document",
            transport,
        )?,
        auth_style: match (has("client_secret_basic"), has("client_secret_post")) {
            (true, false) => AuthStyle::Basic,
            (false, true) => AuthStyle::Post,
            _ => AuthStyle::Auto,
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> ServerUrl {
        ServerUrl::parse(text, "issuer", Transport::Encrypted).unwrap()
    }

    #[test]
    fn the_document_is_looked_for_where_the_standards_say() {
        let of = |issuer: &str| places(&url(issuer)).map(|place| place.as_str().to_owned());
        assert_eq!(
            of("https://as.example/tenant/"),
            [
                "https://as.example/.well-known/oauth-authorization-server/tenant",
                "https://as.example/tenant/.well-known/openid-configuration",
                "https://as.example/.well-known/openid-configuration/tenant",
            ]
        );
        assert_eq!(
            of("https://as.example")[0],
            "https://as.example/.well-known/oauth-authorization-server"
        );
    }

    #[test]
    fn another_issuer_is_refused() {
        for document in [
            r#"{"issuer":"https://evil.example","token_endpoint":"https://as.example/t"}"#,
            r#"{"issuer":"https://as.example/","token_endpoint":"https://as.example/t"}"#,
            r#"{"token_endpoint":"https://as.example/t"}"#,
            r#"{"issuer":"https://as.example"}"#,
            r#"{"issuer":"https://as.example","token_endpoint":"http://as.example/t"}"#,
            r#"{"issuer":"https://as.example","token_endpoint":7}"#,
            "[]",
            "<html>",
        ] {
            let issuer = "https://as.example";
            let read = read(document.as_bytes(), issuer, &url(issuer), Transport::Encrypted);
            assert!(!matches!(read, Ok(Some(_))), "{document}");
        }
    }

    #[test]
    fn the_way_of_authentication_is_taken_from_the_document() {
        let issuer = "https://as.example";
        let style = |methods: &str| {
            let document =
                format!(r#"{{"issuer":"{issuer}","token_endpoint":"{issuer}/t"{methods}}}"#).into_bytes();
            read(&document, issuer, &url(issuer), Transport::Encrypted)
                .unwrap()
                .unwrap()
                .auth_style
        };
        assert_eq!(style(""), AuthStyle::Auto);
        assert_eq!(
            style(r#","token_endpoint_auth_methods_supported":["client_secret_post"]"#),
            AuthStyle::Post
        );
        assert_eq!(
            style(r#","token_endpoint_auth_methods_supported":["client_secret_basic"]"#),
            AuthStyle::Basic
        );
        assert_eq!(
            style(r#","token_endpoint_auth_methods_supported":["private_key_jwt"]"#),
            AuthStyle::Auto
        );
    }
}
