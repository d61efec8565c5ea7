//! How a question is put to a server: signed by the client in the way that the server wants.

use super::TokenEndpoint;
use crate::client::AuthStyle;
use crate::conceal::Secrets;
use crate::grant::Form;
use crate::verdict::{may_be_the_style, network_error, verdict};
use crate::wire::{self, Complaint};
use gatepass_core::{Moment, TokenError};
use gatepass_http::{Bytes, HttpRequest, ServerUrl};
use http::{HeaderValue, header};
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
    pub(super) final_words: &'a [&'a str],
}

/// A success.
pub(super) struct Answer {
    pub(super) body: Bytes,
    pub(super) asked_at: Moment,
}

/// Reads a success; some servers complain with it.
type Read<'a, T> = &'a (dyn Fn(&Answer) -> Result<Result<T, Complaint>, TokenError> + Sync);

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
        let complaint = if response.status().is_success() {
            let body = response.read(BODY_LIMIT).await.map_err(network)?;
            match read(&Answer { body, asked_at })? {
                Ok(answer) => return Ok(answer),
                Err(complaint) => complaint,
            }
        } else {
            wire::read_error(&response.read_some().await)
        };
        let secrets = Secrets::of(&self.client, &question.secrets);
        let now = self.clock.now().wall_time();
        Err(verdict(
            &response,
            &complaint,
            question.final_words,
            &secrets,
            now,
        ))
    }
}
