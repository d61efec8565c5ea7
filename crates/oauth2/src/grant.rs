use gatepass_core::{ExposeSecret, RefreshToken, Scopes, SecretString};
use url::form_urlencoded::Serializer;

/// What a token is asked for with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Grant {
    /// The client's own rights, RFC 6749 §4.4.
    ClientCredentials {
        /// What the token shall be good for; the server's default if absent.
        scopes: Option<Scopes>,
    },
    /// A refresh token, RFC 6749 §6. The granted scopes stay as they are.
    RefreshToken {
        /// The refresh token.
        token: RefreshToken,
    },
}

impl Grant {
    /// What must not be seen.
    pub(crate) fn secret(&self) -> Option<&str> {
        match self {
            Self::ClientCredentials { .. } => None,
            Self::RefreshToken { token } => Some(token.expose_secret()),
        }
    }

    /// The grant's form, with the target parameters (`resource`, `audience`) that every request carries.
    pub(crate) fn form(&self, target: &[(String, String)]) -> Form {
        let mut form = Form::default();
        match self {
            Self::ClientCredentials { scopes } => {
                form.append("grant_type", "client_credentials");
                if let Some(scopes) = scopes.as_ref().filter(|scopes| !scopes.is_empty()) {
                    form.append("scope", &scopes.to_string());
                }
            }
            Self::RefreshToken { token } => {
                form.append("grant_type", "refresh_token");
                form.append("refresh_token", token.expose_secret());
            }
        }
        for (name, value) in target {
            form.append(name, value);
        }
        form
    }
}

/// A form that may hold secrets. They are joined no earlier than the body is needed, and once.
#[derive(Default)]
pub(crate) struct Form(Vec<(String, SecretString)>);

impl Form {
    pub(crate) fn append(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), SecretString::from(value)));
    }

    pub(crate) fn into_body(self) -> Vec<u8> {
        // Each byte becomes three at most: the text never grows, which would leave a copy behind.
        let length =
            |(name, value): &(String, SecretString)| (name.len() + value.expose_secret().len()) * 3 + 2;
        let mut form = Serializer::new(String::with_capacity(self.0.iter().map(length).sum()));
        for (name, value) in &self.0 {
            form.append_pair(name, value.expose_secret());
        }
        form.finish().into_bytes()
    }
}
