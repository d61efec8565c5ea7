use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass_core::{ExposeSecret, SecretString, TokenError, printable};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::{Duration, SystemTime};

/// Who logged in, as the ID token says that came straight from the token endpoint.
///
/// Issuer, audience, time and nonce are checked; the signature isn't: the token came from the issuer's own endpoint
/// over TLS, which OpenID Connect Core §3.1.3.7 accepts in its place. So it is fit for a label and for telling one
/// account from another, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// What the issuer calls the person (`sub`): unique, and never given to another.
    pub subject: String,
    /// Their e-mail address, fit for a terminal.
    pub email: Option<String>,
}

/// What an ID token must say.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    /// That of the authorization request, if there was one.
    pub(crate) nonce: Option<&'a str>,
    pub(crate) now: SystemTime,
}

/// How far the two clocks may be apart.
const LEEWAY: Duration = Duration::from_secs(300);

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    nonce: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Identity {
    pub(crate) fn read(token: &SecretString, expected: &Expected<'_>) -> Result<Self, TokenError> {
        let bad = |what: &str| TokenError::malformed(format!("the ID token {what}"));
        let mut parts = token.expose_secret().split('.');
        let (Some(header), Some(claims), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad("is not a signed JWT"));
        };
        let (Some(header), Some(claims)) = (part::<Header>(header), part::<Claims>(claims)) else {
            return Err(bad("cannot be read"));
        };
        if header.alg.is_empty() || header.alg.eq_ignore_ascii_case("none") {
            return Err(bad("is not signed"));
        }
        if claims.iss != expected.issuer {
            return Err(bad("is from another issuer"));
        }
        if !claims.is_for(expected.client_id) {
            return Err(bad("is for another client"));
        }
        if expected.nonce.is_some() && claims.nonce.as_deref() != expected.nonce {
            return Err(bad("belongs to another login"));
        }
        let latest = expected.now - LEEWAY;
        let end = Duration::try_from_secs_f64(claims.exp).ok();
        let end = end.and_then(|end| SystemTime::UNIX_EPOCH.checked_add(end));
        if end.is_none_or(|end| end <= latest) {
            return Err(bad("has expired"));
        }
        if claims.sub.is_empty() {
            return Err(bad("names nobody"));
        }
        let email = claims
            .email
            .map(|email| printable(&email))
            .filter(|email| !email.is_empty());
        Ok(Self {
            subject: claims.sub,
            email,
        })
    }
}

impl Claims {
    /// OpenID Connect Core §3.1.3.7, 3 to 5.
    fn is_for(&self, client_id: &str) -> bool {
        let authorized = |optional: bool| match &self.azp {
            Some(azp) => azp == client_id,
            None => optional,
        };
        match &self.aud {
            Audience::One(one) => one == client_id && authorized(true),
            Audience::Several(several) => {
                several.iter().any(|one| one == client_id) && authorized(several.len() == 1)
            }
        }
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(header: &Value, claims: &Value) -> Result<Identity, TokenError> {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        read_text(&format!("{}.{}.canary", encode(header), encode(claims)))
    }

    fn read_text(token: &str) -> Result<Identity, TokenError> {
        let expected = Expected {
            issuer: "https://as.example",
            client_id: "app",
            nonce: Some("n"),
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000),
        };
        Identity::read(&SecretString::from(token), &expected)
    }

    fn claims() -> Value {
        json!({"iss": "https://as.example", "sub": "4711", "aud": "app", "exp": 1_000_100, "nonce": "n", "email": "j@x.example"})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    #[test]
    fn a_good_token_tells_who_it_is() {
        for good in [
            claims(),
            with("aud", json!(["app"])),
            with("exp", json!(999_800.5)),
            json!({"iss": "https://as.example", "sub": "4711", "aud": ["app", "x"], "azp": "app", "exp": 2e6, "nonce": "n"}),
        ] {
            assert_eq!(read(&json!({"alg": "RS256"}), &good).unwrap().subject, "4711");
        }
        let hostile = with("email", json!("j\u{1b}[2J@x"));
        assert_eq!(
            read(&json!({"alg": "RS256"}), &hostile).unwrap().email.as_deref(),
            Some("j [2J@x")
        );
    }

    /// T08
    #[test]
    fn a_forged_expired_or_foreign_token_is_an_error() {
        for (name, value) in [
            ("iss", json!("https://evil.example")),
            ("iss", json!("https://as.example/")),
            ("aud", json!("other")),
            ("aud", json!(["other"])),
            ("aud", json!(["app", "other"])),
            ("azp", json!("other")),
            ("exp", json!(999_000)),
            ("exp", json!("1000100")),
            ("exp", json!(-1)),
            ("nonce", json!("other")),
            ("nonce", Value::Null),
            ("sub", json!("")),
            ("sub", Value::Null),
        ] {
            let error = read(&json!({"alg": "RS256"}), &with(name, value.clone())).unwrap_err();
            assert!(error.to_string().contains("the ID token"), "{name} {value}");
        }
        for header in [
            json!({"alg": "none"}),
            json!({"alg": "NONE"}),
            json!({"alg": ""}),
            json!({}),
        ] {
            assert!(read(&header, &claims()).is_err(), "{header}");
        }
        for text in [
            "",
            "canary",
            "a.b",
            "a.b.c",
            "..",
            "....",
            "e30.e30.",
            "e30.e30.e30.e30",
        ] {
            let error = read_text(text).unwrap_err();
            assert!(!format!("{error:?}").contains("canary"));
        }
    }
}
