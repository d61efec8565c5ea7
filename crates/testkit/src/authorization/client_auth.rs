use super::authority::{Rules, parameter};
use super::refusal::Refusal;
use crate::request::RecordedRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How a client says who it is, RFC 6749 §2.3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// `client_secret_basic`: both in the `Authorization` header, form-encoded first.
    Basic,
    /// `client_secret_post`: both in the body.
    Post,
}

impl ClientAuth {
    /// The method of a request; the header, where it uses both.
    pub(crate) fn of(request: &RecordedRequest) -> Option<Self> {
        if basic_credentials(request).is_some() {
            return Some(Self::Basic);
        }
        request.form_value("client_secret").map(|_| Self::Post)
    }

    /// Its name in server metadata (RFC 8414 §2).
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }
}

/// Finds out which client asks; tells its id.
pub(super) fn authenticate(request: &RecordedRequest, rules: &Rules) -> Result<String, Refusal> {
    let id = parameter(request, "client_id")?;
    let secret = parameter(request, "client_secret")?;
    let basic = request.headers.contains_key(http::header::AUTHORIZATION);
    if basic && secret.is_some() {
        let twice = "the client authenticates by more than one method";
        return Err(Refusal::new("invalid_request", twice));
    }
    let refused = |why| Refusal::unknown_client(why, basic);
    let (method, (id, secret)) = if basic {
        let encoded = basic_credentials(request).ok_or_else(|| refused("no Basic credentials"))?;
        let (named, secret) = decoded(encoded).ok_or_else(|| refused("malformed Basic credentials"))?;
        if id.is_some_and(|id| id != named) {
            return Err(Refusal::new("invalid_request", "two different clients are named"));
        }
        (Some(ClientAuth::Basic), (named, Some(secret)))
    } else {
        let id = id.ok_or_else(|| refused("no client is named"))?.to_owned();
        let secret = secret.map(str::to_owned);
        (secret.as_ref().map(|_| ClientAuth::Post), (id, secret))
    };
    if method.is_some_and(|method| !rules.accepted.contains(&method)) {
        return Err(refused("this server doesn't accept that authentication method"));
    }
    match rules.clients.get(&id) {
        Some(registered) if *registered == secret => Ok(id),
        _ => Err(refused("unknown client, or wrong secret")),
    }
}

fn basic_credentials(request: &RecordedRequest) -> Option<&str> {
    let (scheme, credentials) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(credentials)
}

/// `base64(form(id) ":" form(secret))`
fn decoded(credentials: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

fn form_decoded(text: &str) -> Option<String> {
    let pair = format!("={text}");
    let (_, value) = form_urlencoded::parse(pair.as_bytes()).next()?;
    Some(value.into_owned())
}
