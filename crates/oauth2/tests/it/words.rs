//! C8, H01: what is passed on of a server's own words.

use crate::support::{endpoint, grant, http, in_full, json, quick, url};
use gatepass_core::{ExposeSecret, RefreshToken, SecretString};
use gatepass_oauth2::{Client, Grant, TokenEndpoint};
use gatepass_testkit::AuthorizationServer;

/// C8
#[tokio::test]
async fn a_refusal_shows_the_servers_words_without_their_control_characters() {
    let server = AuthorizationServer::start().await;
    server.push(
        json(
            400,
            "{\"error\":\"invalid_scope\\u001b[2J\",\"error_description\":\"No \\u001b]0;x\\u0007such\\r\\nscope\\u202e\\u200b\"}",
        )
        .with_header("x-request-id", "req-\u{9f}é7"),
    );
    let error = endpoint(&server.token_url()).request(&grant()).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("invalid_scope") && text.contains("such  scope"),
        "{text}"
    );
    assert!(text.contains("status 400"), "{text}");
    for text in [text, error.fix()] {
        let hostile = |c: char| c.is_control() || ('\u{200b}'..='\u{202e}').contains(&c);
        assert!(!text.chars().any(hostile), "{text:?}");
    }
    server.push(json(
        400,
        &format!(
            r#"{{"error":"{}","error_description":"{}"}}"#,
            "e".repeat(5000),
            "d".repeat(5000)
        ),
    ));
    let error = endpoint(&server.token_url()).request(&grant()).await.unwrap_err();
    // A thousand characters of each text, and our own words.
    assert!(error.to_string().len() < 2200, "{}", error.to_string().len());
}

/// H01: what a server quotes of our request isn't passed on.
#[tokio::test]
async fn a_secret_that_the_server_quotes_is_concealed() {
    let secret = "canary+secret/%";
    let quoted = "canary+secret/% canary%2Bsecret%2F%25 canary-refresh-token";
    for status in [200, 400, 401, 503] {
        let server = AuthorizationServer::start().await;
        server.always(json(
            status,
            &format!(r#"{{"error":"{quoted}","error_description":"not {quoted}"}}"#),
        ));
        let client = Client::new("client", secret);
        let endpoint = TokenEndpoint::new(http(), url(&server.token_url()), client).with_retry(quick());
        let token = RefreshToken::new("canary-refresh-token");
        for grant in [grant(), Grant::RefreshToken { token }] {
            let error = endpoint.request(&grant).await.unwrap_err();
            let text = in_full(&error).replace(
                "canary-refresh-token",
                match grant {
                    Grant::RefreshToken { .. } => "canary-refresh-token",
                    _ => "(not ours)",
                },
            );
            assert!(!text.contains("canary"), "{status}: {text}");
        }
    }
}

/// H01: what is shown is cut, and half a secret is no less a secret.
#[tokio::test]
async fn a_long_secret_that_the_server_quotes_leaves_nothing_of_it() {
    let token = format!("canary{}", "-4711-refresh".repeat(50));
    for (status, before) in [(200, 0), (400, 100), (401, 290), (503, 200)] {
        let server = AuthorizationServer::start().await;
        let quoted = format!("{}{token}", "-".repeat(before));
        let body = format!(r#"{{"error":"{quoted}","error_description":"{quoted} is unknown"}}"#);
        server.always(json(status, &body).with_header("x-request-id", &quoted));
        let grant = Grant::RefreshToken {
            token: RefreshToken::new(token.as_str()),
        };
        let error = endpoint(&server.token_url()).request(&grant).await.unwrap_err();
        assert!(
            !in_full(&error).contains("canary"),
            "{status}: {}",
            in_full(&error)
        );
        assert!(error.to_string().contains("***"), "{status}: {error}");
    }
}

/// H01: the header as it was sent is as good as the secret.
#[tokio::test]
async fn basic_credentials_that_the_server_quotes_are_concealed() {
    let server = AuthorizationServer::start().await;
    let client = Client::new("client", "canary+secret/%");
    let endpoint = TokenEndpoint::new(http(), url(&server.token_url()), client).with_retry(quick());
    endpoint.request(&grant()).await.unwrap_err();
    let requests = server.requests();
    let sent = requests
        .iter()
        .find_map(|request| request.header("authorization"))
        .and_then(|value| value.strip_prefix("Basic "))
        .unwrap()
        .to_owned();
    for status in [200, 400, 503] {
        let body = format!(r#"{{"error":"no {sent}","error_description":"unknown: Basic {sent}"}}"#);
        server.always(json(status, &body).with_header("x-request-id", &sent));
        let error = endpoint.request(&grant()).await.unwrap_err();
        assert!(!in_full(&error).contains(&sent), "{status}: {}", in_full(&error));
        assert!(error.to_string().contains("***"), "{status}: {error}");
    }
}

/// H01: a code and its verifier are secrets as a refresh token is one.
#[tokio::test]
async fn the_secrets_of_a_login_that_the_server_quotes_leave_nothing_of_them() {
    let long = |name: &str| SecretString::from(format!("canary-{name}{}", "-4711".repeat(80)));
    let code = Grant::AuthorizationCode {
        code: long("code"),
        redirect_uri: "http://127.0.0.1:1/callback".into(),
        code_verifier: long("verifier"),
    };
    let device = Grant::DeviceCode { code: long("device") };
    for (status, grant) in [(200, &code), (400, &code), (503, &code), (400, &device)] {
        let server = AuthorizationServer::start().await;
        let quoted = ["code", "verifier", "device"].map(|name| long(name).expose_secret().to_owned());
        let quoted = match grant {
            Grant::DeviceCode { .. } => quoted[2].clone(),
            _ => quoted[..2].join(" "),
        };
        let body = format!(r#"{{"error":"{quoted}","error_description":"{quoted} is unknown"}}"#);
        server.always(json(status, &body));
        let error = endpoint(&server.token_url()).request(grant).await.unwrap_err();
        assert!(
            !in_full(&error).contains("canary"),
            "{status}: {}",
            in_full(&error)
        );
        assert!(error.to_string().contains("***"), "{status}: {error}");
    }
}
