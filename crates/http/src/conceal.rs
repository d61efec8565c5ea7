use gatepass_core::{AccessToken, ExposeSecret, ProviderError};
use http::HeaderValue;
use std::sync::Arc;

/// Hides the secrets of a call in what its server says: some servers quote the token that they refuse.
#[derive(Debug, Clone, Default)]
pub struct Concealer {
    token: Option<AccessToken>,
    /// The sensitive headers among those of every request.
    headers: Option<Arc<[HeaderValue]>>,
}

/// What is shorter could be a word.
const SHORTEST: usize = 8;

impl Concealer {
    pub(crate) const fn of(token: AccessToken, headers: Option<Arc<[HeaderValue]>>) -> Self {
        let token = Some(token);
        Self { token, headers }
    }

    /// The text with `***` for each secret, and for the beginning of one that the text ends in: it was cut there.
    #[must_use]
    pub fn conceal(&self, text: &str) -> String {
        let headers = self.headers.iter().flat_map(|headers| headers.iter());
        let headers = headers.filter_map(|value| std::str::from_utf8(value.as_bytes()).ok());
        let token = self.token.iter().map(ExposeSecret::expose_secret);
        let secrets = token.chain(headers).filter(|secret| secret.len() >= SHORTEST);
        secrets.fold(text.to_owned(), |text, secret| without(secret, &text))
    }

    /// Conceals in all that an error shows of the server's words.
    pub fn conceal_error(&self, error: &mut ProviderError) {
        error.message = self.conceal(&error.message);
        for told in [&mut error.upstream, &mut error.failed_generation] {
            *told = told.as_deref().map(|told| self.conceal(told));
        }
        error.code = error.code.as_deref().map(|code| self.conceal(code));
        error.request_id = error.request_id.as_deref().map(|id| self.conceal(id));
    }
}

fn without(secret: &str, text: &str) -> String {
    let text = text.replace(secret, "***");
    let end = text.trim_end_matches('…');
    let cut = (SHORTEST..secret.len())
        .rev()
        .find_map(|length| end.strip_suffix(secret.get(..length)?));
    cut.map_or_else(|| text.clone(), |rest| format!("{rest}***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_hidden_whole_and_cut() {
        let concealer = Concealer::of(AccessToken::bearer("canary-0123456789").unwrap(), None);
        assert_eq!(
            concealer.conceal("bad token canary-0123456789!"),
            "bad token ***!"
        );
        assert_eq!(concealer.conceal("bad token canary-0123…"), "bad token ***");
        assert_eq!(
            concealer.conceal("canary-0123456789 and canary-012"),
            "*** and ***"
        );
        assert_eq!(concealer.conceal("a canary"), "a canary");
        assert_eq!(Concealer::default().conceal("canary"), "canary");
        assert!(!format!("{concealer:?}").contains("canary"));
    }

    #[test]
    fn a_sensitive_header_is_hidden_too() {
        let mut header = HeaderValue::from_static("canary-of-a-header");
        header.set_sensitive(true);
        let token = AccessToken::bearer("0123456789").unwrap();
        let concealer = Concealer::of(token, Some(Arc::from([header])));
        assert_eq!(
            concealer.conceal("not canary-of-a-header, not 0123456789, not canary-of"),
            "not ***, not ***, not ***"
        );
        assert!(!format!("{concealer:?}").contains("canary"));
    }
}
