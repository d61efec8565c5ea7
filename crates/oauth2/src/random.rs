use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass_core::{ExposeSecret, SecretString, TokenError};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

/// 256 bits from the system, as 43 characters that a URL can carry: a state, a nonce, a code verifier.
pub(crate) fn random() -> Result<SecretString, TokenError> {
    let mut bytes = [0_u8; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| TokenError::Interrupted {
            what: "the system has no random numbers",
        })?;
    Ok(SecretString::from(URL_SAFE_NO_PAD.encode(bytes)))
}

/// The code challenge of a verifier by the method `S256`, RFC 7636 §4.2.
pub(crate) fn challenge(verifier: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.expose_secret().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// L04, L06
    #[test]
    fn ten_thousand_are_all_different_and_fit_for_a_verifier() {
        let mut seen = HashSet::new();
        for _ in 0..10_000 {
            let text = random().unwrap().expose_secret().to_owned();
            assert_eq!(text.len(), 43);
            let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            assert!(text.bytes().all(unreserved), "{text}");
            assert!(seen.insert(text));
        }
    }

    #[test]
    fn the_challenge_is_that_of_the_rfc() {
        // RFC 7636 appendix B
        let verifier = SecretString::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(
            challenge(&verifier),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
