//! What holds whatever bytes come: the tests try it with damaged answers, the fuzzer (`fuzz/`) with all that it thinks of.

use crate::device::DeviceCode;
use crate::identity::{Expected, Identity};
use crate::metadata::Metadata;
use crate::wire::{read_error, read_success};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass_core::{ExposeSecret, Moment, SecretString};
use gatepass_http::{ServerUrl, Transport};
use serde_json::Value;
use std::time::{Duration, SystemTime};

const ISSUER: &str = "https://as.example";

/// A token response of any status: a token, a complaint or an error, all of them fit to be used and shown.
pub fn token_response(body: &[u8]) {
    let asked_at = Moment::new(Duration::from_secs(1_800_000_000), Duration::from_secs(5));
    match read_success("as.example", body, asked_at) {
        Ok(Ok(response)) => {
            let token = &response.access_token;
            assert!(!token.expose_secret().is_empty());
            assert!(token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()));
            assert!(token.lifetime().is_some() && token.expires_at().is_some());
        }
        Ok(Err(complaint)) => assert!(!complaint.error.is_empty()),
        Err(error) => is_fit_for_a_terminal(&error.to_string()),
    }
    let complaint = read_error(body);
    let refusal = gatepass_core::Refusal::new("as.example", 400, &complaint.error)
        .with_description(complaint.description.as_deref());
    is_fit_for_a_terminal(&refusal.to_string());
}

/// A metadata document: it speaks of the issuer that was asked, and of encrypted, public addresses only.
pub fn metadata(body: &[u8]) {
    let Ok(asked) = ServerUrl::parse(ISSUER, "issuer", Transport::Encrypted) else {
        return;
    };
    match Metadata::read(body, ISSUER, &asked, Transport::Encrypted) {
        Ok(Some(metadata)) => {
            assert_eq!(metadata.issuer.as_deref(), Some(ISSUER));
            let others = [
                metadata.authorization_endpoint,
                metadata.device_authorization_endpoint,
                metadata.revocation_endpoint,
            ];
            for url in others.iter().flatten().chain([&metadata.token_endpoint]) {
                assert!(url.as_str().starts_with("https://") && !url.is_private());
            }
        }
        Ok(None) => {}
        Err(error) => is_fit_for_a_terminal(&error.to_string()),
    }
}

/// The answer to a device login: what is shown to the person is fit for it, and the login ends within the hour.
pub fn device_authorization(body: &[u8]) {
    const HOUR: Duration = Duration::from_secs(3600);
    match DeviceCode::read("as.example", body) {
        Ok(device) => {
            is_fit_for_a_terminal(&device.user_code);
            assert!(!device.user_code.is_empty());
            for address in [Some(device.verification_uri), device.verification_uri_complete]
                .iter()
                .flatten()
            {
                assert!(address.starts_with("https://") || address.starts_with("http://"));
                assert!(address.bytes().all(|byte| byte.is_ascii_graphic()), "{address:?}");
            }
            assert!(!device.interval.is_zero() && device.interval <= HOUR);
            assert!(!device.expires_in.is_zero() && device.expires_in <= HOUR);
        }
        Err(error) => is_fit_for_a_terminal(&error.to_string()),
    }
}

/// An ID token, or header and claims, a line each, that are encoded here: who it names is named by this issuer, to
/// this client, for this login, and now.
pub fn id_token(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let token = match text.split_once('\n') {
        Some((header, claims)) => {
            let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
            format!("{}.{}.c2ln", part(header), part(claims))
        }
        None => text.to_owned(),
    };
    let expected = Expected {
        issuer: ISSUER,
        client_id: "app",
        nonce: Some("nonce-4711"),
        now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
    };
    match Identity::read(&SecretString::from(token.as_str()), &expected) {
        Ok(identity) => {
            let mut parts = token.split('.').map(decoded);
            let header = parts.next().flatten().unwrap_or_default();
            let claims = parts.next().flatten().unwrap_or_default();
            let says = |name: &str, value: &str| claims.get(name).is_some_and(|found| found == value);
            assert!(
                header
                    .get("alg")
                    .is_some_and(|alg| alg != "none" && alg != "NONE")
            );
            assert!(says("iss", ISSUER) && says("nonce", "nonce-4711"));
            assert!(says("sub", &identity.subject) && !identity.subject.is_empty());
            let listed = claims.get("aud").and_then(Value::as_array);
            assert!(
                says("aud", "app") || listed.is_some_and(|several| several.iter().any(|one| one == "app"))
            );
            assert!(says("azp", "app") || claims.get("azp").is_none_or(Value::is_null));
            let end = claims.get("exp").and_then(Value::as_f64).unwrap_or_default();
            assert!(end > 1_800_000_000.0 - 301.0);
            is_fit_for_a_terminal(identity.email.as_deref().unwrap_or_default());
        }
        Err(error) => is_fit_for_a_terminal(&error.to_string()),
    }
}

fn decoded(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// The query of an address that somebody leads the person's browser to: without state and issuer of this login it
/// ends nothing, and no login ends twice.
#[cfg(feature = "login")]
pub fn callback(query: &[u8]) {
    use crate::code::Redirect;
    let Ok(query) = std::str::from_utf8(query) else {
        return;
    };
    let named = |name: &str| -> Vec<String> {
        let parameters = url::form_urlencoded::parse(query.as_bytes());
        let values = parameters.filter(|(found, _)| found == name);
        values.map(|(_, value)| value.into_owned()).collect()
    };
    for issuer_is_sent in [false, true] {
        let (redirect, mut verdict) = Redirect::new("state-4711".into(), Some(ISSUER.into()), issuer_is_sent);
        if redirect.accept(query).is_err() {
            assert!(verdict.try_recv().is_err(), "the login goes on");
            continue;
        }
        assert_eq!(named("state"), ["state-4711"]);
        match verdict.try_recv() {
            Ok(Ok(code)) => {
                assert_eq!(named("code"), [code.expose_secret()]);
                assert!(named("error").is_empty());
                let issuer = named("iss");
                assert!(issuer == [ISSUER] || (issuer.is_empty() && !issuer_is_sent));
            }
            Ok(Err(error)) => is_fit_for_a_terminal(&error.to_string()),
            Err(_) => assert_eq!(named("state").len(), 0, "an accepted answer has a verdict"),
        }
        assert!(redirect.accept(query).is_err(), "used");
    }
}

fn is_fit_for_a_terminal(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
    assert!(text.len() < 5000, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass_testkit::{damaged, hostile};

    /// The fuzzer's, which are read in the ordinary tests, too.
    const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");

    const DOCUMENT: &str = r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/token",
        "authorization_endpoint":"https://as.example/authorize","revocation_endpoint":"http://127.0.0.1:1/revoke",
        "code_challenge_methods_supported":["S256"],"authorization_response_iss_parameter_supported":true}"#;

    #[test]
    fn no_metadata_make_the_reader_panic_or_lead_elsewhere() {
        metadata(DOCUMENT.as_bytes());
        (0..30_000).for_each(|seed| metadata(&damaged(DOCUMENT.as_bytes(), seed)));
        hostile(format!("{CORPUS}/discovery_metadata"), metadata);
    }

    #[test]
    fn no_token_response_is_half_a_token_or_drives_a_terminal() {
        hostile(format!("{CORPUS}/token_response"), token_response);
    }

    #[test]
    fn no_device_authorization_makes_a_login_endless_or_drives_a_terminal() {
        hostile(format!("{CORPUS}/device_authorization"), device_authorization);
    }

    /// T08
    #[test]
    fn no_id_token_names_who_it_may_not() {
        let token = "{\"alg\":\"RS256\"}\n{\"iss\":\"https://as.example\",\"sub\":\"1\",\"aud\":[\"app\"],\"exp\":1800000100,\
            \"nonce\":\"nonce-4711\",\"email\":\"j@x.example\"}";
        id_token(token.as_bytes());
        (0..30_000).for_each(|seed| id_token(&damaged(token.as_bytes(), seed)));
        hostile(format!("{CORPUS}/id_token"), id_token);
    }

    #[test]
    #[cfg(feature = "login")]
    fn no_query_ends_a_login_that_it_does_not_belong_to() {
        let queries = [
            "code=abc&state=state-4711&iss=https%3A%2F%2Fas.example",
            "error=access_denied&error_description=no%0Away&state=state-4711&iss=https://as.example",
            "state=state-4711&code=a+b&scope=x",
        ];
        for query in queries {
            callback(query.as_bytes());
            (0..20_000).for_each(|seed| callback(&damaged(query.as_bytes(), seed)));
        }
        hostile(format!("{CORPUS}/callback_request"), callback);
    }
}
