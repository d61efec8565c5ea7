//! H02: `{:?}` of what can hold a secret shows none.

use crate::support::{client, grant, http, json, url};
use gatepass_core::RefreshToken;
use gatepass_oauth2::{Client, Discovery, Grant, TokenEndpoint};
use gatepass_testkit::AuthorizationServer;

/// H02
#[tokio::test]
async fn debug_shows_no_secret() {
    let server = AuthorizationServer::start().await;
    server.always(json(
        200,
        r#"{"access_token":"canary-access","refresh_token":"canary-refresh","expires_in":60}"#,
    ));
    let secret = Client::new("client", "canary-secret");
    let address = url(&format!("{}?key=canary-key", server.token_url()));
    let endpoint = TokenEndpoint::new(http(), address, secret.clone());
    let response = endpoint.request(&grant()).await.unwrap();
    assert_eq!(
        server.requests()[0].query_value("key"),
        Some("canary-key"),
        "it is sent"
    );
    let refresh = Grant::RefreshToken {
        token: RefreshToken::new("canary-refresh"),
    };
    let discovery = Discovery::new(http());
    let metadata = discovery
        .metadata(&server.issuer(), gatepass_http::Transport::Encrypted)
        .await;
    for text in [
        format!("{secret:?} {secret:#?}"),
        format!("{endpoint:?} {endpoint:#?}"),
        format!("{response:?} {response:#?}"),
        format!("{refresh:?} {refresh:#?}"),
        format!("{discovery:?} {metadata:?}"),
        format!("{:?}", client()),
    ] {
        assert!(!text.contains("canary"), "{text}");
        assert!(!text.contains("99, 97, 110"), "{text}");
    }
}
