//! The two places where a person consents: in a browser, and for a device.

use super::authority::{Rules, parameter};
use super::client_auth::authenticate;
use super::ledger::{Code, Ledger, Redirect};
use super::refusal::Refusal;
use super::token_endpoint::granted;
use crate::answer::Answer;
use crate::request::RecordedRequest;
use form_urlencoded::Serializer;
use serde_json::json;

/// The authorization endpoint, RFC 6749 §4.1.1. What is wrong with client or redirect address stays here; all else
/// goes back to the client.
pub(super) fn answer(request: &RecordedRequest, rules: &Rules, ledger: &mut Ledger) -> Answer {
    let client_id = request.query_value("client_id").unwrap_or_default();
    if !rules.clients.contains_key(client_id) {
        return Answer::text(400, "unknown client");
    }
    let Some(uri) = request.query_value("redirect_uri") else {
        return Answer::text(400, "no redirect address");
    };
    let mut parameters = match consent(request, rules, ledger, uri) {
        Ok(code) => vec![("code", code)],
        Err(refusal) => refusal.parameters().into(),
    };
    if let Some(state) = request.query_value("state") {
        parameters.push(("state", state.to_owned()));
    }
    if let Some(issuer) = &rules.response_issuer {
        parameters.push(("iss", issuer.clone()));
    }
    let query = Serializer::new(String::new()).extend_pairs(parameters).finish();
    let separator = if uri.contains('?') { '&' } else { '?' };
    Answer::redirect(302, &format!("{uri}{separator}{query}"))
}

fn consent(
    request: &RecordedRequest,
    rules: &Rules,
    ledger: &mut Ledger,
    uri: &str,
) -> Result<String, Refusal> {
    if request.query_value("response_type") != Some("code") {
        return Err(Refusal::new("unsupported_response_type", "only code"));
    }
    if let Some(error) = &rules.refusal {
        return Err(Refusal::new(error.clone(), "the person has refused"));
    }
    let challenge = request.query_value("code_challenge").map(str::to_owned);
    if challenge.is_some() && request.query_value("code_challenge_method") != Some("S256") {
        return Err(Refusal::new("invalid_request", "only S256"));
    }
    let redirect = Redirect {
        uri: uri.to_owned(),
        challenge,
    };
    Ok(ledger.issue_code(Code {
        client_id: request.query_value("client_id").unwrap_or_default().to_owned(),
        scope: granted(request.query_value("scope"), rules)?,
        nonce: request.query_value("nonce").map(str::to_owned),
        redirect: Some(redirect),
        family: 0,
        used: false,
    }))
}

/// Device authorization, RFC 8628 §3.1.
pub(super) fn device(
    request: &RecordedRequest,
    rules: &Rules,
    ledger: &mut Ledger,
) -> Result<Answer, Refusal> {
    let client_id = authenticate(request, rules)?;
    let code = ledger.issue_code(Code {
        client_id,
        scope: granted(parameter(request, "scope")?, rules)?,
        nonce: None,
        redirect: None,
        family: 0,
        used: false,
    });
    let page = format!("{}/device", rules.base_url);
    let body = json!({
        "device_code": code,
        "user_code": "WDJB-MJHT",
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code=WDJB-MJHT"),
        "expires_in": 1800,
        "interval": 5,
    });
    Ok(Answer::json(200, &body).with_header("cache-control", "no-store"))
}
