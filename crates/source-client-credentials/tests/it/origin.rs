//! C1, C2, C10: the files of the document that this crate comes from, exactly as they stand there.

use crate::support::{Directory, nothing, of_problem, providers};
use gatepass_client_credentials::{Environment, Providers, TokenLocation};
use gatepass_core::Severity;

const TWO: &str = r#"{
  "oauth2_providers": {
    "my_custom_provider": {
      "client_id": "your_client_id",
      "client_secret": "your_client_secret",
      "token_url": "https://your-provider.com/oauth/token",
      "scope": "llm.read llm.write"
    },
    "another_provider": {
      "client_id": "another_client_id",
      "client_secret": "another_client_secret",
      "token_url": "https://another-provider.com/token"
    }
  }
}"#;

const VARIABLES: &str = r#"{
  "oauth2_providers": {
    "my_provider": {
      "client_id": "os.environ/MY_CLIENT_ID",
      "client_secret": "os.environ/MY_CLIENT_SECRET",
      "token_url": "https://my-provider.com/token"
    }
  }
}"#;

const SEVERAL: &str = r#"{
  "oauth2_providers": {
    "provider_a": {
      "client_id": "client_a",
      "client_secret": "secret_a",
      "token_url": "https://provider-a.com/token"
    },
    "provider_b": {
      "client_id": "client_b",
      "client_secret": "secret_b",
      "token_url": "https://provider-b.com/oauth/token",
      "scope": "read write"
    }
  }
}"#;

/// Its schema, whose texts are no values: each of them must be complained about.
const SCHEMA: &str = r#"{
  "oauth2_providers": {
    "": {
      "client_id": "string (required)",
      "client_secret": "string (required)",
      "token_url": "string (required)",
      "scope": "string (optional)",
      "refresh_token": "string (optional)"
    }
  }
}"#;

fn url_of(providers: &Providers, name: &str) -> String {
    match providers.get(name).unwrap().token {
        TokenLocation::Url(url) => url.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

/// No errors; a secret in a file that others can read is worth a warning.
fn is_clean(providers: &Providers) {
    let errors: Vec<_> = providers
        .check()
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(of_problem)
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// C1
#[test]
fn the_first_example_has_two_providers() {
    let (_directory, providers) = providers(TWO);
    let providers = providers.unwrap();
    is_clean(&providers);
    assert_eq!(providers.names(), ["another_provider", "my_custom_provider"]);
    let mine = providers.get("my_custom_provider").unwrap();
    assert_eq!(mine.client.id(), "your_client_id");
    assert_eq!(mine.scopes.unwrap().to_string(), "llm.read llm.write");
    assert_eq!(
        url_of(&providers, "my_custom_provider"),
        "https://your-provider.com/oauth/token"
    );
    let another = providers.get("another_provider").unwrap();
    assert!(another.scopes.is_none() && another.refresh_token.is_none() && another.base_url.is_none());
    assert_eq!(
        url_of(&providers, "another_provider"),
        "https://another-provider.com/token"
    );
}

/// C1: `./litellm_config.json` is found without being named.
#[test]
fn the_default_file_is_found() {
    let directory = Directory::new().with("litellm_config.json", TWO);
    let providers = Providers::discover(directory.path());
    assert_eq!(providers.names().len(), 2);
    assert!(!providers.is_named());
}

/// C2
#[test]
fn the_example_with_variables_takes_them_from_the_environment() {
    let (_directory, providers) = providers(VARIABLES);
    let providers = providers.unwrap();
    assert!(providers.get("my_provider").is_err(), "they are not set");
    let environment = Environment::of([("MY_CLIENT_ID", "me"), ("MY_CLIENT_SECRET", "hush")]);
    let providers = providers.with_environment(environment);
    let provider = providers.get("my_provider").unwrap();
    assert_eq!(provider.client, gatepass_oauth2::Client::new("me", "hush"));
    is_clean(&providers);
    assert!(providers.check().is_empty(), "no secret stands in the file");
}

/// C10
#[test]
fn the_last_example_has_two_providers_side_by_side() {
    let (_directory, providers) = providers(SEVERAL);
    let providers = providers.unwrap();
    is_clean(&providers);
    let (a, b) = (
        providers.get("provider_a").unwrap(),
        providers.get("provider_b").unwrap(),
    );
    assert_eq!(a.client, gatepass_oauth2::Client::new("client_a", "secret_a"));
    assert_eq!(b.client, gatepass_oauth2::Client::new("client_b", "secret_b"));
    assert_eq!(b.scopes.unwrap().to_string(), "read write");
}

/// C3
#[test]
fn the_schema_is_no_configuration_and_all_that_is_wrong_with_it_is_told() {
    let (_directory, providers) = providers(SCHEMA);
    let problems = providers.unwrap().with_environment(nothing()).check();
    let fields: Vec<_> = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(|problem| problem.field.clone().unwrap())
        .collect();
    assert_eq!(fields, ["provider name", "token_url"]);
}
