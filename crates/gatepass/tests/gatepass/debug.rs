//! H02: no public type shows a secret, neither by `Debug` nor in the panic of an `unwrap`.

use crate::logged_in::Willing;
use gatepass::file_store::KeySource;
use gatepass::oauth2::{Client, Grant};
use gatepass::{
    AccessToken, CachedTokenSource, Credential, ExposeSecret, FileKey, Llm, LlmConfig, LoginOptions,
    LoginProvider, Profile, RefreshToken, StaticTokenSource,
};
use gatepass_testkit::AuthorizationServer;
use serde_json::json;
use std::fmt::Debug;

const SECRET: &str = "canary-9wKd-7QbX";

/// What a panic says that meets `value` where it expects none.
fn shown(value: impl Debug) -> String {
    let result: Result<(), _> = std::hint::black_box(Err(&value));
    let unwrapping = std::panic::AssertUnwindSafe(|| result.unwrap());
    let panic = std::panic::catch_unwind(unwrapping).unwrap_err();
    let said = panic.downcast_ref::<String>().unwrap();
    format!("{said} {value:#?}")
}

#[tokio::test]
async fn debug_shows_no_secret_and_no_panic_does() {
    let server = AuthorizationServer::start().await;
    server.add_client("client", SECRET);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    let entry = json!({
        "grant_type": "authorization_code",
        "client_id": "client",
        "client_secret": SECRET,
        "issuer": server.issuer(),
        "scope": "openid",
        "base_url": "https://llm.corp.example/v1",
        "headers": { "x-key": SECRET },
    });
    std::fs::write(
        &path,
        json!({ "oauth2_providers": { "team": entry } }).to_string(),
    )
    .unwrap();
    let profile = Profile::new(directory.path().join("profile"));
    let provider = LoginProvider::find("team", &profile, Some(&path)).unwrap();
    let login = provider.log_in(&LoginOptions::default(), &Willing).await.unwrap();
    let config = LlmConfig::new("gpt-4o-mini").with_api_key(SECRET);
    let llm = Llm::with_config(&config).await.unwrap();
    let token = AccessToken::bearer(SECRET).unwrap();
    let refresh = RefreshToken::new(SECRET);
    let credential = Credential::new("https://as.example", "client")
        .with_access_token(token.clone())
        .with_refresh_token(refresh.clone());
    let issued = login.credential.access_token.clone().unwrap();
    for text in [
        shown(&config),
        shown(&llm),
        shown(&provider),
        shown(&login),
        shown(&credential),
        shown(&refresh),
        shown(CachedTokenSource::new(StaticTokenSource::new(token.clone()))),
        shown(token),
        shown(Client::new("client", SECRET)),
        shown(Grant::RefreshToken { token: refresh }),
        shown(KeySource::Passphrase(SECRET.into())),
        shown(KeySource::Given(SECRET.into())),
        shown(FileKey::parse(SECRET).unwrap_err()),
    ] {
        for secret in [SECRET, issued.expose_secret()] {
            let shapes = [
                secret.to_owned(),
                secret[..8].to_owned(),
                format!("{:?}", &secret.as_bytes()[..8]),
            ];
            assert!(shapes.iter().all(|shape| !text.contains(shape)), "{text}");
        }
    }
}
