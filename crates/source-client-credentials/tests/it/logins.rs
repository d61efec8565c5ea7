//! Entries of providers that people log in to.

use crate::support::provider;
use gatepass_client_credentials::{ClientCredentialsSource, GrantType};
use serde_json::{Value, json};

fn entry(grant_type: &str) -> Value {
    json!({ "grant_type": grant_type, "client_id": "app", "issuer": "https://as.example" })
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut entry = entry("authorization_code");
    for (field, value) in changes {
        entry[*field] = value.clone();
    }
    entry
}

#[test]
fn the_grant_is_named_in_the_words_of_the_standards() {
    for (name, grant) in [
        ("authorization_code", GrantType::AuthorizationCode),
        ("device_code", GrantType::DeviceCode),
        (
            "urn:ietf:params:oauth:grant-type:device_code",
            GrantType::DeviceCode,
        ),
    ] {
        let provider = provider(&entry(name)).unwrap();
        assert_eq!(provider.grant_type, grant);
        assert_eq!(provider.client.id(), "app", "a login may do without a secret");
        let error = ClientCredentialsSource::new(provider).unwrap_err();
        assert!(
            error.to_string().contains("grant_type is a person's login"),
            "{error}"
        );
    }
    let error = provider(&entry("implicit")).unwrap_err();
    assert!(error.to_string().ends_with("grant_type is not known"), "{error}");
    let error = provider(&entry("client_credentials")).unwrap_err();
    assert!(error.to_string().ends_with("client_secret is missing"), "{error}");
}

#[test]
fn endpoints_are_needed_where_no_issuer_tells_them() {
    let token_url = ("token_url", Value::from("https://as.example/token"));
    let authorization_url = ("authorization_url", Value::from("https://as.example/authorize"));
    let nothing = ("issuer", Value::Null);
    let error = provider(&with(&[nothing.clone(), token_url.clone()])).unwrap_err();
    assert!(
        error.to_string().ends_with("authorization_url is missing"),
        "{error}"
    );
    assert!(provider(&with(&[nothing.clone(), token_url.clone(), authorization_url])).is_ok());
    let device = ("grant_type", Value::from("device_code"));
    let error = provider(&with(&[nothing, token_url, device])).unwrap_err();
    assert!(
        error.to_string().ends_with("device_authorization_url is missing"),
        "{error}"
    );
}

#[test]
fn what_is_of_no_use_to_the_grant_is_an_error() {
    let error = provider(&with(&[("refresh_token", "canary".into())])).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("refresh_token comes from the person's login"),
        "{error}"
    );
    for (field, value) in [
        ("authorization_url", "https://as.example/authorize"),
        ("device_authorization_url", "https://as.example/device"),
        ("revocation_url", "https://as.example/revoke"),
        ("redirect_uri", "http://127.0.0.1:8085/"),
    ] {
        let entry = with(&[
            ("grant_type", Value::Null),
            ("client_secret", "s".into()),
            (field, value.into()),
        ]);
        let error = provider(&entry).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with(&format!("{field} is for a person's login")),
            "{error}"
        );
        assert!(provider(&with(&[(field, value.into())])).is_ok());
    }
}

#[test]
fn a_redirect_address_is_one_of_this_machine() {
    let redirect = |uri: &str| provider(&with(&[("redirect_uri", uri.into())])).map(|it| it.redirect);
    assert_eq!(
        redirect("http://127.0.0.1:8085/cb").unwrap(),
        Some(("/cb".into(), 8085))
    );
    for bad in [
        "https://127.0.0.1:8085/",
        "http://localhost:8085/",
        "http://127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:8085",
        "http://127.0.0.1:8085.evil.example/",
        "http://127.0.0.1:99999/",
    ] {
        assert!(
            redirect(bad).unwrap_err().to_string().contains("redirect_uri"),
            "{bad}"
        );
    }
}
