//! T03: exactly one way of client authentication, and the secret arrives as it is.

use crate::support::{grant, http, json, quick, url};
use gatepass_core::{RefreshToken, TokenError};
use gatepass_oauth2::{AuthStyle, Client, Grant, TokenEndpoint};
use gatepass_testkit::{Answer, AuthorizationServer, ClientAuth};

const AWKWARD: [&str; 12] = [
    ":%+&=",
    ":",
    "a:b:c",
    "p%20w%zz",
    "one two  three",
    "+plus+",
    "ümläut – 語 🦀",
    "~!@#$^*()_-[]{}|;'\",.<>/?`\\",
    "=&=&",
    "%",
    "\u{7f}\u{1}",
    "a much longer secret than usual 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789",
];

fn endpoint(server: &AuthorizationServer, id: &str, secret: &str) -> TokenEndpoint {
    TokenEndpoint::new(http(), url(&server.token_url()), Client::new(id, secret)).with_retry(quick())
}

fn styles(server: &AuthorizationServer) -> Vec<Option<ClientAuth>> {
    let requests = server.requests();
    for request in &requests {
        let both = request.header("authorization").is_some() && request.form_value("client_secret").is_some();
        assert!(!both, "more than one way in one request");
    }
    requests.iter().map(|request| request.client_auth).collect()
}

/// T03
#[tokio::test]
async fn awkward_ids_and_secrets_arrive_as_they_are() {
    for style in [AuthStyle::Basic, AuthStyle::Post, AuthStyle::Auto] {
        for secret in AWKWARD {
            let server = AuthorizationServer::start().await;
            let id = format!("id {secret}");
            server.add_client(&id, secret);
            let endpoint = endpoint(&server, &id, secret).with_auth_style(style);
            let outcome = endpoint.request(&grant()).await;
            assert!(outcome.is_ok(), "{style:?} {secret:?}: {outcome:?}");
            assert_eq!(server.token_requests(), 1);
        }
    }
}

/// T03
#[tokio::test]
async fn the_way_that_works_is_found_out_once_and_remembered() {
    for (accepted, first) in [
        (ClientAuth::Basic, vec![Some(ClientAuth::Basic)]),
        (
            ClientAuth::Post,
            vec![Some(ClientAuth::Basic), Some(ClientAuth::Post)],
        ),
    ] {
        let server = AuthorizationServer::start().await;
        server.accept_only(accepted);
        let endpoint = endpoint(&server, "client", "secret");
        endpoint.request(&grant()).await.unwrap();
        assert_eq!(styles(&server), first);
        for _ in 0..3 {
            endpoint.request(&grant()).await.unwrap();
        }
        assert_eq!(
            server.token_requests(),
            first.len() + 3,
            "one request each from then on"
        );
        assert!(
            styles(&server)[first.len()..]
                .iter()
                .all(|style| *style == Some(accepted))
        );
    }
}

/// T03
#[tokio::test]
async fn a_server_that_misses_the_id_in_the_form_is_asked_in_the_other_way() {
    let server = AuthorizationServer::start().await;
    server.push(json(
        400,
        r#"{"error":"invalid_request","error_description":"client_id is missing"}"#,
    ));
    endpoint(&server, "client", "secret")
        .request(&grant())
        .await
        .unwrap();
    assert_eq!(styles(&server), [Some(ClientAuth::Basic), Some(ClientAuth::Post)]);
}

/// T03, C8: what the server says to a client that it has recognised is the answer.
#[tokio::test]
async fn a_refusal_in_the_right_way_is_the_one_that_is_told() {
    let server = AuthorizationServer::start().await;
    server.accept_only(ClientAuth::Post);
    let endpoint = endpoint(&server, "client", "secret");
    let spent = Grant::RefreshToken {
        token: RefreshToken::new("spent"),
    };
    for requests in [2, 3] {
        let error = endpoint.request(&spent).await.unwrap_err();
        assert!(
            matches!(&error, TokenError::Refused(refusal) if refusal.error == "invalid_grant"),
            "{error:?}"
        );
        assert_eq!(server.token_requests(), requests, "and the way is remembered");
    }
}

/// T03: an error page of a gateway says nothing about what the authorization server accepts.
#[tokio::test]
async fn a_gateways_error_page_teaches_nothing() {
    let server = AuthorizationServer::start().await;
    server.accept_only(ClientAuth::Post);
    let endpoint = endpoint(&server, "client", "secret");
    for status in [403, 404, 405] {
        server.push(Answer::text(status, "<html>not here</html>"));
        assert!(endpoint.request(&grant()).await.is_err());
    }
    endpoint.request(&grant()).await.unwrap();
}

/// T03: no silent change of the way that the configuration names.
#[tokio::test]
async fn a_way_that_was_named_is_the_only_one() {
    for (style, accepted) in [
        (AuthStyle::Basic, ClientAuth::Post),
        (AuthStyle::Post, ClientAuth::Basic),
    ] {
        let server = AuthorizationServer::start().await;
        server.accept_only(accepted);
        let endpoint = endpoint(&server, "client", "secret").with_auth_style(style);
        let error = endpoint.request(&grant()).await.unwrap_err();
        assert!(matches!(&error, TokenError::Refused(refusal) if refusal.error == "invalid_client"));
        assert!(error.fix().contains("auth_style"), "{}", error.fix());
        assert_eq!(server.token_requests(), 1);
    }
}

/// T07: an account isn't locked by us.
#[tokio::test]
async fn a_wrong_secret_is_sent_once_in_each_way_that_may_be_the_right_one() {
    for (style, requests) in [(AuthStyle::Basic, 1), (AuthStyle::Post, 1), (AuthStyle::Auto, 2)] {
        let server = AuthorizationServer::start().await;
        let endpoint = endpoint(&server, "client", "wrong").with_auth_style(style);
        let error = endpoint.request(&grant()).await.unwrap_err();
        assert!(
            matches!(&error, TokenError::Refused(refusal) if refusal.error == "invalid_client"),
            "{error:?}"
        );
        assert_eq!(server.token_requests(), requests, "{style:?}");
    }
}

/// T03
#[tokio::test]
async fn a_public_client_says_its_name_alone_and_says_it_once() {
    let server = AuthorizationServer::start().await;
    server.add_public_client("public");
    let token = RefreshToken::new(server.issue_refresh_token("public"));
    for style in [AuthStyle::Auto, AuthStyle::Basic, AuthStyle::Post] {
        let client = Client::public("public");
        let endpoint = TokenEndpoint::new(http(), url(&server.token_url()), client).with_auth_style(style);
        let before = server.token_requests();
        let good = Grant::RefreshToken { token: token.clone() };
        server.push(json(401, r#"{"error":"invalid_client"}"#));
        endpoint.request(&good).await.unwrap_err();
        endpoint.request(&good).await.unwrap();
        let refused = Grant::RefreshToken {
            token: RefreshToken::new("unknown"),
        };
        endpoint.request(&refused).await.unwrap_err();
        assert_eq!(server.token_requests() - before, 3, "{style:?}: one each");
    }
    for request in server.requests() {
        assert_eq!(request.form_value("client_id"), Some("public"));
        assert_eq!(request.form_value("client_secret"), None);
        assert_eq!(request.header("authorization"), None);
    }
}

/// M04: RFC 6749 §4.4.2, §6, RFC 8707: what a request says.
#[tokio::test]
async fn a_request_says_what_was_asked_for_and_no_more() {
    let server = AuthorizationServer::start().await;
    let endpoint = endpoint(&server, "client", "secret")
        .with_auth_style(AuthStyle::Post)
        .with_resource("https://a.example/?x=1&y=2")
        .with_resource("https://b.example")
        .with_audience("urn:api ü");
    let scopes = gatepass_core::Scopes::parse("llm.read llm.write").unwrap();
    let grant = Grant::ClientCredentials { scopes: Some(scopes) };
    let response = endpoint.request(&grant).await.unwrap();
    assert_eq!(
        response.access_token.scopes().unwrap().to_string(),
        "llm.read llm.write"
    );
    let request = server.requests().remove(0);
    let pairs: Vec<_> = request
        .form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        pairs,
        [
            ("grant_type", "client_credentials"),
            ("scope", "llm.read llm.write"),
            ("resource", "https://a.example/?x=1&y=2"),
            ("resource", "https://b.example"),
            ("audience", "urn:api ü"),
            ("client_id", "client"),
            ("client_secret", "secret"),
        ]
    );
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert!(request.query.is_empty(), "nothing in the address");

    let token = RefreshToken::new(server.issue_refresh_token("client"));
    endpoint.request(&Grant::RefreshToken { token }).await.unwrap();
    assert_eq!(
        server.requests()[1].form_value("scope"),
        None,
        "they stay as they were granted"
    );
}
