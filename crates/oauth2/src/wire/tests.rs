use super::*;
use gatepass_core::ExposeSecret;

fn read(body: &str) -> Result<TokenResponse, TokenError> {
    let asked_at = Moment::new(Duration::from_secs(1_800_000_000), Duration::from_secs(5));
    let read = read_success("as.example", body.as_bytes(), asked_at)?;
    Ok(read.unwrap_or_else(|complaint| panic!("{body}: {}", complaint.error)))
}

fn lifetime_of(expires_in: &str) -> Option<u64> {
    let body = format!(r#"{{"access_token":"t","expires_in":{expires_in}}}"#);
    Some(read(&body).ok()?.access_token.lifetime()?.as_secs())
}

#[test]
fn a_response_is_read() {
    let response =
        read(r#"{"access_token":"t","token_type":"bearer","expires_in":60,"scope":"a b","x":[1]}"#);
    let token = response.unwrap().access_token;
    assert_eq!(token.expose_secret(), "t");
    assert_eq!(token.lifetime(), Some(Duration::from_secs(60)));
    assert_eq!(token.scopes().unwrap().to_string(), "a b");
    let expected = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_060);
    assert_eq!(
        token.expires_at(),
        Some(expected),
        "counted from the question, not from the answer"
    );
}

#[test]
fn expires_in_is_read_in_every_form_that_servers_send() {
    for (text, expected) in [
        ("3600", 3600),
        ("\"3600\"", 3600),
        ("\" 3600 \"", 3600),
        ("3599.9", 3599),
        ("\"3599.9\"", 3599),
        ("3.6e3", 3600),
        ("null", 3600),
        ("0", 0),
        ("-5", 0),
        ("\"-5\"", 0),
        ("9223372036854775808", 315_360_000),
        ("1e300", 315_360_000),
        ("18446744073709551616", 315_360_000),
    ] {
        assert_eq!(lifetime_of(text), Some(expected), "{text}");
    }
    assert_eq!(
        read(r#"{"access_token":"t"}"#).unwrap().access_token.lifetime(),
        Some(DEFAULT_LIFETIME)
    );
}

#[test]
fn an_expires_in_that_is_no_number_is_an_error() {
    for text in ["true", "\"soon\"", "\"\"", "[3600]", "{}", "\"NaN\"", "\"inf\""] {
        let error = read(&format!(r#"{{"access_token":"canary","expires_in":{text}}}"#)).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("expires_in is not a number of seconds"),
            "{text}: {error}"
        );
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[test]
fn only_bearer_tokens_are_used() {
    for good in [
        r#","token_type":"Bearer""#,
        r#","token_type":"BEARER""#,
        r#","token_type":null"#,
        "",
    ] {
        assert!(
            read(&format!(r#"{{"access_token":"t"{good}}}"#)).is_ok(),
            "{good}"
        );
    }
    for (kind, named) in [
        ("mac", true),
        ("PoP_2.0-x", true),
        ("a-token-that-took-its-place", false),
        ("two words", false),
        ("\\u001b[2J", false),
        ("", false),
    ] {
        let error = read(&format!(r#"{{"access_token":"t","token_type":"{kind}"}}"#)).unwrap_err();
        let what = if named {
            format!("token_type is '{kind}', not Bearer")
        } else {
            "token_type is not Bearer".into()
        };
        assert!(error.to_string().contains(&what), "{kind}: {error}");
    }
    for bad in [r#""evil""#, r#""DPoP""#, "7", "[]"] {
        let error = read(&format!(r#"{{"access_token":"t","token_type":{bad}}}"#)).unwrap_err();
        assert!(matches!(error, TokenError::Malformed { .. }), "{bad}: {error}");
    }
}

#[test]
fn what_is_no_token_response_is_an_error_that_shows_nothing_of_it() {
    for bad in [
        "",
        " ",
        "null",
        "[]",
        "\"canary\"",
        "canary",
        "<html>canary</html>",
        "{",
        r#"{"access_token":"canary"#,
        "{}",
        r#"{"access_token":null}"#,
        r#"{"access_token":""}"#,
        r#"{"access_token":7}"#,
        r#"{"access_token":["canary"]}"#,
        r#"{"access_token":"canary","access_token":"canary2"}"#,
        r#"{"access_token":"canary\u0000"}"#,
        r#"{"access_token":"can ary"}"#,
        r#"{"access_token":"canary","refresh_token":{"canary":1}}"#,
        "access_token=canary&access_token=canary",
        "access_token=canary&expires_in=soon",
    ] {
        let error = read(bad).unwrap_err();
        assert!(matches!(error, TokenError::Malformed { .. }), "{bad}: {error:?}");
        assert!(
            !format!("{error} {error:?}").contains("canary"),
            "{bad}: {error:?}"
        );
    }
    let error = read_success(
        "h",
        b"{\"access_token\":\"\xff\"}",
        Moment::new(Duration::ZERO, Duration::ZERO),
    );
    assert!(matches!(error, Err(TokenError::Malformed { .. })));
}

#[test]
fn a_form_is_read_too() {
    let response = read("access_token=t%2B&token_type=bearer&expires_in=60&scope=a,b").unwrap();
    assert_eq!(response.access_token.expose_secret(), "t+");
    assert_eq!(response.access_token.scopes().unwrap().to_string(), "a b");
}

#[test]
fn every_member_of_a_form_counts_once() {
    let form = "access_token=t&refresh_token=r&id_token=i&token_type=bearer&scope=a&expires_in=60";
    let response = read(form).unwrap();
    assert_eq!(response.refresh_token, Some(RefreshToken::new("r")));
    assert_eq!(response.id_token.unwrap().expose_secret(), "i");
    assert_eq!(response.access_token.lifetime(), Some(Duration::from_secs(60)));
    assert!(read("access_token=t&token_type=mac").is_err());
    for member in form.split('&') {
        let name = member.split_once('=').unwrap().0;
        let error = read(&format!("{form}&{member}")).unwrap_err();
        assert!(
            error.to_string().contains(&format!("it has {name} twice")),
            "{error}"
        );
    }
    let complaint = read_error(b"error=invalid_scope&error_description=no+such+scope");
    assert_eq!(complaint.error, "invalid_scope");
    assert_eq!(complaint.description.as_deref(), Some("no such scope"));
    assert_eq!(read_error(b"error=a&error=a").error, "", "twice is unreadable");
    assert_eq!(
        read_error(b"error=a&error_description=x&error_description=x").error,
        ""
    );
}

#[test]
fn an_answer_that_is_no_token_response_is_called_what_it_is() {
    for (body, what) in [
        ("", "it is empty"),
        ("\u{feff} \n", "it is empty"),
        ("<html>", "an HTML or XML page"),
        ("<a=b>", "an HTML or XML page"),
        ("hello", "not a JSON object"),
        ("x = y", "not a JSON object"),
        ("[]", "not a JSON object"),
        ("{\"access_token\":7}", "a member has the wrong type at line 1"),
        ("{\"access_token\":", "it is cut off at line 1"),
        ("{'a'}", "it is not valid JSON at line 1"),
        ("{\"scope\":\"a\",\"scope\":\"b\"}", "duplicate field `scope`"),
    ] {
        let error = read(body).unwrap_err().to_string();
        assert!(error.contains(what), "{body:?}: {error}");
    }
}

#[test]
fn an_error_inside_a_success_is_a_complaint() {
    let body =
        br#"{"access_token":"t","error":"bad_verification_code","error_description":"The code is wrong"}"#;
    let complaint = read_success("as.example", body, Moment::new(Duration::ZERO, Duration::ZERO))
        .unwrap()
        .unwrap_err();
    assert_eq!(complaint.error, "bad_verification_code");
    assert_eq!(complaint.description.as_deref(), Some("The code is wrong"));
}

#[test]
fn an_empty_refresh_token_is_none() {
    for none in [r#""""#, "null"] {
        let body = format!(r#"{{"access_token":"t","refresh_token":{none}}}"#);
        assert!(read(&body).unwrap().refresh_token.is_none(), "{none}");
    }
    assert!(
        read("access_token=t&refresh_token=")
            .unwrap()
            .refresh_token
            .is_none()
    );
}

#[test]
fn a_scope_of_another_kind_costs_no_token() {
    for (scope, expected) in [
        (r#"["a","b"]"#, Some("a b")),
        (r#"["a b"]"#, Some("a b")),
        (r#"["a",7]"#, None),
        ("7", None),
        ("{}", None),
        ("true", None),
    ] {
        let body = format!(r#"{{"access_token":"t","scope":{scope}}}"#);
        let token = read(&body).unwrap().access_token;
        assert_eq!(
            token.scopes().map(ToString::to_string).as_deref(),
            expected,
            "{scope}"
        );
    }
}

#[test]
fn a_description_of_another_kind_costs_no_error() {
    for description in ["7", "null", "[\"canary\"]", "{\"canary\":1}"] {
        let body = format!(r#"{{"error":"invalid_scope","error_description":{description}}}"#);
        let complaint = read_error(body.as_bytes());
        assert_eq!(complaint.error, "invalid_scope", "{description}");
        assert_eq!(complaint.description, None);
    }
}

#[test]
fn debug_does_not_print_the_tokens() {
    let response = read(r#"{"access_token":"canary-a","refresh_token":"canary-r"}"#).unwrap();
    assert!(!format!("{response:?}").contains("canary"));
}
