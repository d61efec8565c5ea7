use super::*;

fn full() -> Credential {
    let token = AccessToken::bearer("canary-access")
        .unwrap()
        .with_expires_at(SystemTime::UNIX_EPOCH + Duration::from_millis(1_900_000_000_250))
        .with_lifetime(Duration::from_secs(3599))
        .with_scopes(Scopes::parse("llm.read").unwrap());
    Credential::new("https://as.example/token", "client")
        .with_access_token(token)
        .with_refresh_token(RefreshToken::new("canary-refresh \"\\\u{e4}"))
        .with_scopes(Scopes::parse("llm.read llm.write").unwrap())
}

fn written(credential: &Credential) -> Value {
    serde_json::from_str(credential.to_secret_json().unwrap().expose_secret()).unwrap()
}

#[test]
fn a_credential_is_written_as_documented() {
    let expected = serde_json::json!({
        "token_url": "https://as.example/token", "client_id": "client",
        "access_token": "canary-access", "token_type": "bearer",
        "expires_at": 1_900_000_000, "expires_in": 3599, "access_token_scope": "llm.read",
        "refresh_token": "canary-refresh \"\\\u{e4}", "scope": "llm.read llm.write",
    });
    assert_eq!(written(&full()), expected);
    let bare = Credential::new("https://as.example/token", "client");
    let expected = serde_json::json!({"token_url": "https://as.example/token", "client_id": "client"});
    assert_eq!(written(&bare), expected);
}

#[test]
fn what_was_written_is_read() {
    let key = AccessToken::api_key("sk-1").unwrap();
    let no_scope = AccessToken::bearer("a").unwrap().with_scopes(Scopes::default());
    let bare = Credential::new("https://as.example/token", "client");
    for credential in [
        full(),
        bare.clone(),
        bare.clone().with_access_token(key),
        bare.with_access_token(no_scope),
    ] {
        let json = credential.to_secret_json().unwrap();
        let read = Credential::from_json(json.expose_secret()).unwrap();
        assert_eq!(read, credential);
        assert_eq!(written(&read), written(&credential), "times and scopes, too");
    }
}

#[test]
fn what_a_newer_version_wrote_survives_an_older_one_and_is_not_shown() {
    let newer =
        r#"{"token_url":"u","client_id":"c","dpop_key":"canary-1","nested":{"a":["canary-2",null,1.5]}}"#;
    let credential = Credential::from_json(newer).unwrap();
    let shown = format!("{credential:?}");
    assert!(shown.contains("dpop_key") && !shown.contains("canary"), "{shown}");
    let renewed = credential.with_access_token(AccessToken::bearer("new").unwrap());
    let kept = written(&renewed);
    assert_eq!(kept["dpop_key"], "canary-1");
    assert_eq!(kept["nested"], serde_json::json!({"a": ["canary-2", null, 1.5]}));
}

#[test]
fn what_is_no_credential_is_refused_without_being_shown() {
    for bad in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"token_url":"u"}"#,
        r#"{"token_url":"u","client_id":"c","access_token":"can ary"}"#,
        r#"{"token_url":"u","client_id":"c","access_token":1}"#,
        r#"{"token_url":"u","client_id":"c","token_type":"canary"}"#,
        r#"{"token_url":"u","client_id":"c","expires_at":"canary"}"#,
        r#"{"token_url":"u","client_id":"c","scope":"canary  canary"}"#,
        r#"{"token_url":"u","client_id":"c","refresh_token":"canary""#,
    ] {
        let error = Credential::from_json(bad).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[test]
fn times_at_the_edge_do_no_harm() {
    let far = r#"{"token_url":"u","client_id":"c","access_token":"a","expires_at":18446744073709551615}"#;
    let token = Credential::from_json(far).unwrap().access_token.unwrap();
    assert_eq!(token.expires_at(), None);
    let past = AccessToken::bearer("a")
        .unwrap()
        .with_expires_at(SystemTime::UNIX_EPOCH - Duration::from_secs(1));
    assert_eq!(
        written(&Credential::new("u", "c").with_access_token(past))["expires_at"],
        0
    );
}
