//! What a server says of itself and answers, and what comes of the login then.

use crate::person::{agree, flow, flow_at, http, log_in, metadata};
use gatepass_core::{Advice, Scopes};
use gatepass_http::{ServerUrl, Transport};
use gatepass_oauth2::{AuthorizationCodeFlow, Client, Metadata};
use gatepass_testkit::{Answer, AuthorizationServer};
use serde_json::json;

#[tokio::test]
async fn every_answer_that_is_no_token_response_fails_the_login() {
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await;
    for (answer, advice) in [
        (
            Answer::json(400, &json!({"error": "invalid_grant"})),
            Advice::FixConfig,
        ),
        (
            Answer::json(401, &json!({"error": "invalid_client"})),
            Advice::FixConfig,
        ),
        (
            Answer::json(200, &json!({"error": "bad_verification_code"})),
            Advice::FixConfig,
        ),
        (Answer::json(200, &json!({})), Advice::FixConfig),
        (
            Answer::json(200, &json!({"access_token": "canary", "token_type": "mac"})),
            Advice::FixConfig,
        ),
        (Answer::text(200, "<html>canary</html>"), Advice::FixConfig),
        (
            Answer::truncated("{\"access_token\": \"canary\""),
            Advice::Retry { after: None },
        ),
        (Answer::new(503), Advice::Retry { after: None }),
        (Answer::close(), Advice::Retry { after: None }),
        (Answer::redirect(307, "http://127.0.0.1:9/"), Advice::FixConfig),
        (Answer::gzip_bomb(), Advice::FixConfig),
        (Answer::endless("{".repeat(1000)), Advice::FixConfig),
    ] {
        server.always(answer);
        let (login, page) = log_in(&flow, agree).await;
        let error = login.unwrap_err();
        assert_eq!(error.advice(), advice, "{error}");
        assert!(!format!("{error:?}{}", page.body).contains("canary"));
        assert!(page.body.contains("You are not logged in"));
    }
}

/// L14
#[tokio::test]
async fn the_granted_scopes_are_kept_and_compared() {
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await.with_scopes(Scopes::parse("a b").unwrap());
    for (granted, stored, missing, unexpected) in [
        (Some("a b"), "a b", None, None),
        (None, "a b", None, None),
        (Some("a"), "a", Some("b"), None),
        (Some("a b c"), "a b c", None, Some("c")),
        (Some("\u{7}"), "a b", None, None),
    ] {
        let mut answer = json!({"access_token": "t", "refresh_token": "r"});
        if let Some(granted) = granted {
            answer["scope"] = granted.into();
        }
        server.push(Answer::json(200, &answer));
        let login = log_in(&flow, agree).await.0.unwrap();
        let text = |scopes: Option<Scopes>| scopes.map(|scopes| scopes.to_string());
        assert_eq!(
            text(login.credential.scopes).as_deref(),
            Some(stored),
            "{granted:?}"
        );
        assert_eq!(text(login.missing).as_deref(), missing);
        assert_eq!(text(login.unexpected).as_deref(), unexpected);
    }
}

/// T08
#[tokio::test]
async fn an_id_token_is_the_scope_openid_whatever_the_answer_calls_granted() {
    let server = AuthorizationServer::start().await;
    let flow = flow_at(&by_hand(&server)).with_scopes(Scopes::parse("openid a").unwrap());
    for (id_token, missing) in [(json!("a.b.c"), None), (json!(null), Some("openid"))] {
        let answer = json!({"access_token": "t", "refresh_token": "r", "scope": "a", "id_token": id_token});
        server.push(Answer::json(200, &answer));
        let login = log_in(&flow, agree).await.0.unwrap();
        assert_eq!(login.missing.map(|scopes| scopes.to_string()).as_deref(), missing);
        assert_eq!(
            login.credential.scopes.unwrap().to_string(),
            "a",
            "as the refreshes say"
        );
    }
}

#[tokio::test]
async fn an_id_token_that_is_not_for_this_login_fails_it() {
    for (claim, value) in [
        ("nonce", json!("another")),
        ("aud", json!("another")),
        ("iss", json!("https://evil.example")),
        ("exp", json!(1_000_000_000)),
    ] {
        let server = AuthorizationServer::start().await;
        server.set_claim(claim, value);
        let (login, _) = log_in(&flow(&server).await, agree).await;
        assert!(login.unwrap_err().to_string().contains("the ID token"), "{claim}");
    }
    // Nobody says whose it must be: it is opaque then.
    let server = AuthorizationServer::start().await;
    server.set_claim("iss", "https://evil.example");
    let login = log_in(&flow_at(&by_hand(&server)), agree).await.0.unwrap();
    assert!(login.identity.is_none() && login.credential.subject.is_none());
}

/// A server that publishes no document.
fn by_hand(server: &AuthorizationServer) -> Metadata {
    let url = |text: &str| ServerUrl::parse(text, "url", Transport::Encrypted).unwrap();
    Metadata::new(url(&server.token_url())).with_authorization_endpoint(url(&server.authorization_url()))
}

/// L06
#[tokio::test]
async fn a_document_without_s256_is_refused_before_anything_opens() {
    let server = AuthorizationServer::start().await;
    for methods in [
        None,
        Some(json!([])),
        Some(json!(["plain"])),
        Some(json!(["s256"])),
    ] {
        let mut document = json!({
            "issuer": server.issuer(),
            "token_endpoint": server.token_url(),
            "authorization_endpoint": server.authorization_url(),
        });
        if let Some(methods) = methods {
            document["code_challenge_methods_supported"] = methods;
        }
        server.set_metadata(document);
        let metadata = metadata(&server).await;
        let endpoint = || metadata.endpoint(http(), Client::public("client"));
        let error = AuthorizationCodeFlow::new(&metadata, endpoint()).unwrap_err();
        assert!(error.to_string().contains("S256"), "{error}");
        assert!(AuthorizationCodeFlow::new(&metadata.clone().with_s256(), endpoint()).is_ok());
    }
}

/// M03
#[tokio::test]
async fn a_server_that_cannot_be_used_is_refused_before_anything_opens() {
    let server = AuthorizationServer::start().await;
    let known = by_hand(&server);
    let elsewhere =
        ServerUrl::parse("https://evil.example/token", "token_url", Transport::Encrypted).unwrap();
    let other = Metadata::new(elsewhere);
    let client = || Client::public("client");
    assert!(
        AuthorizationCodeFlow::new(&known, other.endpoint(http(), client())).is_err(),
        "M03"
    );
    assert!(
        AuthorizationCodeFlow::new(&other, other.endpoint(http(), client())).is_err(),
        "no such endpoint"
    );
    for bad in [
        "",
        "callback",
        "//evil.example",
        "/a?b",
        "/a#b",
        "/a b",
        "/%2e",
        "/../x",
        "/a//b",
    ] {
        let flow = AuthorizationCodeFlow::new(&known, known.endpoint(http(), client())).unwrap();
        assert!(flow.with_redirect(bad, 0).is_err(), "{bad}");
    }
}
