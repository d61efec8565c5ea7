use crate::client::Client;
use gatepass_core::{ExposeSecret, SecretString};
use http::{HeaderMap, HeaderValue};
use url::form_urlencoded::byte_serialize;

/// A shorter text can't be told from an ordinary word of a description.
const SHORTEST: usize = 8;

/// The secrets of one request, in each form in which it carries them: some servers quote what they refuse.
pub(crate) struct Secrets(Vec<SecretString>);

impl Secrets {
    /// Those of `client`, and those that the form has besides.
    pub(crate) fn of(client: &Client, of_form: &[&str]) -> Self {
        let plain = client.secret().into_iter().chain(of_form.iter().copied());
        let mut forms: Vec<SecretString> = plain
            .flat_map(|secret| {
                let encoded: String = byte_serialize(secret.as_bytes()).collect();
                [SecretString::from(secret), SecretString::from(encoded)]
            })
            .chain(client.basic_credentials())
            .filter(|form| form.expose_secret().len() >= SHORTEST)
            .collect();
        // The longest first: one may be a part of another.
        forms.sort_by_key(|form| std::cmp::Reverse(form.expose_secret().len()));
        Self(forms)
    }

    /// The text without them. It must be whole: what was cut already isn't recognised.
    pub(crate) fn conceal(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, form| {
            text.replace(form.expose_secret(), "***")
        })
    }

    /// The headers without them.
    pub(crate) fn conceal_headers(&self, headers: &HeaderMap) -> HeaderMap {
        let mut headers = headers.clone();
        for value in headers.values_mut() {
            let concealed = value.to_str().map(|text| self.conceal(text));
            if let Some(concealed) = concealed.ok().and_then(|text| HeaderValue::try_from(text).ok()) {
                *value = concealed;
            }
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::Grant;
    use gatepass_core::RefreshToken;

    #[test]
    fn a_secret_within_another_one_leaves_nothing_of_it() {
        let client = Client::new("client", "canary-4711");
        let token = RefreshToken::new("head-canary-4711-tail");
        let secrets = Secrets::of(&client, &Grant::RefreshToken { token }.secrets());
        assert_eq!(
            secrets.conceal("no head-canary-4711-tail, canary-4711"),
            "no ***, ***"
        );
    }

    #[test]
    fn what_is_short_could_be_a_word() {
        let secrets = Secrets::of(
            &Client::new("a", "invalid"),
            &Grant::ClientCredentials { scopes: None }.secrets(),
        );
        assert_eq!(secrets.conceal("invalid_grant"), "invalid_grant");
    }
}
