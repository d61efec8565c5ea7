//! C4, C5, B2: a token is acquired, kept, and renewed in time.

use crate::support::{cached, entry, json, source};
use gatepass_core::{Clock, ExposeSecret, TokenError, TokenSource};
use gatepass_testkit::{Answer, AuthorizationServer, ClientAuth, ManualClock, eventually};
use serde_json::{Value, json as value};
use std::time::Duration;

/// C4, M04
#[tokio::test]
async fn a_token_is_asked_for_as_the_entry_says() {
    let server = AuthorizationServer::start().await;
    let mut entry = entry(&server);
    entry["scope"] = value!("llm.read llm.write");
    entry["audience"] = value!("urn:llm ü");
    entry["resource"] = value!("https://llm.example/v1?a=1");
    for (style, expected) in [
        ("basic", ClientAuth::Basic),
        ("client_secret_post", ClientAuth::Post),
    ] {
        entry["auth_style"] = value!(style);
        let token = source(&entry).token().await.unwrap();
        assert!(server.is_active(token.expose_secret()));
        assert_eq!(
            token.header().to_str().unwrap(),
            format!("Bearer {}", token.expose_secret())
        );
        let request = server.requests().pop().unwrap();
        assert_eq!(request.client_auth, Some(expected));
        assert_eq!(request.form_value("grant_type"), Some("client_credentials"));
        assert_eq!(request.form_value("scope"), Some("llm.read llm.write"));
        assert_eq!(request.form_value("audience"), Some("urn:llm ü"));
        assert_eq!(request.form_value("resource"), Some("https://llm.example/v1?a=1"));
    }
    let plain = source(&crate::support::entry(&server));
    plain.token().await.unwrap();
    let names: Vec<_> = server
        .requests()
        .pop()
        .unwrap()
        .form
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["grant_type"], "and nothing that the entry doesn't say");
}

/// C5: kept until four minutes before its end, renewed in the background until one, waited for from then on.
#[tokio::test]
async fn a_token_is_kept_and_renewed_a_minute_before_its_end() {
    let server = AuthorizationServer::start().await;
    let clock = ManualClock::new();
    server.set_clock(clock.clone());
    let source = cached(&entry(&server), &clock);
    let first = source.token().await.unwrap();
    clock.advance(Duration::from_secs(3600 - 265));
    assert_eq!(source.token().await.unwrap(), first);
    assert_eq!(server.token_requests(), 1);

    clock.advance(Duration::from_secs(30));
    assert_eq!(
        source.token().await.unwrap(),
        first,
        "at once, while a new one is on its way"
    );
    eventually("it is asked for", || {
        source.current().is_some_and(|token| *token != first)
    })
    .await;
    assert_eq!(server.token_requests(), 2);

    let second = source.token().await.unwrap();
    clock.advance(Duration::from_secs(3600 - 59));
    let third = source.token().await.unwrap();
    assert_ne!(second, third, "within the last minute, callers wait");
    assert_eq!(server.token_requests(), 3);
    assert!(server.is_active(third.expose_secret()));
}

/// C5: the buffer takes no more than a part of a short life.
#[tokio::test]
async fn a_token_that_lives_for_a_minute_is_not_fetched_on_each_call() {
    let server = AuthorizationServer::start().await;
    let clock = ManualClock::new();
    server.set_clock(clock.clone());
    server.set_lifetime(Duration::from_secs(60));
    let source = cached(&entry(&server), &clock);
    for _ in 0..29 {
        source.token().await.unwrap();
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(server.token_requests(), 1);
    for _ in 0..300 {
        let token = source.token().await.unwrap();
        assert!(server.is_active(token.expose_secret()), "never an expired one");
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    assert!(server.token_requests() <= 12, "{}", server.token_requests());
}

/// C5: a laptop that slept, a clock that was set.
#[tokio::test]
async fn a_clock_that_jumps_leads_to_a_new_token() {
    let server = AuthorizationServer::start().await;
    let clock = ManualClock::new();
    server.set_clock(clock.clone());
    let source = cached(&entry(&server), &clock);
    let first = source.token().await.unwrap();
    clock.suspend(Duration::from_secs(4000));
    let second = source.token().await.unwrap();
    assert_ne!(first, second);
    clock.jump_wall(-4000);
    clock.advance(Duration::from_secs(3601));
    assert_ne!(source.token().await.unwrap(), second);
    assert_eq!(server.token_requests(), 3);
}

/// C5: as an RFC 6749 server tells it, counted from the question.
#[tokio::test]
async fn the_expiry_is_counted_from_the_question() {
    let server = AuthorizationServer::start().await;
    server.set_lifetime(Duration::from_secs(100));
    let clock = ManualClock::new();
    let asked_at = clock.now().wall_time();
    let token = cached(&entry(&server), &clock).token().await.unwrap();
    assert_eq!(token.expires_at(), Some(asked_at + Duration::from_secs(100)));
}

/// B2
#[tokio::test]
async fn an_issuer_is_enough() {
    let server = AuthorizationServer::start().await;
    server.accept_only(ClientAuth::Post);
    let mut entry = entry(&server);
    let fields = entry.as_object_mut().unwrap();
    fields.remove("token_url");
    fields.remove("auth_style");
    fields.insert("issuer".into(), value!(server.issuer()));
    let source = source(&entry);
    for _ in 0..3 {
        source.token().await.unwrap();
    }
    let paths: Vec<_> = server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(
        paths,
        [
            "/.well-known/oauth-authorization-server",
            "/token",
            "/token",
            "/token"
        ],
        "asked for once, and the way of authentication taken from it"
    );
}

/// B2: a server that is down today isn't the wrong one tomorrow.
#[tokio::test]
async fn an_issuer_that_cannot_be_asked_is_asked_again_next_time() {
    let server = AuthorizationServer::start().await;
    let mut entry = entry(&server);
    entry.as_object_mut().unwrap().remove("token_url");
    entry["issuer"] = value!(server.issuer());
    let place = "/.well-known/oauth-authorization-server";
    server.always_at(place, Answer::text(503, "down"));
    let source = source(&entry);
    let error = source.token().await.unwrap_err();
    assert!(matches!(error, TokenError::Unavailable { .. }), "{error:?}");
    assert_eq!(server.requests().len(), 4, "one attempt and three retries");
    server.normal();
    source.token().await.unwrap();

    server.set_issuer("https://evil.example");
    let error = crate::support::source(&entry).token().await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, TokenError::Config(_)), "{error:?}");
    assert!(
        text.contains("litellm_config.json: provider 'corp': issuer"),
        "{text}"
    );
    assert_eq!(server.token_requests(), 1, "no secret for that one");
}

/// B2: the entry has no token_url that could be checked.
#[tokio::test]
async fn an_issuer_without_metadata_is_a_problem_of_that_field() {
    let server = AuthorizationServer::start().await;
    let mut entry = entry(&server);
    entry.as_object_mut().unwrap().remove("token_url");
    entry["issuer"] = value!(format!("{}/unknown", server.issuer()));
    let error = source(&entry).token().await.unwrap_err();
    let TokenError::Config(error) = error else {
        panic!("{error:?}")
    };
    let problem = error.problem();
    assert_eq!(problem.field.as_deref(), Some("issuer"));
    assert_eq!(problem.provider.as_deref(), Some("corp"));
    assert_eq!(problem.fix, "write token_url instead, or correct issuer");
}

/// C8
#[tokio::test]
async fn a_refusal_shows_the_servers_words() {
    let server = AuthorizationServer::start().await;
    server.set_scopes(["llm.read"]);
    let mut entry = entry(&server);
    entry["scope"] = value!("llm.read llm.admin");
    let error = source(&entry).token().await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("invalid_scope") && text.contains("doesn't know one of the scopes"),
        "{text}"
    );
    assert_eq!(server.token_requests(), 1);
    entry["client_secret"] = value!("canary-wrong");
    let error = source(&entry).token().await.unwrap_err();
    assert!(error.to_string().contains("invalid_client"), "{error}");
    assert!(!format!("{error:?}").contains("canary"));
    assert_eq!(server.token_requests(), 2);
}

/// C1: seconds to wait for an answer.
#[tokio::test]
async fn the_timeout_of_the_entry_is_kept() {
    let server = AuthorizationServer::start().await;
    server.always(Answer::hang());
    let mut entry = entry(&server);
    entry["timeout"] = value!(0.2);
    within_three_seconds(&entry).await;
    // Each of both answers comes in time, the second one not in the time of all.
    for place in ["oauth-authorization-server", "openid-configuration"] {
        let late = Answer::text(404, "not here").after(Duration::from_secs(1));
        server.always_at(format!("/.well-known/{place}"), late);
    }
    entry.as_object_mut().unwrap().remove("token_url");
    entry["issuer"] = value!(server.issuer());
    entry["timeout"] = value!(1.5);
    within_three_seconds(&entry).await;
}

async fn within_three_seconds(entry: &Value) {
    let began = std::time::Instant::now();
    let error = source(entry).token().await.unwrap_err();
    assert!(matches!(error, TokenError::Unavailable { .. }), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

/// C7
#[tokio::test]
async fn a_failure_that_passes_is_not_seen_by_the_caller() {
    let server = AuthorizationServer::start().await;
    for answer in [
        Answer::text(503, "busy"),
        Answer::close(),
        Answer::text(429, "slow down"),
    ] {
        server.push(answer);
    }
    source(&entry(&server)).token().await.unwrap();
    assert_eq!(server.token_requests(), 4, "one attempt and three retries");
    server.always(json(500, &value!({"error": "server_error"})));
    let error = source(&entry(&server)).token().await.unwrap_err();
    assert!(matches!(error, TokenError::Unavailable { .. }), "{error:?}");
    assert_eq!(server.token_requests(), 8);
}
