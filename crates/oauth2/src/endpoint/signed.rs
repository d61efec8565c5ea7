//! How a question is put to a server: signed by the client in the way that the server wants.

use super::{TokenEndpoint, network_error, unavailable};
use crate::client::AuthStyle;
use crate::conceal::conceal;
use crate::grant::Form;
use crate::wire;
use gatepass_core::{Moment, Refusal, TokenError};
use gatepass_http::{Bytes, HttpRequest, HttpResponse, ServerUrl, request_id, retry_after};
use http::{HeaderValue, StatusCode, header};
use std::sync::atomic::Ordering;

/// The most bytes that an answer may have.
pub(crate) const BODY_LIMIT: usize = 1 << 20;

/// A form for one of the server's endpoints.
pub(super) struct Question<'a> {
    pub(super) url: &'a ServerUrl,
    pub(super) form: Form,
    /// What must not be seen if the server quotes it.
    pub(super) secrets: Vec<&'a str>,
    /// The errors that are the server's last word on this question, whatever their status.
    pub(super) verdicts: &'a [&'a str],
}

/// A success.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
    pub(super) asked_at: Moment,
}

type Read<'a, T> = &'a (dyn Fn(&Answer) -> Result<T, TokenError> + Sync);

impl TokenEndpoint {
    /// One request; a second one in the other style when the server refuses the client in the first.
    pub(super) async fn ask<T: Send>(
        &self,
        question: &Question<'_>,
        read: Read<'_, T>,
    ) -> Result<T, TokenError> {
        let style = match (self.style, self.learned.load(Ordering::Relaxed)) {
            // A public client proves nothing: there is nothing to find out.
            _ if self.client.secret().is_none() => AuthStyle::Post,
            (AuthStyle::Auto, 1) => AuthStyle::Basic,
            (AuthStyle::Auto, 2) => AuthStyle::Post,
            (style, _) => style,
        };
        if style != AuthStyle::Auto {
            return self.send(question, style, read).await;
        }
        let refusal = match self.send(question, AuthStyle::Basic, read).await {
            Err(TokenError::Refused(refusal)) if may_be_the_style(&refusal) => refusal,
            outcome => return self.learn(1, outcome),
        };
        match self.send(question, AuthStyle::Post, read).await {
            // It isn't the style, then: the first answer is the better one.
            Err(TokenError::Refused(second)) if may_be_the_style(&second) || second.error.is_empty() => {
                Err(TokenError::Refused(refusal))
            }
            outcome => self.learn(2, outcome),
        }
    }

    /// Remembers the style in which the client was recognised. A refusal for another reason shows that, too; a mere
    /// status doesn't.
    fn learn<T>(&self, style: u8, outcome: Result<T, TokenError>) -> Result<T, TokenError> {
        let recognised = match &outcome {
            Ok(_) => true,
            Err(TokenError::Refused(refusal)) => !refusal.error.is_empty(),
            Err(_) => false,
        };
        if recognised {
            self.learned.store(style, Ordering::Relaxed);
        }
        outcome
    }

    async fn send<T: Send>(
        &self,
        question: &Question<'_>,
        style: AuthStyle,
        read: Read<'_, T>,
    ) -> Result<T, TokenError> {
        let outcome = self
            .exchange(question, style)
            .await
            .and_then(|answer| read(&answer));
        let secrets = question.secrets.iter().copied().chain(self.client.secret());
        outcome.map_err(|error| conceal(error, secrets.map(Some)))
    }

    async fn exchange(&self, question: &Question<'_>, style: AuthStyle) -> Result<Answer, TokenError> {
        let url = question.url;
        let asked_at = self.clock.now();
        let request = self
            .client
            .sign(question.form.clone(), style, |form| {
                HttpRequest::post_form(url.clone(), form.into_body())
            })?
            // Some servers send an HTML page to whoever doesn't ask for JSON.
            .with_header(header::ACCEPT, HeaderValue::from_static("application/json"));
        let network = |error| network_error(url, error);
        let mut response = self.http.send(request).await.map_err(network)?;
        if !response.status().is_success() {
            let body = response.read_some().await;
            return Err(self.judge(question, &response, &body));
        }
        let status = response.status().as_u16();
        let body = response.read(BODY_LIMIT).await.map_err(network)?;
        Ok(Answer {
            status,
            body,
            asked_at,
        })
    }

    /// An error answer. What a 4xx says is a verdict, unless it says "later"; what a 5xx says is none.
    fn judge(&self, question: &Question<'_>, response: &HttpResponse, body: &[u8]) -> TokenError {
        let status = response.status();
        let host = question.url.host();
        let (error, description) = wire::read_error(body);
        if status.is_redirection() {
            let what = format!(
                "it redirects (status {}); secrets don't follow redirects",
                status.as_u16()
            );
            return TokenError::malformed(format!("{what} ({host})"));
        }
        if is_transient(status, &error) && !question.verdicts.contains(&&*error) {
            let code = if error.is_empty() {
                String::new()
            } else {
                format!(" {}", gatepass_core::printable(&error))
            };
            let retry_after = retry_after(response.headers(), self.clock.now().wall_time());
            return unavailable(
                question.url,
                format!("status {}{code}", status.as_u16()),
                retry_after,
            );
        }
        let refusal = Refusal::new(host, status.as_u16(), &error)
            .with_description(description.as_deref())
            .with_request_id(request_id(response.headers()));
        TokenError::Refused(Box::new(refusal))
    }
}

/// RFC 6749 §5.2 lets a server answer 400 or 401; some call a missing parameter `invalid_request`.
fn may_be_the_style(refusal: &Refusal) -> bool {
    refusal.status == 401 || matches!(refusal.error.as_str(), "invalid_client" | "invalid_request")
}

fn is_transient(status: StatusCode, error: &str) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429)
        || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
        || matches!(error, "temporarily_unavailable" | "server_error" | "slow_down")
}
