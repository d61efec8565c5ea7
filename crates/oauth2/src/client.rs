use crate::grant::Form;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatepass_core::{ConfigError, ExposeSecret, SecretString};
use gatepass_http::HttpRequest;
use http::{HeaderValue, header};
use url::form_urlencoded::byte_serialize;

/// The program that asks for tokens, as it is registered at the authorization server.
#[derive(Debug, Clone)]
pub struct Client {
    id: String,
    secret: Option<SecretString>,
}

/// How a client proves who it is, RFC 6749 §2.3.1. Exactly one way is used in a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthStyle {
    /// Found out: `Basic` first, and `Post` if the server refuses the client; what worked is remembered.
    #[default]
    Auto,
    /// The `Authorization: Basic` header, id and secret form-encoded first (`client_secret_basic`).
    Basic,
    /// In the form (`client_secret_post`).
    Post,
}

impl AuthStyle {
    /// Reads `auto`, `basic` or `post`; also the names of RFC 7591, `client_secret_basic` and `client_secret_post`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for any other text.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        match text {
            "auto" => Ok(Self::Auto),
            "basic" | "client_secret_basic" => Ok(Self::Basic),
            "post" | "client_secret_post" => Ok(Self::Post),
            _ => Err(ConfigError::invalid(
                "auth_style",
                "is not known",
                "write basic, post or auto",
            )),
        }
    }
}

impl Client {
    /// A confidential client.
    pub fn new(id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self {
            id: id.into(),
            secret: Some(secret.into()),
        }
    }

    /// A public client, which has no secret.
    pub fn public(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: None,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its secret, unless it is a public client.
    pub(crate) fn secret(&self) -> Option<&str> {
        self.secret.as_ref().map(|secret| secret.expose_secret())
    }

    /// What the `Basic` header carries of it.
    pub(crate) fn basic_credentials(&self) -> Option<SecretString> {
        self.secret().map(|secret| basic_credentials(&self.id, secret))
    }

    /// The request of `form` with the client's proof in it. `Auto` must have been decided.
    pub(crate) fn sign(
        &self,
        mut form: Form,
        style: AuthStyle,
        send: impl FnOnce(Form) -> HttpRequest,
    ) -> Result<HttpRequest, ConfigError> {
        match (&self.secret, style) {
            (None, _) => {
                form.append("client_id", &self.id);
                Ok(send(form))
            }
            (Some(secret), AuthStyle::Post) => {
                form.append("client_id", &self.id);
                form.append("client_secret", secret.expose_secret());
                Ok(send(form))
            }
            (Some(secret), _) => Ok(send(form).with_header(header::AUTHORIZATION, basic(&self.id, secret)?)),
        }
    }
}

impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.secret() == other.secret()
    }
}

/// RFC 6749 §2.3.1: id and secret are form-encoded (appendix B) before they are joined.
fn basic_credentials(id: &str, secret: &str) -> SecretString {
    let mut pair: String = byte_serialize(id.as_bytes()).collect();
    pair.push(':');
    pair.extend(byte_serialize(secret.as_bytes()));
    let pair = SecretString::from(pair);
    SecretString::from(STANDARD.encode(pair.expose_secret()))
}

fn basic(id: &str, secret: &SecretString) -> Result<HeaderValue, ConfigError> {
    let credentials = basic_credentials(id, secret.expose_secret());
    let mut value = HeaderValue::try_from(format!("Basic {}", credentials.expose_secret()))
        .map_err(|_| ConfigError::invalid("client_id", "doesn't fit into a header", "shorten it"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_form_encodes_id_and_secret_first() {
        // RFC 6749 appendix B's example is the secret.
        let value = basic("a:b", &SecretString::from(" %&+£€")).unwrap();
        let pair = STANDARD
            .decode(value.to_str().unwrap().strip_prefix("Basic ").unwrap())
            .unwrap();
        assert_eq!(pair, b"a%3Ab:+%25%26%2B%C2%A3%E2%82%AC");
        assert!(value.is_sensitive());
    }

    #[test]
    fn two_clients_are_the_same_by_id_and_secret() {
        let client = Client::new("id", "secret");
        assert_eq!(client, client.clone());
        for other in [
            Client::new("id", "other"),
            Client::new("other", "secret"),
            Client::public("id"),
        ] {
            assert_ne!(client, other);
        }
    }

    #[test]
    fn debug_does_not_print_the_secret() {
        assert!(!format!("{:?}", Client::new("id", "canary")).contains("canary"));
    }
}
