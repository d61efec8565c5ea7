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
    /// An authorization code with its PKCE verifier, RFC 6749 §4.1.3 and RFC 7636 §4.5.
    AuthorizationCode {
        /// The code.
        code: SecretString,
        /// The redirect address of the authorization request, byte by byte.
        redirect_uri: String,
        /// What the code challenge was made from.
        code_verifier: SecretString,
    },
    /// A device code, RFC 8628 §3.4.
    DeviceCode {
        /// The device code.
        code: SecretString,
    },
}

impl Grant {
    /// What must not be seen.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        match self {
            Self::ClientCredentials { .. } => Vec::new(),
            Self::RefreshToken { token } => vec![token.expose_secret()],
            Self::AuthorizationCode {
                code, code_verifier, ..
            } => vec![code.expose_secret(), code_verifier.expose_secret()],
            Self::DeviceCode { code } => vec![code.expose_secret()],
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
            Self::AuthorizationCode {
                code,
                redirect_uri,
                code_verifier,
            } => {
                form.append("grant_type", "authorization_code");
                form.append("code", code.expose_secret());
                form.append("redirect_uri", redirect_uri);
                form.append("code_verifier", code_verifier.expose_secret());
            }
            Self::DeviceCode { code } => {
                form.append("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
                form.append("device_code", code.expose_secret());
            }
        }
        for (name, value) in target {
            form.append(name, value);
        }
        form
    }
}

/// A form that may hold secrets. They are joined no earlier than the body is needed, and once.
#[derive(Default, Clone)]
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
