use super::authority::{Rules, parameter};
use super::client_auth::authenticate;
use super::ledger::{Grant, Ledger, Refresh};
use super::refusal::Refusal;
use crate::answer::Answer;
use crate::json::set;
use crate::request::RecordedRequest;
use serde_json::json;

/// The token endpoint, RFC 6749 §3.2: each grant is a function.
pub(super) fn answer(
    request: &RecordedRequest,
    rules: &Rules,
    ledger: &mut Ledger,
) -> Result<Answer, Refusal> {
    let client_id = authenticate(request, rules)?;
    match parameter(request, "grant_type")? {
        Some("client_credentials") => client_credentials(request, client_id, rules, ledger),
        Some("refresh_token") => refresh_token(request, &client_id, rules, ledger),
        Some(_) => Err(Refusal::new("unsupported_grant_type", "no such grant here")),
        None => Err(Refusal::missing("grant_type")),
    }
}

/// RFC 6749 §4.4; without a refresh token (§4.4.3).
fn client_credentials(
    request: &RecordedRequest,
    client_id: String,
    rules: &Rules,
    ledger: &mut Ledger,
) -> Result<Answer, Refusal> {
    if rules.clients.get(&client_id).is_none_or(Option::is_none) {
        return Err(Refusal::new(
            "unauthorized_client",
            "a public client has no credentials",
        ));
    }
    let scope = granted(parameter(request, "scope")?, rules)?;
    let family = ledger.new_family();
    Ok(issue(rules, ledger, Grant::new(client_id, family, scope), None))
}

/// RFC 6749 §6, with rotation and the detection of reuse (RFC 9700 §4.14.2).
fn refresh_token(
    request: &RecordedRequest,
    client_id: &str,
    rules: &Rules,
    ledger: &mut Ledger,
) -> Result<Answer, Refusal> {
    let old = parameter(request, "refresh_token")?.ok_or_else(|| Refusal::missing("refresh_token"))?;
    let family = match ledger.refresh(old, client_id) {
        Refresh::Allowed { family } => family,
        Refresh::Reused if !rules.punish_reuse => {
            return Err(Refusal::new("invalid_grant", "the refresh token was used before"));
        }
        Refresh::Reused => {
            ledger.revoke(old);
            let why = "the refresh token was used before; the grant is revoked";
            return Err(Refusal::new("invalid_grant", why));
        }
        Refresh::Unknown => {
            let why = "the refresh token is unknown, revoked, or another client's";
            return Err(Refusal::new("invalid_grant", why));
        }
    };
    let scope = granted(parameter(request, "scope")?, rules)?;
    let renewed = rules.rotate.then(|| ledger.rotate(old, client_id, family));
    let grant = Grant::new(client_id.to_owned(), family, scope);
    Ok(issue(rules, ledger, grant, renewed))
}

/// What is granted of the scopes that are asked for, RFC 6749 §3.3.
fn granted(asked: Option<&str>, rules: &Rules) -> Result<Option<String>, Refusal> {
    match (asked, &rules.scopes) {
        (Some(asked), Some(known)) if !asked.split(' ').all(|scope| known.iter().any(|k| k == scope)) => Err(
            Refusal::new("invalid_scope", "this server doesn't know one of the scopes"),
        ),
        (Some(asked), _) => Ok(Some(asked.to_owned())),
        (None, known) => Ok(known.as_ref().map(|known| known.join(" "))),
    }
}

/// RFC 6749 §5.1.
fn issue(rules: &Rules, ledger: &mut Ledger, grant: Grant, refresh_token: Option<String>) -> Answer {
    let scope = grant.scope.clone();
    let token = ledger.issue(grant.until(rules.clock.now().after(rules.lifetime)));
    let mut body = json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": rules.lifetime.as_secs(),
    });
    if let Some(scope) = scope {
        set(&mut body, "scope", scope);
    }
    if let Some(refresh_token) = refresh_token {
        set(&mut body, "refresh_token", refresh_token);
    }
    Answer::json(200, &body)
        .with_header("cache-control", "no-store")
        .with_header("pragma", "no-cache")
}
