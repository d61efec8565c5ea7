//! T02: whichever request is redirected, its secrets go nowhere.

use crate::person::{agree, flow, http, log_in, metadata};
use crate::support::{Trap, client, in_full};
use gatepass_core::{CredentialKey, CredentialStore, MemoryStore, ProviderName, TokenError, TokenSource};
use gatepass_http::RetryPolicy;
use gatepass_oauth2::{
    DeviceFlow, Grant, LoginError, Metadata, RefreshTokenSource, Revocation, TokenEndpoint,
};
use gatepass_testkit::{Answer, AuthorizationServer};

/// A server whose endpoint at one path leads away.
struct Server {
    server: AuthorizationServer,
    metadata: Metadata,
    away: Answer,
}

impl Server {
    fn endpoint(&self) -> TokenEndpoint {
        let endpoint = self.metadata.endpoint(http(), client());
        endpoint.with_retry(RetryPolicy::never())
    }

    fn leads_away_at(&self, path: &str) {
        self.server.always_at(path, self.away.clone());
    }

    /// How many requests the endpoint has had.
    fn requests_at(&self, path: &str) -> usize {
        let requests = self.server.take_requests();
        requests.iter().filter(|request| request.path == path).count()
    }
}

/// T02
#[tokio::test]
async fn no_redirect_takes_a_secret_along() {
    let trap = Trap::new();
    let mut tried = 0;
    for status in [301, 302, 303, 307, 308] {
        for (path, kind) in [
            ("/token", "client credentials"),
            ("/token", "code"),
            ("/token", "device code"),
            ("/token", "refresh token"),
            ("/device_authorization", "device authorization"),
            ("/revoke", "revocation"),
        ] {
            let server = AuthorizationServer::start().await;
            let server = Server {
                metadata: metadata(&server).await,
                server,
                away: Answer::redirect(status, &format!("http://{}/canary", trap.address())),
            };
            let error = redirected(&server, path, kind).await;
            let told = in_full(&error);
            assert!(
                matches!(error, TokenError::Malformed { .. }) && told.contains("redirect"),
                "{status} {kind}: {told}"
            );
            assert!(!told.contains("canary"), "{status} {kind}: {told}");
            // Two tokens are revoked, each in a request of its own.
            let expected = if kind == "revocation" { 2 } else { 1 };
            assert_eq!(server.requests_at(path), expected, "{status} {kind}");
            tried += 1;
        }
    }
    assert!(!trap.was_visited());
    eprintln!("{tried} redirects, 0 connections to where they led");
}

async fn redirected(server: &Server, path: &str, kind: &str) -> TokenError {
    let of_login = |error| match error {
        LoginError::Token(error) => error,
        error => panic!("{kind}: {error:?}"),
    };
    match kind {
        "client credentials" => {
            server.leads_away_at(path);
            let grant = Grant::ClientCredentials { scopes: None };
            server.endpoint().request(&grant).await.unwrap_err()
        }
        "code" => {
            let flow = flow(&server.server).await;
            server.leads_away_at(path);
            of_login(log_in(&flow, agree).await.0.unwrap_err())
        }
        "device authorization" | "device code" => {
            let flow = DeviceFlow::new(&server.metadata, server.endpoint()).unwrap();
            server.leads_away_at(path);
            match flow.begin().await {
                Ok(device) => {
                    tokio::time::pause();
                    let login = flow.finish(device).await;
                    tokio::time::resume();
                    of_login(login.unwrap_err())
                }
                Err(error) => of_login(error),
            }
        }
        "refresh token" => {
            let key = CredentialKey::new(ProviderName::parse("corp").unwrap());
            let store = MemoryStore::new();
            let login = log_in(&flow(&server.server).await, agree).await.0.unwrap();
            store.save(&key, &login.credential).await.unwrap();
            let source = RefreshTokenSource::new(server.endpoint(), store, key);
            source.reject(&source.token().await.unwrap());
            _ = server.server.take_requests();
            server.leads_away_at(path);
            source.token().await.unwrap_err()
        }
        _ => {
            let login = log_in(&flow(&server.server).await, agree).await.0.unwrap();
            server.leads_away_at(path);
            let revocation = Revocation::new(&server.metadata, server.endpoint()).unwrap();
            revocation.revoke(&login.credential).await.unwrap_err()
        }
    }
}
