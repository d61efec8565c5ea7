//! C5, G02: an entry's refresh token, and those that nobody asked for.

use crate::support::{cached, entry, json, source};
use gatepass_core::{ExposeSecret, TokenError, TokenSource};
use gatepass_testkit::{Answer, AuthorizationServer, ManualClock};
use serde_json::{Value, json as value};
use std::time::Duration;

fn with_refresh_token(server: &AuthorizationServer, token: &str) -> Value {
    let mut entry = entry(server);
    entry["refresh_token"] = value!(token);
    entry
}

fn grants(server: &AuthorizationServer) -> Vec<(String, Option<String>)> {
    let grant = |request: gatepass_testkit::RecordedRequest| {
        let value = |name| request.form_value(name).map(str::to_owned);
        (value("grant_type").unwrap_or_default(), value("refresh_token"))
    };
    server.requests().into_iter().map(grant).collect()
}

fn refresh(token: &str) -> (String, Option<String>) {
    ("refresh_token".into(), Some(token.into()))
}

fn own() -> (String, Option<String>) {
    ("client_credentials".into(), None)
}

/// C5
#[tokio::test]
async fn a_refresh_token_is_used_first_and_each_new_one_replaces_it() {
    let server = AuthorizationServer::start().await;
    server.rotate_refresh_tokens(true);
    let first = server.issue_refresh_token("client");
    let source = source(&with_refresh_token(&server, &first));
    for _ in 0..3 {
        let token = source.token().await.unwrap();
        assert!(server.is_active(token.expose_secret()));
    }
    let grants = grants(&server);
    assert_eq!(grants[0], refresh(&first));
    assert!(
        grants.iter().all(|(grant, _)| grant == "refresh_token"),
        "{grants:?}"
    );
    assert!(
        grants[0] != grants[1] && grants[1] != grants[2],
        "a spent one is never sent again"
    );
}

/// C5
#[tokio::test]
async fn a_refresh_token_that_stays_is_used_again() {
    let server = AuthorizationServer::start().await;
    let token = server.issue_refresh_token("client");
    let source = source(&with_refresh_token(&server, &token));
    for _ in 0..2 {
        source.token().await.unwrap();
    }
    assert_eq!(grants(&server), [refresh(&token), refresh(&token)]);
}

/// C5
#[tokio::test]
async fn a_refresh_token_that_is_no_longer_valid_gives_way_to_the_clients_own_credentials() {
    for refusal in [
        "invalid_grant",
        "invalid_request",
        "unauthorized_client",
        "unsupported_grant_type",
    ] {
        let server = AuthorizationServer::start().await;
        server.push(json(400, &value!({ "error": refusal })));
        let source = source(&with_refresh_token(&server, "old"));
        source.token().await.unwrap();
        source.token().await.unwrap();
        assert_eq!(
            grants(&server),
            [refresh("old"), own(), own()],
            "{refusal}: and isn't sent again"
        );
    }
}

/// C5
#[tokio::test]
async fn a_grant_that_is_refused_gives_way_for_one_call_and_keeps_its_token() {
    for refusal in ["invalid_scope", "invalid_target"] {
        let server = AuthorizationServer::start().await;
        let token = server.issue_refresh_token("client");
        server.push(json(400, &value!({ "error": refusal })));
        let source = source(&with_refresh_token(&server, &token));
        source.token().await.unwrap();
        source.token().await.unwrap();
        assert_eq!(
            grants(&server),
            [refresh(&token), own(), refresh(&token)],
            "{refusal}"
        );
    }
}

/// C5: a firewall's page, a mistake in the request, a word of the server's own.
#[tokio::test]
async fn a_refusal_that_is_not_about_the_refresh_token_is_the_callers_and_costs_no_token() {
    for refusal in [
        Answer::text(403, "<html>blocked</html>"),
        Answer::new(404),
        json(401, &value!({"error": "invalid_client"})),
        json(403, &value!({"error": "access_denied"})),
    ] {
        let server = AuthorizationServer::start().await;
        let token = server.issue_refresh_token("client");
        server.push(refusal);
        let source = source(&with_refresh_token(&server, &token));
        let error = source.token().await.unwrap_err();
        assert!(matches!(error, TokenError::Refused(_)), "{error:?}");
        source.token().await.unwrap();
        assert_eq!(grants(&server), [refresh(&token), refresh(&token)]);
    }
}

/// C5
#[tokio::test]
async fn an_empty_refresh_token_does_not_replace_a_good_one() {
    let server = AuthorizationServer::start().await;
    let token = server.issue_refresh_token("client");
    let answer = value!({"access_token": "a", "token_type": "Bearer", "refresh_token": ""});
    server.push(json(200, &answer));
    let source = source(&with_refresh_token(&server, &token));
    source.token().await.unwrap();
    source.token().await.unwrap();
    assert_eq!(grants(&server), [refresh(&token), refresh(&token)]);
}

/// C5, T03: also while the way of authentication is still being found out.
#[tokio::test]
async fn a_refused_refresh_token_gives_way_at_a_server_that_wants_the_secret_in_the_form() {
    let server = AuthorizationServer::start().await;
    server.accept_only(gatepass_testkit::ClientAuth::Post);
    let mut entry = with_refresh_token(&server, "old");
    entry["auth_style"] = value!("auto");
    let source = source(&entry);
    source.token().await.unwrap();
    source.token().await.unwrap();
    assert_eq!(grants(&server), [refresh("old"), refresh("old"), own(), own()]);
}

/// C5, T07: a server in trouble says nothing about the token.
#[tokio::test]
async fn a_refresh_token_survives_a_server_in_trouble() {
    let server = AuthorizationServer::start().await;
    let token = server.issue_refresh_token("client");
    let source = source(&with_refresh_token(&server, &token));
    for trouble in [
        json(503, &value!({"error": "invalid_grant"})),
        Answer::text(429, "later"),
        Answer::close(),
        Answer::text(200, "<html>"),
    ] {
        server.always(trouble);
        let error = source.token().await.unwrap_err();
        assert!(
            matches!(
                error,
                TokenError::Unavailable { .. } | TokenError::Malformed { .. }
            ),
            "{error:?}"
        );
    }
    server.normal();
    source.token().await.unwrap();
    assert!(grants(&server).iter().all(|grant| *grant == refresh(&token)));
}

/// T07: a refused client isn't asked about twice, and its refresh token is not the problem.
#[tokio::test]
async fn a_refused_client_is_refused_once_and_the_refresh_token_stays() {
    let server = AuthorizationServer::start().await;
    let token = server.issue_refresh_token("client");
    let source = source(&with_refresh_token(&server, &token));
    server.push(json(401, &value!({"error": "invalid_client"})));
    let error = source.token().await.unwrap_err();
    assert!(
        matches!(&error, TokenError::Refused(refusal) if refusal.error == "invalid_client"),
        "{error:?}"
    );
    assert_eq!(server.token_requests(), 1);
    source.token().await.unwrap();
    assert_eq!(grants(&server), [refresh(&token), refresh(&token)]);
}

/// G02, RFC 6749 §4.4.3
#[tokio::test]
async fn a_refresh_token_that_nobody_asked_for_is_not_kept() {
    let server = AuthorizationServer::start().await;
    let answer = value!({
        "access_token": "a", "token_type": "Bearer", "expires_in": 60, "refresh_token": "unasked",
    });
    server.push(json(200, &answer));
    let source = source(&entry(&server));
    for _ in 0..3 {
        source.token().await.unwrap();
    }
    assert_eq!(grants(&server), [own(), own(), own()]);
}

/// C5: behind the cache, with expiry.
#[tokio::test]
async fn a_rotating_refresh_token_goes_on_for_days() {
    let server = AuthorizationServer::start().await;
    let clock = ManualClock::new();
    server.set_clock(clock.clone());
    server.rotate_refresh_tokens(true);
    let token = server.issue_refresh_token("client");
    let source = cached(&with_refresh_token(&server, &token), &clock);
    for _ in 0..50 {
        let token = source.token().await.unwrap();
        assert!(server.is_active(token.expose_secret()));
        clock.advance(Duration::from_secs(3600));
    }
    assert_eq!(server.token_requests(), 50);
    assert!(grants(&server).iter().all(|(grant, _)| grant == "refresh_token"));
}
