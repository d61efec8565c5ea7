use super::authority::Rules;
use super::ledger::Code;
use crate::json::set;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

/// The ID token of a login for `openid` (OpenID Connect Core §2). Its signature is none: nobody here has a key.
pub(super) fn of(code: &Code, rules: &Rules) -> Option<String> {
    code.scope.as_ref()?.split(' ').find(|scope| *scope == "openid")?;
    let now = rules.clock.now().wall.as_secs();
    let mut claims = json!({
        "iss": rules.issuer,
        "sub": "4711",
        "aud": code.client_id,
        "iat": now,
        "exp": now.saturating_add(3600),
        "email": "jane@example.com",
        "email_verified": true,
    });
    if let Some(nonce) = &code.nonce {
        set(&mut claims, "nonce", nonce.as_str());
    }
    for (name, value) in &rules.claims {
        set(&mut claims, name, value.clone());
    }
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    Some(format!(
        "{}.{}.{}",
        part(header.to_string()),
        part(claims.to_string()),
        part("no signature".into())
    ))
}
