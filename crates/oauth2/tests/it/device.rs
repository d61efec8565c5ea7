//! A person logs in on another device. The clock is paused: what takes minutes takes none.

use crate::person::{http, metadata};
use gatepass_core::{Advice, ExposeSecret, Scopes};
use gatepass_http::RetryPolicy;
use gatepass_oauth2::{Client, DeviceFlow, Login, LoginError, Metadata};
use gatepass_testkit::{Answer, AuthorizationServer};
use serde_json::{Value, json};
use std::time::Duration;

fn flow_at(server: &Metadata) -> DeviceFlow {
    let client = Client::new("client", "secret");
    let endpoint = server.endpoint(http(), client).with_retry(RetryPolicy::never());
    DeviceFlow::new(server, endpoint)
        .unwrap()
        .with_scopes(Scopes::parse("openid llm.read").unwrap())
}

async fn flow(server: &AuthorizationServer) -> DeviceFlow {
    flow_at(&metadata(server).await)
}

fn error(code: &str) -> Answer {
    Answer::json(400, &json!({ "error": code }))
}

/// Begins and finishes; tells the seconds from the beginning to each poll.
async fn log_in(server: &AuthorizationServer) -> (Result<Login, LoginError>, Vec<u64>) {
    let flow = flow(server).await;
    let before = server.token_requests();
    let device = flow.begin().await.unwrap();
    let began = tokio::time::Instant::now().into_std();
    let login = flow.finish(device).await;
    let requests = server.requests();
    let polls = requests
        .iter()
        .filter(|request| request.path == "/token")
        .skip(before);
    let seconds = polls.map(|poll| poll.at.saturating_duration_since(began).as_secs());
    (login, seconds.collect())
}

fn authorization(members: &Value) -> Answer {
    let mut body = json!({
        "device_code": "canary-device",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://as.example/device",
        "expires_in": 60,
    });
    let members = members.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(members);
    Answer::json(200, &body)
}

#[tokio::test(start_paused = true)]
async fn a_device_login_brings_a_credential() {
    let server = AuthorizationServer::start().await;
    server.push(error("authorization_pending"));
    let (login, polls) = log_in(&server).await;
    let login = login.unwrap();
    assert!(server.is_active(login.credential.refresh_token.unwrap().expose_secret()));
    assert_eq!(login.identity.unwrap().subject, "4711");
    assert_eq!(polls, [5, 10]);
}

/// G01
#[tokio::test(start_paused = true)]
async fn slow_down_holds_for_all_later_polls() {
    let server = AuthorizationServer::start().await;
    for code in [
        "authorization_pending",
        "slow_down",
        "authorization_pending",
        "slow_down",
        "authorization_pending",
    ] {
        server.push(error(code));
    }
    let (login, polls) = log_in(&server).await;
    login.unwrap();
    assert_eq!(polls, [5, 10, 20, 30, 45, 60]);
    server.push(Answer::json(429, &json!({ "error": "slow_down" })));
    assert_eq!(log_in(&server).await.1, [5, 15]);
    server.push(Answer::json(200, &json!({ "error": "slow_down" })));
    assert_eq!(log_in(&server).await.1, [5, 15], "without an error status, too");
}

/// G01
#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_reached_is_polled_ever_more_slowly() {
    let server = AuthorizationServer::start().await;
    server.push(Answer::close());
    server.push(Answer::new(503));
    server.push(Answer::new(503).with_header("retry-after", "60"));
    let (login, polls) = log_in(&server).await;
    login.unwrap();
    assert_eq!(polls, [5, 15, 35, 95]);
}

/// G01
#[tokio::test(start_paused = true)]
async fn the_end_is_the_end() {
    let server = AuthorizationServer::start().await;
    for (code, advice) in [
        ("access_denied", Advice::LoginRequired),
        ("expired_token", Advice::LoginRequired),
        ("invalid_grant", Advice::FixConfig),
        ("invalid_client", Advice::FixConfig),
    ] {
        server.push(error("authorization_pending"));
        server.push(error(code));
        let (login, polls) = log_in(&server).await;
        let error = login.unwrap_err();
        assert!(error.to_string().contains(code), "{error}");
        assert_eq!((error.advice(), polls), (advice, vec![5, 10]), "{code}");
        assert!(!format!("{error:?}").contains("code-"), "{error:?}");
    }
}

/// G01
#[tokio::test(start_paused = true)]
async fn nobody_polls_after_the_code_has_expired() {
    let server = AuthorizationServer::start().await;
    server.always_at("/device_authorization", authorization(&json!({"expires_in": 22})));
    server.always(error("authorization_pending"));
    let (login, polls) = log_in(&server).await;
    assert!(matches!(login, Err(LoginError::TimedOut { after }) if after == Duration::from_secs(22)));
    assert_eq!(polls, [5, 10, 15, 20]);
}

/// G01
#[tokio::test(start_paused = true)]
async fn an_interval_that_is_none_is_five_seconds() {
    let server = AuthorizationServer::start().await;
    for (interval, expected) in [
        (json!(null), 5),
        (json!(0), 5),
        (json!(-3), 5),
        (json!("junk"), 5),
        (json!("5.5"), 5),
        (json!([1]), 5),
        (json!(1), 1),
        (json!("7"), 7),
    ] {
        server.always_at(
            "/device_authorization",
            authorization(&json!({"interval": interval})),
        );
        server.push(Answer::json(200, &json!({"access_token": "t"})));
        let (login, polls) = log_in(&server).await;
        login.unwrap();
        assert_eq!(polls, [expected], "{interval}");
    }
}

/// G01, T06
#[tokio::test(start_paused = true)]
async fn an_interval_that_is_longer_than_the_code_is_good_for_ends_the_login_in_time() {
    let server = AuthorizationServer::start().await;
    for interval in [json!(61), json!(u64::MAX), json!("9223372036854775807")] {
        server.always_at(
            "/device_authorization",
            authorization(&json!({"interval": interval})),
        );
        let (login, polls) = log_in(&server).await;
        assert!(
            matches!(login, Err(LoginError::TimedOut { .. })),
            "{interval}: {login:?}"
        );
        assert!(polls.is_empty(), "{interval}: {polls:?}");
    }
}

/// G01, T06
#[tokio::test(start_paused = true)]
async fn a_pause_that_is_longer_than_the_code_is_good_for_ends_the_login_in_time() {
    let server = AuthorizationServer::start().await;
    for pause in ["61", "9223372036854775807", "1e19"] {
        server.always_at("/device_authorization", authorization(&json!({})));
        server.push(Answer::new(503).with_header("retry-after", pause));
        let (login, polls) = log_in(&server).await;
        assert!(
            matches!(login, Err(LoginError::TimedOut { .. })),
            "{pause}: {login:?}"
        );
        assert_eq!(polls, [5], "{pause}");
    }
}

/// G01, H06
#[tokio::test(start_paused = true)]
async fn what_is_shown_is_safe_to_show() {
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await;
    server.always_at(
        "/device_authorization",
        authorization(&json!({"user_code": "A\u{1b}[2JB", "verification_uri_complete": "javascript:x"})),
    );
    let device = flow.begin().await.unwrap();
    assert_eq!(
        (&*device.user_code, device.verification_uri_complete.as_deref()),
        ("A [2JB", None)
    );
    assert!(!format!("{device:?}").contains("canary"));
    for bad in [
        json!({"verification_uri": "http://as.example/device"}),
        json!({"verification_uri": "javascript:alert(1)"}),
        json!({"verification_uri": "https://as.example/\u{1b}"}),
        json!({"verification_uri": null}),
        json!({"user_code": "\u{1b}"}),
        json!({"device_code": 7}),
    ] {
        server.always_at("/device_authorization", authorization(&bad));
        let error = flow.begin().await.unwrap_err();
        assert!(!format!("{error:?}").contains("canary"), "{bad}");
    }
    for (answer, advice) in [
        (error("invalid_scope"), Advice::FixConfig),
        (
            Answer::json(200, &json!({"error": "unauthorized_client"})),
            Advice::FixConfig,
        ),
        (Answer::text(200, "<html>"), Advice::FixConfig),
        (Answer::new(503), Advice::Retry { after: None }),
    ] {
        server.always_at("/device_authorization", answer);
        assert_eq!(flow.begin().await.unwrap_err().advice(), advice);
    }
}

#[tokio::test]
async fn a_server_without_device_logins_is_refused() {
    let server = AuthorizationServer::start().await;
    let none = Metadata::new(metadata(&server).await.token_endpoint);
    let endpoint = none.endpoint(http(), Client::public("client"));
    let error = DeviceFlow::new(&none, endpoint).unwrap_err();
    assert!(error.fix().contains("paste"), "{}", error.fix());
}
