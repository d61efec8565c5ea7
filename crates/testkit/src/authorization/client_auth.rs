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
    let tried_basic = request.headers.contains_key(http::header::AUTHORIZATION);
    let refused = |why| Refusal::unknown_client(why, tried_basic);
    let claim = if tried_basic {
        by_header(request)?
    } else {
        by_body(request)?
    };
    if claim
        .method
        .is_some_and(|method| !rules.accepted.contains(&method))
    {
        return Err(refused("this server doesn't accept that authentication method"));
    }
    match rules.clients.get(&claim.id) {
        Some(registered) if *registered == claim.secret => Ok(claim.id),
        _ => Err(refused("unknown client, or wrong secret")),
    }
}

/// Who a client says it is.
struct Claim {
    /// `None` for a public client, which only names itself.
    method: Option<ClientAuth>,
    id: String,
    secret: Option<String>,
}

fn by_header(request: &RecordedRequest) -> Result<Claim, Refusal> {
    if parameter(request, "client_secret")?.is_some() {
        let twice = "the client authenticates by more than one method";
        return Err(Refusal::new("invalid_request", twice));
    }
    let Some((id, secret)) = basic_credentials(request).and_then(decoded) else {
        return Err(Refusal::unknown_client("malformed Basic credentials", true));
    };
    if parameter(request, "client_id")?.is_some_and(|named| named != id) {
        return Err(Refusal::new("invalid_request", "two different clients are named"));
    }
    Ok(Claim {
        method: Some(ClientAuth::Basic),
        id,
        secret: Some(secret),
    })
}

fn by_body(request: &RecordedRequest) -> Result<Claim, Refusal> {
    let secret = parameter(request, "client_secret")?;
    let Some(id) = parameter(request, "client_id")? else {
        return Err(Refusal::unknown_client("no client is named", false));
    };
    Ok(Claim {
        method: secret.map(|_| ClientAuth::Post),
        id: id.to_owned(),
        secret: secret.map(str::to_owned),
    })
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
