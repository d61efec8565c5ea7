use super::authority::Rules;
use crate::answer::Answer;
use crate::json::set;
use serde_json::json;

/// RFC 8414 §3, and OpenID Connect Discovery 1.0 §4.
pub(super) const PATHS: [&str; 2] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
];

/// Server metadata, RFC 8414 §2.
pub(super) fn answer(rules: &Rules) -> Answer {
    if let Some(document) = &rules.metadata {
        return Answer::json(200, document);
    }
    let base = &rules.base_url;
    let methods: Vec<_> = rules.accepted.iter().map(|method| method.name()).collect();
    let mut document = json!({
        "issuer": rules.issuer,
        "token_endpoint": format!("{base}/token"),
        "introspection_endpoint": format!("{base}/introspect"),
        "revocation_endpoint": format!("{base}/revoke"),
        "authorization_endpoint": format!("{base}/authorize"),
        "device_authorization_endpoint": format!("{base}/device_authorization"),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": rules.response_issuer.is_some(),
        "grant_types_supported": [
            "authorization_code",
            "client_credentials",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "response_types_supported": ["code"],
        "token_endpoint_auth_methods_supported": methods,
    });
    if let Some(scopes) = &rules.scopes {
        set(&mut document, "scopes_supported", scopes.as_slice());
    }
    Answer::json(200, &document)
}
