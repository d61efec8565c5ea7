//! What token endpoints send, RFC 6749 §5: lenient about what real servers do, strict about what is dangerous.

use gatepass_core::{AccessToken, Moment, RefreshToken, Refusal, Scopes, SecretString, TokenError};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::time::Duration;
use url::form_urlencoded;

/// A token endpoint's success, RFC 6749 §5.1.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenResponse {
    /// The access token, with its expiry and the granted scopes.
    pub access_token: AccessToken,
    /// The refresh token, if there is a (new) one.
    pub refresh_token: Option<RefreshToken>,
}

/// The lifetime of a token whose server doesn't tell it.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3600);

/// The longest lifetime that is believed: ten years.
const LONGEST_LIFETIME: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The members of success and error. Unknown ones are ignored (§5.1); a known one that comes twice is an error.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Members {
    access_token: Option<SecretString>,
    token_type: Option<String>,
    #[serde(deserialize_with = "seconds")]
    expires_in: Option<i64>,
    refresh_token: Option<SecretString>,
    scope: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Reads a body that came with a success status.
pub(crate) fn read_success(
    host: &str,
    status: u16,
    body: &[u8],
    asked_at: Moment,
) -> Result<TokenResponse, TokenError> {
    let members = read(body).map_err(|what| TokenError::malformed(format!("{what} ({host})")))?;
    if let Some(error) = members.error.filter(|error| !error.is_empty()) {
        let refusal = Refusal::new(host, status, &error);
        return Err(TokenError::Refused(Box::new(
            refusal.with_description(members.error_description.as_deref()),
        )));
    }
    // RFC 6749 §7.1: a token of a type that the client doesn't understand must not be used.
    if let Some(kind) = members
        .token_type
        .filter(|kind| !kind.eq_ignore_ascii_case("bearer"))
    {
        let kind = type_name(&kind).map_or_else(String::new, |name| format!("'{name}', "));
        return Err(TokenError::malformed(format!(
            "token_type is {kind}not Bearer ({host})"
        )));
    }
    let Some(secret) = members.access_token else {
        return Err(TokenError::malformed(format!("it has no access_token ({host})")));
    };
    let lifetime = lifetime(members.expires_in);
    let mut access_token = AccessToken::bearer(secret)
        .map_err(|_| {
            TokenError::malformed(format!("its access_token is empty or no visible ASCII ({host})"))
        })?
        .with_lifetime(lifetime)
        .with_expires_at(asked_at.after(lifetime).wall_time());
    if let Some(scopes) = members.scope.as_deref().and_then(granted) {
        access_token = access_token.with_scopes(scopes);
    }
    Ok(TokenResponse {
        access_token,
        refresh_token: members.refresh_token.map(RefreshToken::new),
    })
}

/// Reads `error` and `error_description` (§5.2) from a body that came with an error status; empty if it has none.
pub(crate) fn read_error(body: &[u8]) -> (String, Option<String>) {
    let members = read(body).unwrap_or_default();
    (members.error.unwrap_or_default(), members.error_description)
}

fn read(body: &[u8]) -> Result<Members, String> {
    let text = std::str::from_utf8(body)
        .map_err(|_| "it is not UTF-8")?
        .trim_start_matches('\u{feff}')
        .trim();
    match text.as_bytes().first() {
        None => Err("it is empty".into()),
        Some(b'{') => serde_json::from_str(text).map_err(|error| describe(&error)),
        Some(b'<') => Err("it is an HTML or XML page, not JSON".into()),
        _ if text.contains('=') && !text.contains(char::is_whitespace) => read_form(text),
        _ => Err("it is not a JSON object".into()),
    }
}

/// Some servers answer with a form (early GitHub, Facebook, some gateways).
fn read_form(text: &str) -> Result<Members, String> {
    let mut members = Members::default();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let value = Cow::into_owned(value);
        let twice = match &*name {
            "access_token" => members.access_token.replace(value.into()).is_some(),
            "refresh_token" => members.refresh_token.replace(value.into()).is_some(),
            "token_type" => members.token_type.replace(value).is_some(),
            "scope" => members.scope.replace(value).is_some(),
            "error" => members.error.replace(value).is_some(),
            "error_description" => members.error_description.replace(value).is_some(),
            "expires_in" => {
                let seconds = number(&value).ok_or("expires_in is not a number of seconds")?;
                members.expires_in.replace(seconds).is_some()
            }
            _ => false,
        };
        if twice {
            return Err(format!("it has {name} twice"));
        }
    }
    Ok(members)
}

/// The parser's complaint without the text that it read.
fn describe(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    let text = error.to_string();
    if text.starts_with("duplicate field") || text.starts_with(NOT_SECONDS) {
        return text;
    }
    match error.classify() {
        serde_json::error::Category::Data => format!("a member has the wrong type at {place}"),
        serde_json::error::Category::Eof => format!("it is cut off at {place}"),
        _ => format!("it is not valid JSON at {place}"),
    }
}

const NOT_SECONDS: &str = "expires_in is not a number of seconds";

/// `3600`, `3600.0`, `"3600"`: servers send them all. `null` is as good as nothing.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let seconds = match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Null => return Ok(None),
        serde_json::Value::Number(value) => value.as_i64().or_else(|| value.as_f64().and_then(whole)),
        serde_json::Value::String(value) => number(&value),
        _ => None,
    };
    seconds
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom(NOT_SECONDS))
}

fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
}

/// The whole seconds of a float; more than an `i64` holds becomes the largest.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float cast saturates, which is what is wanted"
)]
fn whole(seconds: f64) -> Option<i64> {
    seconds.is_finite().then_some(seconds as i64)
}

/// A name that may be shown: a short one of the characters of RFC 6749 appendix A.13, and so no token.
fn type_name(text: &str) -> Option<&str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    ((1..=16).contains(&text.len()) && text.chars().all(is_name)).then_some(text)
}

/// Nothing told: an hour. Zero or less: none, which the cache turns into a short use.
fn lifetime(expires_in: Option<i64>) -> Duration {
    let Some(seconds) = expires_in else {
        return DEFAULT_LIFETIME;
    };
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).min(LONGEST_LIFETIME)
}

/// Servers separate scopes by several spaces, or by commas; what is no scope is left out.
fn granted(text: &str) -> Option<Scopes> {
    let values: Vec<&str> = text.split([' ', ',']).filter(|value| !value.is_empty()).collect();
    Scopes::parse(&values.join(" ")).ok()
}

#[cfg(test)]
mod mutations;

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass_core::ExposeSecret;

    fn read(body: &str) -> Result<TokenResponse, TokenError> {
        let asked_at = Moment::new(Duration::from_secs(1_800_000_000), Duration::from_secs(5));
        read_success("as.example", 200, body.as_bytes(), asked_at)
    }

    fn lifetime_of(expires_in: &str) -> Option<u64> {
        let body = format!(r#"{{"access_token":"t","expires_in":{expires_in}}}"#);
        Some(read(&body).ok()?.access_token.lifetime()?.as_secs())
    }

    #[test]
    fn a_response_is_read() {
        let response =
            read(r#"{"access_token":"t","token_type":"bearer","expires_in":60,"scope":"a b","x":[1]}"#);
        let token = response.unwrap().access_token;
        assert_eq!(token.expose_secret(), "t");
        assert_eq!(token.lifetime(), Some(Duration::from_secs(60)));
        assert_eq!(token.scopes().unwrap().to_string(), "a b");
        let expected = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_060);
        assert_eq!(
            token.expires_at(),
            Some(expected),
            "counted from the question, not from the answer"
        );
    }

    #[test]
    fn expires_in_is_read_in_every_form_that_servers_send() {
        for (text, expected) in [
            ("3600", 3600),
            ("\"3600\"", 3600),
            ("\" 3600 \"", 3600),
            ("3599.9", 3599),
            ("\"3599.9\"", 3599),
            ("3.6e3", 3600),
            ("null", 3600),
            ("0", 0),
            ("-5", 0),
            ("\"-5\"", 0),
            ("9223372036854775808", 315_360_000),
            ("1e300", 315_360_000),
            ("18446744073709551616", 315_360_000),
        ] {
            assert_eq!(lifetime_of(text), Some(expected), "{text}");
        }
        assert_eq!(
            read(r#"{"access_token":"t"}"#).unwrap().access_token.lifetime(),
            Some(DEFAULT_LIFETIME)
        );
    }

    #[test]
    fn an_expires_in_that_is_no_number_is_an_error() {
        for text in ["true", "\"soon\"", "\"\"", "[3600]", "{}", "\"NaN\"", "\"inf\""] {
            let error = read(&format!(r#"{{"access_token":"canary","expires_in":{text}}}"#)).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("expires_in is not a number of seconds"),
                "{text}: {error}"
            );
            assert!(!format!("{error:?}").contains("canary"));
        }
    }

    #[test]
    fn only_bearer_tokens_are_used() {
        for good in [
            r#","token_type":"Bearer""#,
            r#","token_type":"BEARER""#,
            r#","token_type":null"#,
            "",
        ] {
            assert!(
                read(&format!(r#"{{"access_token":"t"{good}}}"#)).is_ok(),
                "{good}"
            );
        }
        for bad in [r#""mac""#, r#""evil""#, r#""""#, r#""DPoP""#, "7", "[]"] {
            let error = read(&format!(r#"{{"access_token":"t","token_type":{bad}}}"#)).unwrap_err();
            assert!(matches!(error, TokenError::Malformed { .. }), "{bad}: {error}");
        }
    }

    #[test]
    fn what_is_no_token_response_is_an_error_that_shows_nothing_of_it() {
        for bad in [
            "",
            " ",
            "null",
            "[]",
            "\"canary\"",
            "canary",
            "<html>canary</html>",
            "{",
            r#"{"access_token":"canary"#,
            "{}",
            r#"{"access_token":null}"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":7}"#,
            r#"{"access_token":["canary"]}"#,
            r#"{"access_token":"canary","access_token":"canary2"}"#,
            r#"{"access_token":"canary\u0000"}"#,
            r#"{"access_token":"can ary"}"#,
            r#"{"access_token":"canary","refresh_token":{"canary":1}}"#,
            "access_token=canary&access_token=canary",
            "access_token=canary&expires_in=soon",
        ] {
            let error = read(bad).unwrap_err();
            assert!(matches!(error, TokenError::Malformed { .. }), "{bad}: {error:?}");
            assert!(
                !format!("{error} {error:?}").contains("canary"),
                "{bad}: {error:?}"
            );
        }
        let error = read_success(
            "h",
            200,
            b"{\"access_token\":\"\xff\"}",
            Moment::new(Duration::ZERO, Duration::ZERO),
        );
        assert!(matches!(error, Err(TokenError::Malformed { .. })));
    }

    #[test]
    fn a_form_is_read_too() {
        let response = read("access_token=t%2B&token_type=bearer&expires_in=60&scope=a,b").unwrap();
        assert_eq!(response.access_token.expose_secret(), "t+");
        assert_eq!(response.access_token.scopes().unwrap().to_string(), "a b");
    }

    #[test]
    fn an_error_inside_a_success_is_a_refusal() {
        let error =
            read(r#"{"error":"bad_verification_code","error_description":"The code\u001b[31m is wrong"}"#);
        match error.unwrap_err() {
            TokenError::Refused(refusal) => {
                assert_eq!(refusal.error, "bad_verification_code");
                assert_eq!(refusal.description.as_deref(), Some("The code [31m is wrong"));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn debug_does_not_print_the_tokens() {
        let response = read(r#"{"access_token":"canary-a","refresh_token":"canary-r"}"#).unwrap();
        assert!(!format!("{response:?}").contains("canary"));
    }
}
