use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass_core::{SecretString, TokenError};
use ring::rand::{SecureRandom, SystemRandom};

/// 256 bits from the system, as 43 characters that a URL can carry: a state, a nonce, a code verifier (RFC 7636 §4.1).
pub(crate) fn random() -> Result<SecretString, TokenError> {
    let mut bytes = [0_u8; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| TokenError::Interrupted {
            what: "the system has no random numbers",
        })?;
    Ok(SecretString::from(URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass_core::ExposeSecret;
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
}
