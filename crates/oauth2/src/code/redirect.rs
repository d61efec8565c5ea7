//! The authorization response (RFC 6749 §4.1.2), whichever way it comes: believed by its state, used once.

use crate::login::LoginError;
use gatepass_core::{ConfigError, ExposeSecret, SecretString, TokenError, printable};
use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;
use url::form_urlencoded;

/// An address is not the answer to this login, which goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectError {
    /// Another address than the redirect address of this login.
    #[error("this is not the address that the login leads to")]
    OtherAddress,
    /// More than an answer can have.
    #[error("this address is too long")]
    TooLong,
    /// No state, or that of another login.
    #[error("this address does not belong to this login")]
    OtherState,
    /// A parameter is there twice, or can't be read, or code and error are both there, or neither.
    #[error("this address is damaged")]
    Malformed,
    /// The login has had its answer already.
    #[error("this login has had its answer already")]
    Used,
}

/// The code, or why there is none.
pub(crate) type Verdict = Result<SecretString, LoginError>;

/// Waits for the one answer to one request.
pub(crate) struct Redirect {
    state: SecretString,
    issuer: Option<String>,
    /// Whether the server has promised to name itself.
    issuer_is_sent: bool,
    verdict: Mutex<Option<oneshot::Sender<Verdict>>>,
}

/// More than any server sends.
const LONGEST: usize = 8 << 10;

impl Redirect {
    pub(crate) fn new(
        state: SecretString,
        issuer: Option<String>,
        issuer_is_sent: bool,
    ) -> (Self, oneshot::Receiver<Verdict>) {
        let (sender, receiver) = oneshot::channel();
        let redirect = Self {
            state,
            issuer,
            issuer_is_sent,
            verdict: Mutex::new(Some(sender)),
        };
        (redirect, receiver)
    }

    /// Judges a query. The state comes first: nothing else of an answer without it is looked at.
    pub(crate) fn accept(&self, query: &str) -> Result<(), RedirectError> {
        self.accept_with(query, || {})
    }

    /// As [`accept`](Self::accept); `accepted` runs before anybody hears of it.
    pub(super) fn accept_with(&self, query: &str, accepted: impl FnOnce()) -> Result<(), RedirectError> {
        if query.len() > LONGEST {
            return Err(RedirectError::TooLong);
        }
        let answer = Answer::parse(query);
        if !answer.state.is_some_and(|state| self.is_ours(&state)) {
            return Err(RedirectError::OtherState);
        }
        if answer.damaged {
            return Err(RedirectError::Malformed);
        }
        let verdict = match (
            self.check_issuer(answer.iss.as_deref()),
            answer.code,
            answer.error,
        ) {
            (Err(error), ..) => Err(error.into()),
            (Ok(()), Some(code), None) => Ok(SecretString::from(code.into_owned())),
            (Ok(()), None, Some(error)) => Err(LoginError::denied(&error, answer.description.as_deref())),
            _ => return Err(RedirectError::Malformed),
        };
        let sender = self.verdict.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The receiver is gone when time is up.
        let sender = sender
            .filter(|sender| !sender.is_closed())
            .ok_or(RedirectError::Used)?;
        accepted();
        sender.send(verdict).map_err(|_| RedirectError::Used)
    }

    /// In constant time.
    fn is_ours(&self, state: &str) -> bool {
        state
            .as_bytes()
            .ct_eq(self.state.expose_secret().as_bytes())
            .into()
    }

    /// RFC 9207 §2.4: the very text of the issuer, or no code goes anywhere and no error text is shown.
    fn check_issuer(&self, named: Option<&str>) -> Result<(), TokenError> {
        let what = match (&self.issuer, named) {
            (Some(issuer), Some(named)) if issuer != named => {
                format!("is not the one that answered the login: '{}'", printable(named))
            }
            (Some(_), None) if self.issuer_is_sent => "did not sign its answer with its name".into(),
            _ => return Ok(()),
        };
        let fix = "log in again; if this goes on, the server is misconfigured or somebody tries to take over the login";
        Err(ConfigError::invalid("issuer", what, fix).into())
    }
}

/// The parameters, each at most once.
#[derive(Default)]
struct Answer<'a> {
    state: Option<Cow<'a, str>>,
    iss: Option<Cow<'a, str>>,
    code: Option<Cow<'a, str>>,
    error: Option<Cow<'a, str>>,
    description: Option<Cow<'a, str>>,
    damaged: bool,
}

impl<'a> Answer<'a> {
    fn parse(query: &'a str) -> Self {
        let mut answer = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "state" => &mut answer.state,
                "iss" => &mut answer.iss,
                "code" => &mut answer.code,
                "error" => &mut answer.error,
                "error_description" => &mut answer.description,
                _ => continue,
            };
            let unreadable = value.is_empty() || value.contains(is_unreadable);
            let twice = place.replace(value).is_some();
            // A server's prose may be empty, or have line breaks; it is cleaned where it is shown.
            answer.damaged |= twice || (unreadable && name != "error_description");
        }
        answer
    }
}

fn is_unreadable(c: char) -> bool {
    c.is_control() || c == char::REPLACEMENT_CHARACTER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_eight_kibibytes_is_read_and_a_longer_one_is_not() {
        for (length, expected) in [(LONGEST, Ok(())), (LONGEST + 1, Err(RedirectError::TooLong))] {
            let (redirect, _verdict) = Redirect::new("state-4711".into(), None, false);
            let query = "state=state-4711&code=".to_owned();
            let rest = "c".repeat(length - query.len());
            assert_eq!(redirect.accept(&(query + &rest)), expected, "{length}");
        }
        assert_eq!(LONGEST, 8192);
    }
}
