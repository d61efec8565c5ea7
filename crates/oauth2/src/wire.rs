//! What token endpoints send, RFC 6749 §5: lenient about what real servers do, strict about what is dangerous.

use gatepass_core::{AccessToken, ExposeSecret, Moment, RefreshToken, Scopes, SecretString, TokenError};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
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
    /// The ID token, if there is one (OpenID Connect Core §3.1.3.3). Nobody has checked it yet.
    pub id_token: Option<SecretString>,
}

/// A token endpoint's error, RFC 6749 §5.2, as the server wrote it: not yet fit to be shown.
#[derive(Default)]
pub(crate) struct Complaint {
    /// Empty if it named none.
    pub(crate) error: String,
    pub(crate) description: Option<String>,
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
    id_token: Option<SecretString>,
    #[serde(deserialize_with = "scope")]
    scope: Option<String>,
    error: Option<String>,
    #[serde(deserialize_with = "text")]
    error_description: Option<String>,
}

/// Reads a body that came with a success status; some servers complain with it.
pub(crate) fn read_success(
    host: &str,
    body: &[u8],
    asked_at: Moment,
) -> Result<Result<TokenResponse, Complaint>, TokenError> {
    let members = read(body).map_err(|what| TokenError::malformed(format!("{what} ({host})")))?;
    if members.error.as_ref().is_some_and(|error| !error.is_empty()) {
        return Ok(Err(members.into()));
    }
    token_response(host, members, asked_at).map(Ok)
}

fn token_response(host: &str, members: Members, asked_at: Moment) -> Result<TokenResponse, TokenError> {
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
    // An empty one is none: the old one stays good.
    let refresh_token = members
        .refresh_token
        .filter(|token| !token.expose_secret().is_empty())
        .map(RefreshToken::new);
    Ok(TokenResponse {
        access_token,
        refresh_token,
        id_token: members.id_token,
    })
}

/// Reads a body that came with an error status; what can't be read says nothing.
pub(crate) fn read_error(body: &[u8]) -> Complaint {
    read(body).unwrap_or_default().into()
}

impl From<Members> for Complaint {
    fn from(members: Members) -> Self {
        Self {
            error: members.error.unwrap_or_default(),
            description: members.error_description,
        }
    }
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
            "id_token" => members.id_token.replace(value.into()).is_some(),
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
    let seconds = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::Number(value) => value.as_i64().or_else(|| value.as_f64().and_then(whole)),
        Value::String(value) => number(&value),
        _ => None,
    };
    seconds
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom(NOT_SECONDS))
}

/// A member that only people read: what is no text is as good as nothing.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(Some(text)),
        _ => Ok(None),
    }
}

/// `"a b"`, or `["a", "b"]` of some servers; another kind is as good as nothing.
fn scope<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Array(values) => {
            let values: Option<Vec<_>> = values.iter().map(Value::as_str).collect();
            values.map(|values| values.join(" "))
        }
        _ => None,
    })
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
mod tests;
