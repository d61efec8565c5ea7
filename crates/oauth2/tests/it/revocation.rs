//! A login is ended at its server.

use crate::person::{agree, flow, http, log_in, metadata};
use gatepass_core::{Advice, Credential, ExposeSecret};
use gatepass_http::RetryPolicy;
use gatepass_oauth2::{Client, Login, Metadata, Revocation};
use gatepass_testkit::{Answer, AuthorizationServer};
use serde_json::json;
use std::time::{Duration, Instant};

async fn revocation(server: &AuthorizationServer) -> Revocation {
    let metadata = metadata(server).await;
    let endpoint = metadata
        .endpoint(http(), Client::new("client", "secret"))
        .with_retry(RetryPolicy::never());
    Revocation::new(&metadata, endpoint).unwrap()
}

async fn login(server: &AuthorizationServer) -> Login {
    log_in(&flow(server).await, agree).await.0.unwrap()
}

/// G03
#[tokio::test]
async fn both_tokens_are_revoked_the_refresh_token_first() {
    let server = AuthorizationServer::start().await;
    let credential = login(&server).await.credential;
    let revocation = revocation(&server).await;
    revocation.revoke(&credential).await.unwrap();
    let hints = || {
        let requests = server.requests();
        let revoked = requests.iter().filter(|request| request.path == "/revoke");
        revoked
            .map(|request| request.form_value("token_type_hint").unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(hints(), ["refresh_token", "access_token"]);
    assert!(!server.is_active(credential.refresh_token.as_ref().unwrap().expose_secret()));
    assert!(!server.is_active(credential.access_token.as_ref().unwrap().expose_secret()));
    // It doesn't know them any more, which is as good.
    revocation.revoke(&credential).await.unwrap();
    server.always_at("/revoke", Answer::json(400, &json!({"error": "invalid_token"})));
    revocation.revoke(&credential).await.unwrap();
}

/// G03
#[tokio::test]
async fn a_failure_is_told_within_five_seconds_and_both_are_tried() {
    let server = AuthorizationServer::start().await;
    let credential = login(&server).await.credential;
    let revocation = revocation(&server).await;
    for (answer, advice) in [
        (
            Answer::json(400, &json!({"error": "invalid_request"})),
            Advice::FixConfig,
        ),
        (Answer::new(503), Advice::Retry { after: None }),
        (
            Answer::json(200, &json!({"error": "temporarily_unavailable"})),
            Advice::Retry { after: None },
        ),
        (Answer::close(), Advice::Retry { after: None }),
        (Answer::redirect(307, "http://127.0.0.1:9/"), Advice::FixConfig),
        (Answer::hang(), Advice::Retry { after: None }),
    ] {
        let start = Instant::now();
        server.always_at("/revoke", answer);
        let error = revocation.revoke(&credential).await.unwrap_err();
        assert_eq!(error.advice(), advice, "{error}");
        assert!(start.elapsed() < Duration::from_millis(5500));
    }
    let quoting = json!({"error": "invalid_request", "error_description": format!("bad token {}", credential.refresh_token.as_ref().unwrap().expose_secret())});
    server.always_at("/revoke", Answer::json(400, &quoting));
    let error = revocation.revoke(&credential).await.unwrap_err();
    assert!(
        !format!("{error} {error:?}").contains(credential.refresh_token.as_ref().unwrap().expose_secret())
    );
}

/// M03
#[tokio::test]
async fn a_token_goes_to_no_host_that_did_not_issue_it() {
    let (ours, other) = (
        AuthorizationServer::start().await,
        AuthorizationServer::start().await,
    );
    let credential = login(&ours).await.credential;
    let elsewhere = revocation(&other).await;
    let before = other.requests().len();
    for foreign in [credential.clone(), Credential::new(other.token_url(), "another")] {
        assert_eq!(
            elsewhere.revoke(&foreign).await.unwrap_err().advice(),
            Advice::FixConfig
        );
    }
    assert_eq!(other.requests().len(), before);
    let known = metadata(&ours).await;
    let none = Metadata::new(known.token_endpoint.clone());
    let endpoint = || none.endpoint(http(), Client::public("client"));
    assert!(Revocation::new(&none, endpoint()).is_err());
    assert!(Revocation::new(&metadata(&other).await, endpoint()).is_err());
}
