use super::Metadata;
use crate::client::AuthStyle;
use gatepass_core::{ConfigError, printable};
use gatepass_http::{ServerUrl, Transport};
use serde::Deserialize;

#[derive(Deserialize)]
struct Document {
    issuer: Option<String>,
    token_endpoint: Option<String>,
    authorization_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: Option<bool>,
}

/// What to do about an issuer whose metadata are of no use.
pub(crate) const FIX: &str = "write token_url instead, or correct issuer";

impl Metadata {
    /// What the document says; `None` if it is no such document, but the start page that some servers have
    /// everywhere. Its issuer must be the very text that was asked for (RFC 8414 §3.3), and only on the origin that
    /// was asked may an endpoint be a private address.
    pub(crate) fn read(
        body: &[u8],
        issuer: &str,
        asked: &ServerUrl,
        transport: Transport,
    ) -> Result<Option<Self>, ConfigError> {
        let host = asked.host();
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
            ));
        }
        let Some(token_endpoint) = document.token_endpoint else {
            let what = format!("has a metadata document without token_endpoint at {host}");
            return Err(ConfigError::invalid("issuer", what, FIX));
        };
        let url = |text: &str, name: &str| {
            let field = format!("{name} of the metadata document");
            let url = ServerUrl::parse(text, &field, transport)?;
            if url.is_private() && !url.has_origin_of(asked) {
                let what = "leads to this machine or into a private network";
                return Err(ConfigError::invalid(&field, what, FIX));
            }
            Ok(url)
        };
        let optional = |text: Option<String>, name: &str| text.map(|text| url(&text, name)).transpose();
        let methods = document.token_endpoint_auth_methods_supported.unwrap_or_default();
        let challenges = document.code_challenge_methods_supported.unwrap_or_default();
        Ok(Some(Self {
            issuer: document.issuer,
            token_endpoint: url(&token_endpoint, "token_endpoint")?,
            auth_style: auth_style(&methods),
            authorization_endpoint: optional(document.authorization_endpoint, "authorization_endpoint")?,
            device_authorization_endpoint: optional(
                document.device_authorization_endpoint,
                "device_authorization_endpoint",
            )?,
            revocation_endpoint: optional(document.revocation_endpoint, "revocation_endpoint")?,
            supports_s256: has(&challenges, "S256"),
            sends_issuer: document
                .authorization_response_iss_parameter_supported
                .unwrap_or(false),
        }))
    }

    /// As it is, told by a server that must not direct our requests inside: names on another origin than that which
    /// was asked may only lead outside.
    pub(crate) fn outside(mut self, asked: &ServerUrl) -> Self {
        let endpoints = [
            Some(&mut self.token_endpoint),
            self.authorization_endpoint.as_mut(),
            self.device_authorization_endpoint.as_mut(),
            self.revocation_endpoint.as_mut(),
        ];
        for url in endpoints.into_iter().flatten() {
            if !url.has_origin_of(asked) {
                *url = url.clone().outside();
            }
        }
        self
    }
}

fn auth_style(methods: &[String]) -> AuthStyle {
    match (
        has(methods, "client_secret_basic"),
        has(methods, "client_secret_post"),
    ) {
        (true, false) => AuthStyle::Basic,
        (false, true) => AuthStyle::Post,
        _ => AuthStyle::Auto,
    }
}

fn has(values: &[String], wanted: &str) -> bool {
    values.iter().any(|value| value == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_issuer_is_refused() {
        let asked = ServerUrl::parse("https://as.example", "issuer", Transport::Encrypted).unwrap();
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
            let read = Metadata::read(document.as_bytes(), issuer, &asked, Transport::Encrypted);
            assert!(!matches!(read, Ok(Some(_))), "{document}");
        }
    }

    #[test]
    fn the_way_of_authentication_is_taken_from_the_document() {
        let issuer = "https://as.example";
        let asked = ServerUrl::parse(issuer, "issuer", Transport::Encrypted).unwrap();
        let style = |methods: &str| {
            let document =
                format!(r#"{{"issuer":"{issuer}","token_endpoint":"{issuer}/t"{methods}}}"#).into_bytes();
            Metadata::read(&document, issuer, &asked, Transport::Encrypted)
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
