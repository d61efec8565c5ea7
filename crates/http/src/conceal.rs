use gatepass_core::{AccessToken, ExposeSecret, ProviderError};

/// Hides the token of a call in what its server says: some servers quote the token that they refuse.
#[derive(Debug, Clone, Default)]
pub struct Concealer(Option<AccessToken>);

/// What is shorter could be a word.
const SHORTEST: usize = 8;

impl Concealer {
    pub(crate) const fn of(token: AccessToken) -> Self {
        Self(Some(token))
    }

    /// The text with `***` for the token, and for the beginning of one that the text ends in: it was cut there.
    #[must_use]
    pub fn conceal(&self, text: &str) -> String {
        let secret = self.0.as_ref().map_or("", ExposeSecret::expose_secret);
        if secret.len() < SHORTEST {
            return text.to_owned();
        }
        let text = text.replace(secret, "***");
        let end = text.trim_end_matches('…');
        let cut = (SHORTEST..secret.len())
            .rev()
            .find_map(|length| end.strip_suffix(secret.get(..length)?));
        cut.map_or_else(|| text.clone(), |rest| format!("{rest}***"))
    }

    /// Conceals in all that an error shows of the server's words.
    pub fn conceal_error(&self, error: &mut ProviderError) {
        error.message = self.conceal(&error.message);
        error.code = error.code.as_deref().map(|code| self.conceal(code));
        error.request_id = error.request_id.as_deref().map(|id| self.conceal(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_hidden_whole_and_cut() {
        let concealer = Concealer::of(AccessToken::bearer("canary-0123456789").unwrap());
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
}
