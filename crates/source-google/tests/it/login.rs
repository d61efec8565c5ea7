//! G1, G5, G12: a file that names a server of our own logs in there.

use gatepass_core::{
    CachedTokenSource, CredentialKey, CredentialStore, ExposeSecret, MemoryStore, ProviderName, TokenSource,
};
use gatepass_google::{ClientSecrets, InstalledAppFlow, expand_scopes, no_device_login};
use gatepass_http::{HttpClient, HttpOptions};
use gatepass_oauth2::{AuthorizationHandler, AuthorizationRequest, LoginError, RefreshTokenSource};
use gatepass_testkit::{AuthorizationServer, RecordedRequest, visit};
use serde_json::json;
use std::path::Path;

/// Does as the pages say.
struct Agreeing;

impl AuthorizationHandler for Agreeing {
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        let url = request.url().to_owned();
        tokio::spawn(async move { visit(&url).await });
        Ok(())
    }
}

fn secrets(server: &AuthorizationServer, kind: &str, redirect_uri: &str) -> ClientSecrets {
    let document = json!({ kind: {
        "client_id": "client",
        "client_secret": "secret",
        "auth_uri": server.authorization_url(),
        "token_uri": server.token_url(),
        "redirect_uris": [redirect_uri],
    }});
    ClientSecrets::parse(Path::new("client_secrets.json"), document.to_string().as_bytes()).unwrap()
}

fn http() -> HttpClient {
    HttpClient::new(HttpOptions::default()).unwrap()
}

fn asked(server: &AuthorizationServer) -> RecordedRequest {
    server
        .requests()
        .into_iter()
        .rfind(|request| request.path == "/authorize")
        .unwrap()
}

#[tokio::test]
async fn a_login_asks_for_a_refresh_token_and_the_right_scopes() {
    let server = AuthorizationServer::start().await;
    let secrets = secrets(&server, "installed", "http://localhost");
    let flow = InstalledAppFlow::new(http(), &secrets)
        .unwrap()
        .with_login_hint("jane@example.com");
    let login = flow.run(&Agreeing).await.unwrap();
    let request = asked(&server);
    for (name, value) in [
        ("access_type", "offline"),
        ("prompt", "consent"),
        ("login_hint", "jane@example.com"),
        ("code_challenge_method", "S256"),
        (
            "scope",
            "https://www.googleapis.com/auth/cloud-platform \
             https://www.googleapis.com/auth/generative-language.retriever openid",
        ),
    ] {
        assert_eq!(request.query_value(name), Some(value), "{name}");
    }
    assert!(
        request
            .query_value("redirect_uri")
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    assert!(login.credential.refresh_token.is_some());
    assert!(
        login.identity.is_none(),
        "it isn't Google: its ID token is opaque"
    );

    let preset = expand_scopes("generative-language").unwrap();
    let flow = InstalledAppFlow::new(http(), &secrets)
        .unwrap()
        .with_scopes(preset);
    flow.run(&Agreeing).await.unwrap();
    let scopes = "https://www.googleapis.com/auth/generative-language openid";
    assert_eq!(asked(&server).query_value("scope"), Some(scopes));
}

#[tokio::test]
async fn a_stored_login_is_refreshed_at_the_server_that_issued_it() {
    let server = AuthorizationServer::start().await;
    server.rotate_refresh_tokens(true);
    let secrets = secrets(&server, "installed", "http://localhost");
    let login = InstalledAppFlow::new(http(), &secrets)
        .unwrap()
        .run(&Agreeing)
        .await
        .unwrap();
    let (store, key) = (
        MemoryStore::new(),
        CredentialKey::new(ProviderName::parse("google").unwrap()),
    );
    store.save(&key, &login.credential).await.unwrap();
    let source = RefreshTokenSource::new(secrets.endpoint(http()), store, key);
    let source = CachedTokenSource::new(source);
    let first = source.token().await.unwrap();
    assert_eq!(Some(&first), login.credential.access_token.as_ref());
    source.reject(&first);
    assert!(server.is_active(source.token().await.unwrap().expose_secret()));
}

#[tokio::test]
async fn a_web_client_listens_where_it_is_registered() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let server = AuthorizationServer::start().await;
    let redirect_uri = format!("http://127.0.0.1:{free}/oauth2/callback");
    let secrets = secrets(&server, "web", &redirect_uri);
    InstalledAppFlow::new(http(), &secrets)
        .unwrap()
        .run(&Agreeing)
        .await
        .unwrap();
    assert_eq!(asked(&server).query_value("redirect_uri"), Some(&*redirect_uri));
}

#[test]
fn a_device_login_says_why_it_is_none() {
    let error = no_device_login();
    assert!(error.to_string().contains("no scope that a model accepts"));
    assert!(error.fix().contains("paste"));
}
