use crate::endpoint::TokenEndpoint;
use crate::grant::Form;
use crate::metadata::Metadata;
use gatepass_core::{ConfigError, Credential, ExposeSecret, TokenError};
use gatepass_http::ServerUrl;
use std::time::Duration;

/// The time that a whole revocation may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ends a login at its server: RFC 7009. Only at the revocation endpoint of the server that issued it.
///
/// Local copies are somebody else's: delete them whatever comes of this.
#[derive(Debug)]
pub struct Revocation {
    endpoint: TokenEndpoint,
    url: ServerUrl,
}

impl Revocation {
    /// Revokes at `server`, whose token endpoint is `endpoint`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if its revocation endpoint is not known, or it has another token endpoint.
    pub fn new(server: &Metadata, endpoint: TokenEndpoint) -> Result<Self, ConfigError> {
        let Some(url) = server.revocation_endpoint.clone() else {
            let fix = "end the login on the provider's own page";
            return Err(ConfigError::invalid("revocation_endpoint", "is not known", fix));
        };
        if *endpoint.url() != server.token_endpoint {
            let fix = "revoke where the login was issued";
            return Err(ConfigError::invalid("token_url", "is another server's", fix));
        }
        Ok(Self { endpoint, url })
    }

    /// Revokes the refresh token, and the access token then; within 5 s. A token that the server doesn't know is
    /// revoked already (RFC 7009 §2.2).
    ///
    /// # Errors
    /// [`TokenError::Config`] for a login of another server or client, which is sent nowhere; otherwise the first
    /// that went wrong, after both were tried.
    pub async fn revoke(&self, credential: &Credential) -> Result<(), TokenError> {
        self.endpoint.check_issued(credential)?;
        let refresh = credential
            .refresh_token
            .as_ref()
            .map(|token| token.expose_secret());
        let access = credential
            .access_token
            .as_ref()
            .map(|token| token.expose_secret());
        let revoking = async {
            let first = self.send(refresh, "refresh_token").await;
            let second = self.send(access, "access_token").await;
            first.and(second)
        };
        tokio::time::timeout(PATIENCE, revoking)
            .await
            .unwrap_or_else(|_| {
                Err(TokenError::Unavailable {
                    host: self.url.host(),
                    what: format!("no answer within {PATIENCE:?}"),
                    retry_after: None,
                    source: None,
                })
            })
    }

    async fn send(&self, token: Option<&str>, hint: &str) -> Result<(), TokenError> {
        let Some(token) = token else { return Ok(()) };
        let mut form = Form::default();
        form.append("token", token);
        form.append("token_type_hint", hint);
        match self.endpoint.post(&self.url, form, Some(token)).await {
            Ok(_) => Ok(()),
            // Google's word for a token that it doesn't know any more.
            Err(TokenError::Refused(refusal)) if refusal.error == "invalid_token" => Ok(()),
            // Some servers revoke refresh tokens only, and their access tokens with them.
            Err(TokenError::Refused(refusal))
                if refusal.error == "unsupported_token_type" && hint == "access_token" =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
