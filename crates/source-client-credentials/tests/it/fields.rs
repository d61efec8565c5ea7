//! C3: each problem names file, provider and field, and shows no value.

use crate::support::{in_full, provider};
use gatepass_core::{Advice, ConfigError};
use serde_json::{Value, json};

/// Valid, with a secret in each field that may hold one.
fn entry() -> Value {
    json!({
        "client_id": "id",
        "client_secret": "canary-secret",
        "token_url": "https://as.example/t?tenant=canary-query",
        "scope": "a",
        "refresh_token": "canary-refresh",
        "base_url": "https://llm.example/v1?key=canary-key",
        "audience": "urn:a",
        "resource": "https://r.example",
        "auth_style": "auto",
        "timeout": 5,
        "ca_file": "ca.pem",
        "allow_http": false,
        "headers": {"x-key": "canary-header"},
    })
}

fn with(field: &str, value: &Value) -> Value {
    let mut entry = entry();
    entry[field] = value.clone();
    entry
}

fn with_issuer(value: &Value) -> Value {
    let mut entry = with("issuer", value);
    entry.as_object_mut().unwrap().remove("token_url");
    entry
}

/// Wrong, at this field: the error says so, and says no more than it should.
fn refused(entry: &Value, field: &str) -> ConfigError {
    let error = match provider(entry) {
        Err(error) => error,
        Ok(provider) => panic!("{field}: {provider:?} is taken"),
    };
    let text = error.to_string();
    assert!(text.contains("litellm_config.json"), "{text}");
    assert!(text.contains(&format!("provider 'corp': {field}")), "{text}");
    assert!(!in_full(&error).contains("canary"), "{}", in_full(&error));
    assert!(
        !error.fix().is_empty() && !error.fix().ends_with('.'),
        "{}",
        error.fix()
    );
    assert_eq!(error.advice(), Advice::FixConfig);
    error
}

const TEXTS: [&str; 12] = [
    "client_id",
    "client_secret",
    "token_url",
    "scope",
    "refresh_token",
    "provider_name",
    "base_url",
    "api",
    "audience",
    "resource",
    "auth_style",
    "ca_file",
];

#[test]
fn the_api_says_what_else_it_needs() {
    use gatepass_client_credentials::Api;
    let read = |more: &[(&str, &str)]| {
        let mut entry = entry();
        for (field, value) in more {
            entry[*field] = (*value).into();
        }
        provider(&entry)
    };
    let vertex = [("api", "vertex"), ("project", "p"), ("location", "global")];
    let (project, location) = ("p".into(), "global".into());
    assert_eq!(read(&vertex).unwrap().api, Api::Vertex { project, location });
    let azure = [("api", "azure"), ("api_version", "2024-10-21")];
    let api_version = "2024-10-21".into();
    assert_eq!(read(&azure).unwrap().api, Api::Azure { api_version });
    for (fields, missing_or_strange) in [
        (&vertex[..2], "location"),
        (&azure[..1], "api_version"),
        (&vertex[1..2], "project"),
        (&azure[1..], "api_version"),
        (&[("api", "gopher")], "api"),
    ] {
        let error = read(fields).unwrap_err().to_string();
        assert!(
            error.contains(&format!("provider 'corp': {missing_or_strange} ")),
            "{error}"
        );
    }
}

/// C3
#[test]
fn a_field_of_the_wrong_kind_is_named() {
    assert!(provider(&entry()).is_ok());
    let kinds = [
        json!(7),
        json!(1.5),
        json!(true),
        json!(["canary"]),
        json!({"canary": "canary"}),
    ];
    for kind in &kinds {
        for field in TEXTS {
            refused(&with(field, kind), field);
        }
        refused(&with_issuer(kind), "issuer");
        refused(&with("headers", &json!({"x-key": kind})), "headers.x-key");
    }
    for kind in [json!("canary"), json!(7), json!([true])] {
        refused(&with("allow_http", &kind), "allow_http");
    }
    for kind in [
        json!("canary"),
        json!(true),
        json!([5]),
        json!({}),
        json!(0),
        json!(-1),
        json!(86_401),
        json!(1e300),
    ] {
        refused(&with("timeout", &kind), "timeout");
    }
    for kind in [json!("canary"), json!(["canary"]), json!(7)] {
        refused(&with("headers", &kind), "headers");
    }
}

/// C3
#[test]
fn an_entry_that_is_no_object_is_named() {
    for kind in [
        json!("canary"),
        json!(["canary"]),
        json!(7),
        json!(null),
        json!(true),
    ] {
        let error = provider(&kind).unwrap_err();
        let text = in_full(&error);
        assert!(
            text.contains("'corp': must be an object") && !text.contains("canary"),
            "{text}"
        );
    }
}

/// C3: `null` is as good as nothing.
#[test]
fn null_is_the_same_as_absent() {
    for required in ["client_id", "client_secret", "token_url"] {
        let error = refused(&with(required, &Value::Null), required);
        assert!(error.to_string().contains("is missing"), "{error}");
        let mut without = entry();
        without.as_object_mut().unwrap().remove(required);
        let absent = refused(&without, required);
        assert_eq!(
            absent.to_string().split(": ").last(),
            error.to_string().split(": ").last()
        );
    }
    let absent = |field: &str| {
        let mut entry = entry();
        entry.as_object_mut().unwrap().remove(field);
        provider(&entry).unwrap()
    };
    for optional in [
        "scope",
        "refresh_token",
        "base_url",
        "audience",
        "resource",
        "auth_style",
        "timeout",
        "ca_file",
        "allow_http",
        "headers",
    ] {
        let mut with_null = provider(&with(optional, &Value::Null)).unwrap();
        let without = absent(optional);
        with_null.path.clone_from(&without.path);
        with_null.ca_file.clone_from(&without.ca_file);
        assert_eq!(with_null, without, "{optional}");
    }
    assert!(provider(&with("provider_name", &Value::Null)).is_ok());
    assert!(provider(&with("issuer", &Value::Null)).is_ok());
    let mut entry = with_issuer(&json!("https://as.example"));
    entry["token_url"] = Value::Null;
    assert!(provider(&entry).is_ok(), "then the issuer is asked");
    refused(&with_issuer(&Value::Null), "token_url");
}

/// C3
#[test]
fn an_empty_text_is_not_a_value() {
    for empty in ["", " ", "\t\n"] {
        for field in TEXTS {
            refused(&with(field, &json!(empty)), field);
        }
        refused(&with_issuer(&json!(empty)), "issuer");
    }
}

/// C3
#[test]
fn an_address_that_is_not_safe_is_refused() {
    for bad in [
        "canary",
        "/canary",
        "as.example/canary",
        "http://as.example/canary",
        "http://10.0.0.7:8080/canary",
        "ftp://as.example/canary",
        "https://user:canary@as.example/t",
        "https://as.example/t#canary",
        "https:///canary",
        "https://as.example/t\ncanary",
        " https://as.example/canary",
        "https://as.example/canary ",
    ] {
        refused(&with("token_url", &json!(bad)), "token_url");
        refused(&with("base_url", &json!(bad)), "base_url");
        refused(&with_issuer(&json!(bad)), "issuer");
    }
    refused(&with_issuer(&json!("https://as.example/?canary")), "issuer");
}

/// C3
#[test]
fn every_address_that_is_safe_is_taken() {
    for good in [
        "https://auth.example.technology/token",
        "https://keycloak:8443/token",
        "https://[2001:db8::1]:8443/t",
        "https://[::1]/t",
        "https://bücher.example/t",
        "http://localhost:8080/t",
        "http://127.0.0.1/t",
    ] {
        provider(&with("token_url", &json!(good))).unwrap();
        provider(&with("base_url", &json!(good))).unwrap();
        provider(&with_issuer(&json!(good))).unwrap();
    }
    let mut plain = with("token_url", &json!("http://as.corp/t"));
    plain["allow_http"] = json!(true);
    provider(&plain).unwrap();
}

/// C3
#[test]
fn a_scope_has_no_empty_values() {
    for bad in [
        "canary  x",
        " canary",
        "canary ",
        "canary\tx",
        "canary\nx",
        "canary\"x",
        "canäry",
    ] {
        refused(&with("scope", &json!(bad)), "scope");
    }
    assert!(
        refused(&with("scope", &json!("read  write")), "scope")
            .to_string()
            .contains("cannot contain empty values")
    );
}

/// C3
#[test]
fn a_header_that_no_request_can_carry_is_refused() {
    for (name, value) in [
        ("x key", "canary"),
        ("x-key", "canary\r\ny: z"),
        ("", "canary"),
        ("x-key", "canary\0"),
    ] {
        refused(
            &with("headers", &json!({ name: value })),
            &format!("headers.{name}"),
        );
    }
    for ours in [
        "Authorization",
        "HOST",
        "authorization",
        "Content-Type",
        "Content-Length",
        "Content-Encoding",
        "Transfer-Encoding",
        "Connection",
        "Keep-Alive",
        "Accept-Encoding",
        "Expect",
        "Upgrade",
        "TE",
    ] {
        let error = refused(
            &with("headers", &json!({ ours: "canary" })),
            &format!("headers.{ours}"),
        );
        assert!(error.to_string().contains("is set by gatepass"), "{error}");
        assert_eq!(error.fix(), "remove it");
    }
    for theirs in ["Cookie", "User-Agent", "X-Api-Key", "Accept"] {
        assert!(
            provider(&with("headers", &json!({ theirs: "a" }))).is_ok(),
            "{theirs}"
        );
    }
    refused(&with("auth_style", &json!("canary")), "auth_style");
    refused(&with("auth_style", &json!("Basic")), "auth_style");
}
