//! C2: `os.environ/NAME` in any text.

use crate::support::{in_full, providers};
use gatepass_client_credentials::{Environment, Provider};
use gatepass_core::{ConfigError, ExposeSecret};
use serde_json::{Value, json};

fn with(entry: &Value, environment: Environment) -> Result<Provider, ConfigError> {
    let (_directory, providers) = providers(&json!({"oauth2_providers": {"corp": entry}}).to_string());
    providers?.with_environment(environment).get("corp")
}

/// C2
#[test]
fn a_variable_may_stand_for_any_text() {
    let entry = json!({
        "client_id": "os.environ/ID", "client_secret": "os.environ/SECRET", "token_url": "os.environ/URL",
        "scope": "os.environ/SCOPE", "refresh_token": "os.environ/REFRESH", "base_url": "os.environ/BASE",
        "audience": "os.environ/AUDIENCE", "resource": "os.environ/RESOURCE", "auth_style": "os.environ/STYLE",
        "ca_file": "os.environ/CA", "headers": {"x-key": "os.environ/KEY"}, "provider_name": "os.environ/NAME",
    });
    let environment = Environment::of([
        ("ID", "i"),
        ("SECRET", "s"),
        ("URL", "https://as.example/t"),
        ("SCOPE", "a b"),
        ("REFRESH", "r"),
        ("BASE", "https://llm.example/v1"),
        ("AUDIENCE", "urn:a"),
        ("RESOURCE", "https://r.example"),
        ("STYLE", "post"),
        ("CA", "/etc/ca.pem"),
        ("KEY", "k"),
        ("NAME", "corp"),
    ]);
    let provider = with(&entry, environment).unwrap();
    assert_eq!(provider.client, gatepass_oauth2::Client::new("i", "s"));
    assert_eq!(provider.scopes.unwrap().to_string(), "a b");
    assert_eq!(provider.refresh_token.unwrap().expose_secret(), "r");
    assert_eq!(provider.base_url.unwrap().as_str(), "https://llm.example/v1");
    assert_eq!(provider.auth_style, gatepass_oauth2::AuthStyle::Post);
    assert_eq!(provider.headers["x-key"], "k");
}

fn minimal() -> Value {
    json!({"client_id": "canary-neighbour", "client_secret": "os.environ/SECRET", "token_url": "https://as.example/t"})
}

/// C2
#[test]
fn a_missing_variable_is_named_with_its_field_and_nothing_else() {
    for (environment, state) in [
        (Environment::of([("OTHER", "canary-other")]), "not set"),
        (Environment::of([("SECRET", "")]), "empty"),
        (Environment::of([("SECRET", "\n")]), "empty"),
        (Environment::of([("secret", "canary")]), "not set"),
    ] {
        let error = with(&minimal(), environment).unwrap_err();
        assert!(matches!(error, ConfigError::Variable { .. }), "{error:?}");
        let text = error.to_string();
        for part in [
            "litellm_config.json",
            "provider 'corp'",
            "client_secret",
            "SECRET",
            state,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(error.fix(), "set SECRET");
        assert!(!in_full(&error).contains("canary"), "{error:?}");
    }
}

/// C2: a secret that was read from a file often has a line break at its end.
#[test]
fn a_line_break_at_the_end_is_no_part_of_the_value() {
    for value in ["hush", "hush\n", "hush\r\n", "hush\n\n"] {
        let provider = with(&minimal(), Environment::of([("SECRET", value)])).unwrap();
        assert_eq!(
            provider.client,
            gatepass_oauth2::Client::new("canary-neighbour", "hush")
        );
    }
    let provider = with(&minimal(), Environment::of([("SECRET", " hush ")])).unwrap();
    assert_eq!(
        provider.client,
        gatepass_oauth2::Client::new("canary-neighbour", " hush "),
        "a space may be meant"
    );
}

/// C2
#[test]
fn the_value_of_a_variable_is_judged_as_the_text_would_be_and_shown_as_little() {
    let mut entry = minimal();
    entry["client_secret"] = json!("hush");
    for (field, value) in [
        ("token_url", "http://canary.example/t"),
        ("token_url", "canary"),
        ("scope", "canary  x"),
        ("auth_style", "canary"),
        ("base_url", "https://llm.example/#canary"),
    ] {
        let mut entry = entry.clone();
        entry[field] = json!("os.environ/VALUE");
        let error = with(&entry, Environment::of([("VALUE", value)])).unwrap_err();
        assert!(error.to_string().contains(&format!("'corp': {field}")), "{error}");
        assert!(
            !in_full(&error).replace("canary-neighbour", "").contains("canary"),
            "{error:?}"
        );
    }
}

/// C2: only a whole text is a reference, as LiteLLM has it; a value is never looked up again.
#[test]
fn nothing_else_is_a_reference() {
    let environment = || Environment::of([("A", "os.environ/B"), ("B", "b"), ("SECRET", "s")]);
    for text in ["x os.environ/A", "OS.ENVIRON/A", "os.environ.A", "$A", "${A}"] {
        let mut entry = minimal();
        entry["audience"] = json!(text);
        assert_eq!(
            with(&entry, environment()).unwrap().audience.as_deref(),
            Some(text)
        );
    }
    let mut entry = minimal();
    entry["client_secret"] = json!("hush");
    entry["audience"] = json!("os.environ/A");
    assert_eq!(
        with(&entry, environment()).unwrap().audience.as_deref(),
        Some("os.environ/B")
    );
    for nameless in ["os.environ/", "os.environ/A=B", "os.environ/\u{1b}[2J"] {
        entry["audience"] = json!(nameless);
        for environment in [environment(), Environment::process()] {
            let error = with(&entry, environment).unwrap_err();
            assert!(error.to_string().contains("audience"), "{error}");
            assert!(
                !error.to_string().contains('\u{1b}') && !error.fix().contains('\u{1b}'),
                "{error}"
            );
        }
    }
}

/// C2: resolved when it is used, not when the file is read.
#[test]
fn a_variable_is_read_each_time() {
    let (_directory, providers) = providers(&json!({"oauth2_providers": {"corp": minimal()}}).to_string());
    let providers = providers.unwrap();
    assert!(providers.get("corp").is_err());
    let providers = providers.with_environment(Environment::of([("SECRET", "later")]));
    assert!(providers.get("corp").is_ok());
}
