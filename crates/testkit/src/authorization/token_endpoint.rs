use super::authority::{Rules, parameter};
use super::client_auth::authenticate;
use super::id_token;
use super::ledger::{Code, Grant, Ledger, Refresh};
use super::refusal::Refusal;
use crate::answer::Answer;
use crate::json::set;
use crate::request::RecordedRequest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

/// The token endpoint, RFC 6749 §3.2: each grant is a function.
pub(super) fn answer(
    request: &RecordedRequest,
    rules: &Rules,
    ledger: &mut Ledger,
) -> Result<Answer, Refusal> {
    let client_id = authenticate(request, rules)?;
    match parameter(request, "grant_type")? {
        Some("client_credentials") => client_credentials(request, client_id, rules, ledger),
        Some("authorization_code") => authorization_code(request, &client_id, rules, ledger),
        Some(DEVICE_CODE) => device_code(request, &client_id, rules, ledger),
        Some("refresh_token") => refresh_token(request, &client_id, rules, ledger),
        Some(_) => Err(Refusal::new("unsupported_grant_type", "no such grant here")),
        None => Err(Refusal::missing("grant_type")),
    }
}

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// RFC 6749 §4.1.3 and RFC 7636 §4.6. A code that comes twice ends what came of it (RFC 6749 §4.1.2).
fn authorization_code(
    request: &RecordedRequest,
    client_id: &str,
    rules: &Rules,
    ledger: &mut Ledger,
) -> Result<Answer, Refusal> {
    let name = parameter(request, "code")?.ok_or_else(|| Refusal::missing("code"))?;
    let code = take(name, client_id, ledger)?;
    let Some(redirect) = &code.redirect else {
        return Err(Refusal::new("invalid_grant", "the code is a device's"));
    };
    if parameter(request, "redirect_uri")? != Some(&redirect.uri) {
        return Err(Refusal::new(
            "invalid_grant",
            "the redirect address is another one",
        ));
    }
    let verifier = parameter(request, "code_verifier")?;
    if verifier.map(challenge) != redirect.challenge {
        return Err(Refusal::new("invalid_grant", "the code verifier is wrong"));
    }
    Ok(log_in(rules, ledger, code))
}

/// RFC 8628 §3.4
fn device_code(
    request: &RecordedRequest,
    client_id: &str,
    rules: &Rules,
    ledger: &mut Ledger,
) -> Result<Answer, Refusal> {
    let name = parameter(request, "device_code")?.ok_or_else(|| Refusal::missing("device_code"))?;
    let code = take(name, client_id, ledger)?;
    Ok(log_in(rules, ledger, code))
}

fn take(name: &str, client_id: &str, ledger: &mut Ledger) -> Result<Code, Refusal> {
    match ledger.use_code(name) {
        Some(code) if code.client_id != client_id => {
            Err(Refusal::new("invalid_grant", "the code is another client's"))
        }
        Some(code) if code.used => {
            ledger.revoke_family(code.family);
            Err(Refusal::new("invalid_grant", "the code was used before"))
        }
        Some(code) => Ok(code),
        None => Err(Refusal::new("invalid_grant", "the code is unknown")),
    }
}

/// All that a login brings.
fn log_in(rules: &Rules, ledger: &mut Ledger, code: Code) -> Answer {
    let refresh_token = ledger.issue(Grant::new(code.client_id.clone(), code.family, None));
    let id_token = id_token::of(&code, rules);
    let grant = Grant::new(code.client_id, code.family, code.scope);
    let mut body = issue(rules, ledger, grant, Some(refresh_token));
    if let Some(id_token) = id_token {
        set(&mut body, "id_token", id_token);
    }
    no_store(&body)
}

/// `S256`
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
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
    Ok(no_store(&issue(
        rules,
        ledger,
        Grant::new(client_id, family, scope),
        None,
    )))
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
    Ok(no_store(&issue(rules, ledger, grant, renewed)))
}

/// What is granted of the scopes that are asked for, RFC 6749 §3.3.
pub(super) fn granted(asked: Option<&str>, rules: &Rules) -> Result<Option<String>, Refusal> {
    match (asked, &rules.scopes) {
        (Some(asked), Some(known)) if !asked.split(' ').all(|scope| known.iter().any(|k| k == scope)) => Err(
            Refusal::new("invalid_scope", "this server doesn't know one of the scopes"),
        ),
        (Some(asked), _) => Ok(Some(asked.to_owned())),
        (None, known) => Ok(known.as_ref().map(|known| known.join(" "))),
    }
}

/// RFC 6749 §5.1.
fn issue(rules: &Rules, ledger: &mut Ledger, grant: Grant, refresh_token: Option<String>) -> Value {
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
    body
}

fn no_store(body: &Value) -> Answer {
    Answer::json(200, body)
        .with_header("cache-control", "no-store")
        .with_header("pragma", "no-cache")
}
