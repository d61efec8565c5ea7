//! T04, T06, T07: what each kind of answer means, and how often it is asked for.

use crate::support::{Trap, endpoint, grant, in_full, json};
use gatepass_core::{Advice, ExposeSecret, TokenError};
use gatepass_testkit::{Answer, AuthorizationServer};

/// What comes of an answer that the server gives again and again.
#[derive(Debug, PartialEq)]
enum Class {
    Token,
    /// A verdict: with this code, after one request.
    Refused(&'static str),
    /// No verdict: after one request and three retries.
    Unavailable,
    /// Not a token response: after one request.
    Malformed,
}

use Class::{Malformed, Refused, Token, Unavailable};

const TOKEN: &str = r#"{"access_token":"canary-token","token_type":"Bearer","expires_in":3600}"#;
const HTML: &str = "<!doctype html><html><body>canary-token</body></html>";

fn html(status: u16) -> Answer {
    Answer::text(status, HTML).with_header("content-type", "text/html")
}

fn error(status: u16, code: &str) -> Answer {
    json(
        status,
        &format!(r#"{{"error":"{code}","error_description":"because"}}"#),
    )
}

fn table() -> Vec<(&'static str, Answer, Class)> {
    let form = "access_token=canary-token&token_type=bearer&expires_in=3600&scope=a";
    vec![
        ("the good one", json(200, TOKEN), Token),
        ("201", json(201, TOKEN), Token),
        ("no content type", Answer::new(200).with_body(TOKEN), Token),
        ("a form", Answer::text(200, form), Token),
        (
            "bearer in capitals",
            json(200, r#"{"access_token":"canary-token","token_type":"BEARER"}"#),
            Token,
        ),
        (
            "a string as expires_in",
            json(200, r#"{"access_token":"canary-token","expires_in":"3600"}"#),
            Token,
        ),
        (
            "a list as scope",
            json(200, r#"{"access_token":"canary-token","scope":["a","b"]}"#),
            Token,
        ),
        (
            "a byte order mark",
            json(200, &format!("\u{feff}\r\n {TOKEN}\n")),
            Token,
        ),
        (
            "an error inside 200",
            error(200, "bad_verification_code"),
            Refused("bad_verification_code"),
        ),
        (
            "a form with an error",
            Answer::text(200, "error=access_denied"),
            Refused("access_denied"),
        ),
        (
            "invalid_grant",
            error(400, "invalid_grant"),
            Refused("invalid_grant"),
        ),
        (
            "invalid_client",
            error(400, "invalid_client"),
            Refused("invalid_client"),
        ),
        (
            "invalid_client 401",
            error(401, "invalid_client"),
            Refused("invalid_client"),
        ),
        (
            "invalid_scope",
            error(400, "invalid_scope"),
            Refused("invalid_scope"),
        ),
        (
            "invalid_target",
            error(400, "invalid_target"),
            Refused("invalid_target"),
        ),
        (
            "unauthorized_client",
            error(400, "unauthorized_client"),
            Refused("unauthorized_client"),
        ),
        (
            "a description that is no text",
            json(400, r#"{"error":"invalid_scope","error_description":["canary"]}"#),
            Refused("invalid_scope"),
        ),
        ("401 without a word", Answer::new(401), Refused("")),
        ("401 in HTML", html(401), Refused("")),
        ("403", error(403, "access_denied"), Refused("access_denied")),
        ("404 in HTML", html(404), Refused("")),
        ("405", Answer::new(405), Refused("")),
        ("408", Answer::new(408), Unavailable),
        ("425", Answer::new(425), Unavailable),
        ("429", Answer::new(429), Unavailable),
        (
            "429 that looks like a verdict",
            error(429, "invalid_grant"),
            Unavailable,
        ),
        (
            "400 that says later",
            error(400, "temporarily_unavailable"),
            Unavailable,
        ),
        (
            "200 that says later",
            error(200, "temporarily_unavailable"),
            Unavailable,
        ),
        ("200 that says it failed", error(200, "server_error"), Unavailable),
        ("200 that says too often", error(200, "slow_down"), Unavailable),
        ("500", error(500, "server_error"), Unavailable),
        ("501", Answer::new(501), Refused("")),
        ("502 in HTML", html(502), Unavailable),
        ("503", Answer::new(503), Unavailable),
        (
            "503 that looks like a verdict",
            error(503, "invalid_grant"),
            Unavailable,
        ),
        ("504", html(504), Unavailable),
        ("closes", Answer::close(), Unavailable),
        ("breaks off", Answer::truncated(TOKEN), Unavailable),
        ("200 in HTML", html(200), Malformed),
        ("200 and empty", Answer::new(200), Malformed),
        ("204", Answer::new(204), Malformed),
        ("a list", json(200, r#"["canary-token"]"#), Malformed),
        ("null", json(200, "null"), Malformed),
        (
            "another type of token",
            json(200, r#"{"access_token":"canary-token","token_type":"mac"}"#),
            Malformed,
        ),
        (
            "no type of token",
            json(200, r#"{"access_token":"canary-token","token_type":""}"#),
            Malformed,
        ),
        (
            "a number as type",
            json(200, r#"{"access_token":"canary-token","token_type":7}"#),
            Malformed,
        ),
        (
            "no token",
            json(200, r#"{"token_type":"Bearer","expires_in":60}"#),
            Malformed,
        ),
        ("null as token", json(200, r#"{"access_token":null}"#), Malformed),
        ("an empty token", json(200, r#"{"access_token":""}"#), Malformed),
        (
            "a number as token",
            json(200, r#"{"access_token":4711}"#),
            Malformed,
        ),
        (
            "a line break in the token",
            json(200, r#"{"access_token":"canary-token\r\nx: y"}"#),
            Malformed,
        ),
        (
            "a NUL in the token",
            json(200, r#"{"access_token":"canary-token\u0000"}"#),
            Malformed,
        ),
        (
            "two tokens",
            json(200, r#"{"access_token":"canary-token","access_token":"b"}"#),
            Malformed,
        ),
        (
            "a bad lifetime",
            json(200, r#"{"access_token":"canary-token","expires_in":[1]}"#),
            Malformed,
        ),
        (
            "no UTF-8",
            Answer::new(200).with_body(&b"{\"access_token\":\"canary-token\xff\"}"[..]),
            Malformed,
        ),
        (
            "cut in two",
            json(200, r#"{"access_token":"canary-token"#),
            Malformed,
        ),
        ("a deep hole", json(200, &"{\"a\":".repeat(10_000)), Malformed),
    ]
}

fn class_of(outcome: &Result<String, TokenError>) -> Class {
    match outcome {
        Ok(token) => {
            assert_eq!(token, "canary-token");
            Token
        }
        Err(TokenError::Refused(refusal)) => {
            // The table's codes are constants; an unknown one is shown as it is.
            Refused(Box::leak(refusal.error.clone().into_boxed_str()))
        }
        Err(TokenError::Unavailable { .. }) => Unavailable,
        Err(TokenError::Malformed { .. }) => Malformed,
        Err(other) => panic!("{other:?}"),
    }
}

/// T04, T06, T07
#[tokio::test]
async fn each_answer_has_its_class_and_its_number_of_requests() {
    for (name, answer, expected) in table() {
        let server = AuthorizationServer::start().await;
        server.always(answer);
        let outcome = endpoint(&server.token_url()).request(&grant()).await;
        let outcome = outcome.map(|response| response.access_token.expose_secret().to_owned());
        assert_eq!(class_of(&outcome), expected, "{name}: {outcome:?}");
        let requests = if expected == Unavailable { 4 } else { 1 };
        assert_eq!(server.token_requests(), requests, "{name}");
        let Err(error) = outcome else { continue };
        assert!(!in_full(&error).contains("canary"), "{name}: {}", in_full(&error));
        assert!(
            !error.to_string().contains('<'),
            "{name}: no page in an error: {error}"
        );
        assert!(
            error.to_string().contains(&server.address().to_string()),
            "{name}: {error}"
        );
        let advice = if expected == Unavailable {
            Advice::Retry { after: None }
        } else {
            Advice::FixConfig
        };
        assert_eq!(error.advice(), advice, "{name}");
    }
}

/// T02
#[tokio::test]
async fn a_redirecting_token_endpoint_gets_nothing() {
    let trap = Trap::new();
    for status in [301, 302, 303, 307, 308] {
        let server = AuthorizationServer::start().await;
        server.always(Answer::redirect(
            status,
            &format!("http://{}/canary", trap.address()),
        ));
        let error = endpoint(&server.token_url()).request(&grant()).await.unwrap_err();
        assert!(matches!(error, TokenError::Malformed { .. }), "{error:?}");
        assert!(error.to_string().contains("redirect"), "{error}");
        assert!(!in_full(&error).contains("canary"), "{error:?}");
        assert_eq!(server.token_requests(), 1);
    }
    assert!(!trap.was_visited());
}
