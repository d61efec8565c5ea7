use gatepass_core::TokenError;
use url::form_urlencoded::byte_serialize;

/// A shorter text can't be told from an ordinary word of a description.
const SHORTEST: usize = 8;

/// Takes the secrets of a request out of what the server said: some quote what they refuse.
pub(crate) fn conceal<'a>(
    mut error: TokenError,
    secrets: impl IntoIterator<Item = Option<&'a str>>,
) -> TokenError {
    for secret in secrets.into_iter().flatten() {
        let encoded: String = byte_serialize(secret.as_bytes()).collect();
        for form in [secret, &encoded] {
            match &mut error {
                TokenError::Refused(refusal) => {
                    hide(&mut refusal.error, form);
                    if let Some(description) = &mut refusal.description {
                        hide(description, form);
                    }
                }
                TokenError::Unavailable { what, .. } => hide(what, form),
                _ => {}
            }
        }
    }
    error
}

fn hide(text: &mut String, secret: &str) {
    if secret.len() >= SHORTEST && text.contains(secret) {
        *text = text.replace(secret, "***");
    }
}
