//! H02: `{:?}` of what can hold a secret shows none.

use crate::support::{Directory, free_of_canaries};
use gatepass_client_credentials::{ClientCredentialsSource, Environment, Providers, ProvidersFile};
use gatepass_core::{CachedTokenSource, TokenSource};
use gatepass_testkit::{Answer, AuthorizationServer};
use serde_json::json;

/// H02
#[tokio::test]
async fn debug_shows_no_secret() {
    let server = AuthorizationServer::start().await;
    server.always(Answer::json(
        200,
        &json!({"access_token": "canary-access", "refresh_token": "canary-rotated", "expires_in": 60}),
    ));
    let text = json!({"oauth2_providers": {"corp": {
        "client_id": "id",
        "client_secret": "canary-secret",
        "token_url": format!("{}?key=canary-key", server.token_url()),
        "base_url": "https://llm.example/v1?key=canary-key",
        "refresh_token": "canary-refresh",
        "headers": {"x-key": "os.environ/KEY"},
    }}});
    let directory = Directory::new().with("litellm_config.json", text.to_string());
    let path = directory.file("litellm_config.json");
    let environment = Environment::of([("KEY", "canary-header")]);
    let providers = Providers::read(&path)
        .unwrap()
        .with_environment(environment.clone());
    let provider = providers.get("corp").unwrap();
    assert_eq!(provider.headers["x-key"], "canary-header");
    let source = ClientCredentialsSource::new(provider.clone()).unwrap();
    let token = source.token().await.unwrap();
    let cached = CachedTokenSource::new(ClientCredentialsSource::new(provider.clone()).unwrap());
    cached.token().await.unwrap();

    free_of_canaries(&ProvidersFile::read(&path).unwrap());
    free_of_canaries(&environment);
    free_of_canaries(&providers);
    free_of_canaries(&provider);
    free_of_canaries(&provider.client);
    free_of_canaries(&provider.token);
    free_of_canaries(&provider.headers);
    free_of_canaries(&provider.http_options());
    free_of_canaries(&source);
    free_of_canaries(&cached);
    free_of_canaries(&cached.current());
    free_of_canaries(&token);
}
