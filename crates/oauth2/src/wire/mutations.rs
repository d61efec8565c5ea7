//! T06: a hundred thousand token responses with something wrong in them.

use super::{Complaint, LONGEST_LIFETIME, TokenResponse, read_error, read_success};
use gatepass_core::{ExposeSecret, Moment, Refusal, TokenError};
use gatepass_testkit::damaged;
use std::time::Duration;

/// The head of both tokens below: an error that shows this much shows too much.
const CANARY: &str = "canary-4711-";

const RESPONSES: [&str; 5] = [
    r#"{"access_token":"canary-4711-access","token_type":"Bearer","expires_in":3600,"refresh_token":"canary-4711-refresh","scope":"a b"}"#,
    r#"{"access_token":"canary-4711-access","expires_in":"3600","id_token":null,"x":{"y":[1,2.5,true]}}"#,
    r#"{ "token_type" : "bEARER", "scope" : null, "expires_in" : -1e3, "access_token" : "canary-4711-access" }"#,
    "access_token=canary-4711-access&token_type=bearer&expires_in=3600&refresh_token=canary-4711-refresh&scope=a%20b",
    "\u{feff}{\"access_token\":\"canary-4711-access\",\"scope\":\"ä,\\u00e4\"}\r\n",
];

const REFUSALS: [&str; 3] = [
    r#"{"error":"invalid_grant","error_description":"expired\u001b[2J","error_uri":"https://as.example/e"}"#,
    r#"{"error":{"code":400,"message":"no"},"error_description":7}"#,
    "error=invalid_scope&error_description=unknown+scope",
];

fn read(body: &[u8]) -> Result<Result<TokenResponse, Complaint>, TokenError> {
    let asked_at = Moment::new(Duration::from_secs(1_800_000_000), Duration::from_secs(5));
    read_success("as.example", body, asked_at)
}

/// T06
#[test]
fn no_response_makes_the_reader_panic_or_tell_a_token() {
    let mut good = 0;
    for (round, response) in (0..100_000).zip(RESPONSES.iter().cycle()) {
        let body = damaged(response.as_bytes(), round);
        let outcome = read(&body);
        match &outcome {
            Ok(Ok(response)) => {
                good += 1;
                let token = &response.access_token;
                assert!(token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()));
                assert!(token.lifetime().unwrap() <= LONGEST_LIFETIME);
            }
            Err(error @ TokenError::Malformed { what }) => {
                let body = String::from_utf8_lossy(&body);
                assert!(what.len() < 300, "{what} for {body:?}");
                assert!(
                    !format!("{error:?} {what}").contains(CANARY),
                    "{what} for {body:?}"
                );
            }
            _ => panic!("no token, no error for {:?}", String::from_utf8_lossy(&body)),
        }
    }
    assert!((10_000..90_000).contains(&good), "{good} of them could be read");
}

/// T06
#[test]
fn no_refusal_makes_the_reader_panic_or_drives_the_terminal() {
    for (round, refusal) in (0..30_000).zip(REFUSALS.iter().cycle()) {
        let body = damaged(refusal.as_bytes(), round);
        let told = |complaint: &Complaint| {
            let refusal = Refusal::new("as.example", 400, &complaint.error);
            refusal
                .with_description(complaint.description.as_deref())
                .to_string()
        };
        let text = match read(&body) {
            Ok(Err(complaint)) => told(&complaint),
            Err(error) => error.to_string(),
            Ok(Ok(_)) => String::new(),
        };
        for text in [text, told(&read_error(&body))] {
            assert!(!text.chars().any(char::is_control), "{text:?}");
            assert!(text.len() < 4000, "{text}");
        }
    }
}
