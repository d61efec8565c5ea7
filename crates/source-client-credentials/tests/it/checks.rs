//! C1, C3: what a check of a whole file tells.

use crate::support::{nothing, of_problem, provider, providers};
use gatepass_core::Severity;
use serde_json::json;

/// C3: the command line shows everything at once.
#[test]
fn all_problems_of_a_file_are_told_at_once() {
    let entries = json!({"oauth2_providers": {
        "a": {"client_secret": "canary", "token_url": "http://as.example/canary", "scope": " ", "timeout": "canary", "nmae": 1},
        "b": "canary",
        "c/d": {"client_id": "i", "client_secret": "canary", "token_url": "https://as.example"},
    }});
    let (_directory, providers) = providers(&entries.to_string());
    let problems = providers.unwrap().with_environment(nothing()).check();
    let shown: Vec<_> = problems.iter().map(of_problem).collect();
    assert!(shown.iter().all(|text| !text.contains("canary")), "{shown:?}");
    let place = |provider: &str, field: Option<&str>| {
        problems
            .iter()
            .any(|problem| problem.provider.as_deref() == Some(provider) && problem.field.as_deref() == field)
    };
    for field in ["client_id", "token_url", "scope", "timeout", "nmae"] {
        assert!(place("a", Some(field)), "{field} in {shown:?}");
    }
    assert!(
        place("b", None) && place("c/d", Some("provider name")),
        "{shown:?}"
    );
}

/// C3: OAuth2 servers' own documents have lists of scopes.
#[test]
fn a_list_of_scopes_is_told_how_to_be_written() {
    let entry = json!({"client_id": "i", "client_secret": "s", "token_url": "https://as.example/t", "scope": ["a", "b"]});
    let error = provider(&entry).unwrap_err();
    assert_eq!(
        error.fix(),
        "write its values in one string, separated by one space"
    );
    let entry = json!({"client_id": ["i"], "client_secret": "s", "token_url": "https://as.example/t"});
    assert_eq!(provider(&entry).unwrap_err().fix(), "put it in quotes");
}

/// C1
#[test]
fn an_unknown_key_is_a_warning_with_the_nearest_known_one() {
    for (key, nearest) in [
        ("scpoe", "did you mean scope?"),
        ("scopes", "did you mean scope?"),
        ("client-secret", "did you mean client_secret?"),
        ("clientId", "did you mean client_id?"),
        ("tokenurl", "did you mean token_url?"),
        ("baseurl", "did you mean base_url?"),
        ("zzz", "known are client_id"),
    ] {
        let mut entry =
            json!({"client_id": "i", "client_secret": "canary", "token_url": "https://as.example/t"});
        entry[key] = json!("canary");
        assert!(provider(&entry).is_ok(), "a warning stops nobody");
        let (_directory, providers) = providers(&json!({"oauth2_providers": {"corp": entry}}).to_string());
        let problems = providers.unwrap().check();
        let warning = problems
            .iter()
            .find(|problem| problem.field.as_deref() == Some(key))
            .unwrap();
        assert_eq!(warning.severity, Severity::Warning);
        let text = of_problem(warning);
        assert!(
            text.contains(nearest) && text.contains("'corp'") && text.contains("litellm_config.json"),
            "{text}"
        );
        assert!(!text.contains("canary"), "{text}");
    }
}
