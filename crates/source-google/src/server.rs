use gatepass_core::TokenError;
use gatepass_http::{ServerUrl, Transport};
use gatepass_oauth2::{AuthStyle, Discovery, Metadata};

pub(crate) const AUTHORIZATION: &str = "https://accounts.google.com/o/oauth2/v2/auth";
pub(crate) const TOKEN: &str = "https://oauth2.googleapis.com/token";
const ISSUER: &str = "https://accounts.google.com";
const REVOCATION: &str = "https://oauth2.googleapis.com/revoke";

/// Google's own hosts: what is known of Google is believed of these, and of no other.
const HOSTS: [&str; 3] = [
    "accounts.google.com",
    "oauth2.googleapis.com",
    "www.googleapis.com",
];

/// What is known of the server with these two endpoints.
pub(crate) fn known_as(authorization: ServerUrl, token: ServerUrl) -> Metadata {
    let googles = is_google(&authorization) && is_google(&token);
    let server = Metadata::new(token).with_authorization_endpoint(authorization);
    match ServerUrl::parse(REVOCATION, "revocation_endpoint", Transport::Encrypted) {
        Ok(revocation) if googles => server
            .with_issuer(ISSUER)
            .with_auth_style(AuthStyle::Post)
            .with_revocation_endpoint(revocation),
        _ => server,
    }
}

/// The server, and where it revokes tokens if its own origin publishes that beside the same two endpoints.
pub(crate) async fn as_published(server: &Metadata, discovery: &Discovery) -> Result<Metadata, TokenError> {
    let token = &server.token_endpoint;
    let own = |url: &ServerUrl| url.has_origin_of(token);
    if !server.authorization_endpoint.as_ref().is_some_and(own) {
        return Ok(server.clone());
    }
    let origin = token.with_path("/");
    // An issuer is compared as text, and writes itself with or without the slash.
    let issuers = [origin.as_str().trim_end_matches('/'), origin.as_str()];
    for issuer in issuers {
        let published = match discovery.metadata(issuer, Transport::Encrypted).await {
            Err(TokenError::Config(_)) => continue,
            published => published?,
        };
        let same = published.token_endpoint == *token
            && published.authorization_endpoint == server.authorization_endpoint;
        if let Some(revocation) = published.revocation_endpoint.filter(|url| same && own(url)) {
            return Ok(server.clone().with_revocation_endpoint(revocation));
        }
    }
    Ok(server.clone())
}

pub(crate) fn is_google(url: &ServerUrl) -> bool {
    url.as_str().starts_with("https://") && HOSTS.contains(&&*url.host())
}
