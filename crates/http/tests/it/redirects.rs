//! T02: a secret goes to the address that it was given for, and nowhere else.

use crate::support::{Trap, authorized, client, in_full, url};
use gatepass_core::{BackendError, ErrorKind};
use gatepass_http::HttpRequest;
use gatepass_testkit::http::{HeaderValue, header};
use gatepass_testkit::{Answer, ModelServer};

const CODES: [u16; 5] = [301, 302, 303, 307, 308];

/// T02
#[tokio::test]
async fn a_redirect_is_handed_to_the_caller_and_nobody_is_visited() {
    let server = ModelServer::start().await;
    let trap = Trap::new();
    let client = client();
    let address = url(&format!("{}/x?key=canary-key", server.base_url()));
    let with_secrets = |request: HttpRequest| {
        request
            .with_header(header::AUTHORIZATION, HeaderValue::from_static("Bearer canary"))
            .with_header(
                "x-goog-api-key".parse().unwrap(),
                HeaderValue::from_static("canary"),
            )
    };
    for code in CODES {
        for request in [
            HttpRequest::get(address.clone()),
            HttpRequest::post_form(address.clone(), "client_secret=canary"),
            HttpRequest::post_json(address.clone(), r#"{"key":"canary"}"#),
        ] {
            server.push(Answer::redirect(code, &format!("http://{}/", trap.address())));
            let response = client.send(with_secrets(request)).await.unwrap();
            assert_eq!(response.status().as_u16(), code);
        }
    }
    assert_eq!(server.requests().len(), 15, "one request each");
    assert!(!trap.was_visited());
}

/// T02
#[tokio::test]
async fn a_redirect_on_the_same_server_is_not_followed_either() {
    let server = ModelServer::start().await;
    let client = client();
    for code in CODES {
        server.push(Answer::redirect(code, "/elsewhere"));
        let request = HttpRequest::post_form(url(&server.base_url()), "client_secret=canary");
        assert_eq!(client.send(request).await.unwrap().status().as_u16(), code);
    }
    assert_eq!(server.requests().len(), 5);
    assert!(server.requests().iter().all(|request| request.path == "/v1"));
}

/// T02
#[tokio::test]
async fn a_redirecting_model_server_is_an_error_that_says_so() {
    let server = ModelServer::start().await;
    let trap = Trap::new();
    for code in CODES {
        server.push(Answer::redirect(
            code,
            &format!("http://{}/canary", trap.address()),
        ));
        let error = authorized(&server.base_url())
            .post_json("chat", "{}")
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.to_string().contains("redirect"), "{error}");
        assert!(!in_full(&error).contains("canary"), "{error:?}");
        assert!(matches!(error, BackendError::Provider(_)));
    }
    assert_eq!(server.requests().len(), 5, "not tried again");
    assert!(!trap.was_visited());
}

/// T02
#[tokio::test]
async fn requests_tell_the_server_nothing_that_nobody_asked_for() {
    let server = ModelServer::start().await;
    let client = client();
    for _ in 0..2 {
        let address = url(&format!("{}/models?key=canary", server.base_url()));
        client.send(HttpRequest::get(address)).await.unwrap();
    }
    for request in server.requests() {
        let mut names: Vec<_> = request.headers.keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["accept", "host", "user-agent"],
            "no Referer, no cookie, no Accept-Encoding"
        );
    }
}
