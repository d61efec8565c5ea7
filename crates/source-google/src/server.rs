use gatepass_http::{ServerUrl, Transport};
use gatepass_oauth2::{AuthStyle, Metadata};

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

pub(crate) fn is_google(url: &ServerUrl) -> bool {
    url.as_str().starts_with("https://") && HOSTS.contains(&&*url.host())
}
