//! B2: from an issuer to its token endpoint, and to no other.

use crate::support::{Trap, client, grant, http, in_full, quick};
use gatepass_core::TokenError;
use gatepass_http::Transport;
use gatepass_oauth2::{AuthStyle, Discovery, Metadata, TokenEndpoint};
use gatepass_testkit::{Answer, AuthorizationServer, ClientAuth};
use serde_json::json as value;

pub(crate) const OAUTH: &str = "/.well-known/oauth-authorization-server";
pub(crate) const OPENID: &str = "/.well-known/openid-configuration";

pub(crate) async fn discover(issuer: &str) -> Result<Metadata, TokenError> {
    let discovery = Discovery::new(http()).with_retry(quick());
    discovery.metadata(issuer, Transport::Encrypted).await
}

pub(crate) fn paths(server: &AuthorizationServer) -> Vec<String> {
    server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect()
}

/// B2
#[tokio::test]
async fn an_issuer_leads_to_a_token() {
    for accepted in [ClientAuth::Basic, ClientAuth::Post] {
        let server = AuthorizationServer::start().await;
        server.accept_only(accepted);
        let metadata = discover(&server.issuer()).await.unwrap();
        assert_eq!(metadata.token_endpoint.as_str(), server.token_url());
        let endpoint = TokenEndpoint::new(http(), metadata.token_endpoint, client());
        let endpoint = endpoint.with_auth_style(metadata.auth_style).with_retry(quick());
        endpoint.request(&grant()).await.unwrap();
        assert_eq!(
            paths(&server),
            [OAUTH, "/token"],
            "the first place does, and no way is tried in vain"
        );
    }
}

/// B2, M02: RFC 8414 first, then OpenID Connect, both of them where the issuer has a path.
#[tokio::test]
async fn the_places_are_tried_in_order() {
    let server = AuthorizationServer::start().await;
    server.always_at(OAUTH, Answer::text(404, "not here"));
    discover(&server.issuer()).await.unwrap();
    assert_eq!(paths(&server), [OAUTH, OPENID]);

    let server = AuthorizationServer::start().await;
    let issuer = format!("{}/tenant", server.issuer());
    let document = value!({"issuer": issuer, "token_endpoint": server.token_url()});
    server.always_at(
        "/tenant/.well-known/openid-configuration",
        Answer::json(200, &document),
    );
    discover(&issuer).await.unwrap();
    let tenant = format!("{OAUTH}/tenant");
    assert_eq!(
        paths(&server),
        [tenant.as_str(), "/tenant/.well-known/openid-configuration"]
    );
}

/// B2: a single-page application answers every address with its start page.
#[tokio::test]
async fn a_page_where_the_document_should_be_is_passed_over() {
    for page in [
        Answer::text(200, "<html>canary</html>"),
        Answer::new(204),
        Answer::redirect(302, "/login"),
    ] {
        let server = AuthorizationServer::start().await;
        server.always_at(OAUTH, page);
        discover(&server.issuer()).await.unwrap();
        assert_eq!(paths(&server), [OAUTH, OPENID]);
    }
}

/// B2, M02, RFC 8414 §3.3
#[tokio::test]
async fn a_document_of_another_issuer_leads_nowhere() {
    for other in ["https://evil.example", "", "\u{1b}[2Jcanary"] {
        let server = AuthorizationServer::start().await;
        server.set_issuer(other);
        let error = discover(&server.issuer()).await.unwrap_err();
        assert!(matches!(error, TokenError::Config(_)), "{error:?}");
        assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
        assert_eq!(
            paths(&server),
            [OAUTH],
            "an answer is an answer: no other place is tried"
        );
    }
    let server = AuthorizationServer::start().await;
    let with_slash = format!("{}/", server.issuer());
    let error = discover(&with_slash).await.unwrap_err();
    assert!(
        error.to_string().contains(&format!("'{}'", server.issuer())),
        "it says how to write it: {error}"
    );
    assert_eq!(server.token_requests(), 0);
}

/// B2, T01, M02
#[tokio::test]
async fn a_document_that_names_an_unsafe_endpoint_is_refused() {
    let server = AuthorizationServer::start().await;
    for endpoint in [
        "http://as.example/canary",
        "ftp://as.example/canary",
        "https://canary@as.example/t",
        "https://as.example/t#canary",
        "//as.example/canary",
        "/canary",
        "",
        "javascript:canary",
    ] {
        server.set_metadata(value!({"issuer": server.issuer(), "token_endpoint": endpoint}));
        let error = discover(&server.issuer()).await.unwrap_err();
        assert!(
            error.to_string().contains("token_endpoint"),
            "{endpoint}: {error}"
        );
        assert!(!in_full(&error).contains("canary"), "{endpoint}: {error:?}");
    }
    server.set_metadata(value!({"issuer": server.issuer(), "token_endpoint": "http://as.corp/t"}));
    Discovery::new(http())
        .metadata(&server.issuer(), Transport::PlainAllowed)
        .await
        .unwrap();
}

/// M02: addresses that a server must not lead us to.
const INSIDE: [&str; 30] = [
    "https://169.254.169.254/latest/meta-data/",
    "https://169.254.169.254:PORT/t",
    "https://2852039166/t",
    "https://0xa9fea9fe/t",
    "https://0251.0376.0251.0376/t",
    "https://[::ffff:169.254.169.254]/t",
    "https://[fd00:ec2::254]/t",
    "https://100.100.100.200/t",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://METADATA.google.internal./t",
    "http://127.0.0.1:PORT/t",
    "https://127.0.0.1:PORT/t",
    "https://127.1:PORT/t",
    "https://2130706433:PORT/t",
    "https://0x7f000001:PORT/t",
    "https://0177.0.0.1:PORT/t",
    "https://0:PORT/t",
    "https://[::1]:PORT/t",
    "https://[::ffff:127.0.0.1]:PORT/t",
    "https://[::ffff:7f00:1]:PORT/t",
    "https://[64:ff9b::7f00:1]:PORT/t",
    "https://[fe80::1]/t",
    "https://10.0.0.1/t",
    "https://172.16.0.1/t",
    "https://192.168.1.1/t",
    "http://localhost:PORT/t",
    "http://LOCALHOST.:PORT/t",
    "http://x.localhost:PORT/t",
    "https://\u{ff11}27.0.0.1:PORT/t",
    "https://as.example@127.0.0.1:PORT/t",
];

/// M02: whichever endpoint it is, and even where plain http is allowed.
#[tokio::test]
async fn a_document_leads_nowhere_inside_but_to_its_own_origin() {
    let trap = Trap::new();
    let server = AuthorizationServer::start().await;
    let endpoints = [
        "token_endpoint",
        "authorization_endpoint",
        "device_authorization_endpoint",
        "revocation_endpoint",
    ];
    let own = |server: &AuthorizationServer| value!({"issuer": server.issuer(), "token_endpoint": server.token_url()});
    let discovery = Discovery::new(http()).with_retry(quick());
    for inside in INSIDE {
        let inside = inside.replace("PORT", &trap.address().port().to_string());
        for endpoint in endpoints {
            let mut document = own(&server);
            document[endpoint] = inside.as_str().into();
            server.set_metadata(document);
            for transport in [Transport::Encrypted, Transport::PlainAllowed] {
                let error = discovery.metadata(&server.issuer(), transport).await.unwrap_err();
                assert!(matches!(error, TokenError::Config(_)), "{inside}: {error:?}");
                let text = error.to_string();
                let why = text.contains("leads to this machine or into a private network")
                    || text.contains("user info");
                assert!(text.starts_with(endpoint) && why, "{inside}: {text}");
                assert!(error.fix().contains("token_url") || text.contains("user info"));
            }
        }
    }
    assert!(!trap.was_visited());
    assert_eq!(server.token_requests(), 0);

    // The person has configured this one by hand, private as it is.
    let mut document = own(&server);
    for endpoint in endpoints {
        document[endpoint] = server.token_url().into();
    }
    server.set_metadata(document);
    let metadata = discover(&server.issuer()).await.unwrap();
    let endpoint = metadata.endpoint(http(), client()).with_retry(quick());
    endpoint.request(&grant()).await.unwrap();
}

/// T02, M02
#[tokio::test]
async fn redirecting_metadata_is_not_followed() {
    let trap = Trap::new();
    for status in [301, 302, 303, 307, 308] {
        let server = AuthorizationServer::start().await;
        for place in [OAUTH, OPENID] {
            let away = format!("http://{}{place}", trap.address());
            server.always_at(place, Answer::redirect(status, &away));
        }
        let error = discover(&server.issuer()).await.unwrap_err();
        assert!(matches!(error, TokenError::Config(_)), "{error:?}");
        assert_eq!(server.token_requests(), 0);
    }
    assert!(!trap.was_visited());
}

/// B2: whose entry has no token_url isn't told to check it.
#[tokio::test]
async fn an_issuer_without_metadata_is_a_matter_of_the_entrys_issuer() {
    for status in [404, 403, 302] {
        let server = AuthorizationServer::start().await;
        for place in [OAUTH, OPENID] {
            server.always_at(place, Answer::text(status, "canary"));
        }
        let error = discover(&server.issuer()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("issuer has no metadata document at {}", server.address())
        );
        assert_eq!(error.fix(), "write token_url instead, or correct issuer");
        assert_eq!(paths(&server), [OAUTH, OPENID], "no place twice");
    }
    let server = AuthorizationServer::start().await;
    server.set_metadata(value!({"issuer": server.issuer()}));
    let error = discover(&server.issuer()).await.unwrap_err();
    assert_eq!(
        error.fix(),
        "write token_url instead, or correct issuer",
        "{error}"
    );
}

#[tokio::test]
async fn an_issuer_that_is_no_safe_address_is_refused_without_a_request() {
    for issuer in [
        "",
        "not-a-url",
        "http://as.example",
        "https://u:canary@as.example",
        "https://as.example#canary",
        "https://as.example?canary",
    ] {
        let error = discover(issuer).await.unwrap_err();
        assert!(matches!(error, TokenError::Config(_)), "{issuer}: {error:?}");
        assert!(error.to_string().starts_with("issuer"), "{error}");
        assert!(!in_full(&error).contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn the_way_of_authentication_is_the_documents() {
    let server = AuthorizationServer::start().await;
    for (methods, expected) in [
        (value!(["client_secret_post"]), AuthStyle::Post),
        (
            value!(["client_secret_basic", "private_key_jwt"]),
            AuthStyle::Basic,
        ),
        (
            value!(["client_secret_basic", "client_secret_post"]),
            AuthStyle::Auto,
        ),
        (value!(null), AuthStyle::Auto),
        (value!([]), AuthStyle::Auto),
    ] {
        server.set_metadata(value!({
            "issuer": server.issuer(),
            "token_endpoint": server.token_url(),
            "token_endpoint_auth_methods_supported": methods,
        }));
        assert_eq!(
            discover(&server.issuer()).await.unwrap().auth_style,
            expected,
            "{methods}"
        );
    }
}
