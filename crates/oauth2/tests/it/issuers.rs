//! M03: what one server has issued is never sent to another.

use crate::person::{agree, flow_at, http, log_in, metadata};
use gatepass_core::{CredentialKey, CredentialStore, ExposeSecret, MemoryStore, ProviderName, TokenSource};
use gatepass_http::RetryPolicy;
use gatepass_oauth2::{Client, Metadata, RefreshTokenSource, Revocation};
use gatepass_testkit::AuthorizationServer;
use std::collections::HashSet;

/// A server, and all the secrets that it ever gave us.
struct Issuer {
    server: AuthorizationServer,
    metadata: Metadata,
    issued: HashSet<String>,
}

impl Issuer {
    async fn start() -> Self {
        let server = AuthorizationServer::start().await;
        server.rotate_refresh_tokens(true);
        let metadata = metadata(&server).await;
        Self {
            server,
            metadata,
            issued: HashSet::new(),
        }
    }

    fn endpoint(&self) -> gatepass_oauth2::TokenEndpoint {
        let client = Client::new("client", "secret");
        self.metadata
            .endpoint(http(), client)
            .with_retry(RetryPolicy::never())
    }

    fn source(&self, store: &MemoryStore, key: &CredentialKey) -> RefreshTokenSource {
        RefreshTokenSource::new(self.endpoint(), store.clone(), key.clone())
    }

    async fn note(&mut self, store: &MemoryStore, key: &CredentialKey) {
        let Some(credential) = store.load(key).await.unwrap() else {
            return;
        };
        if credential.token_url == self.server.token_url() {
            let refresh = credential.refresh_token.iter().map(|token| token.expose_secret());
            let access = credential.access_token.iter().map(|token| token.expose_secret());
            self.issued.extend(refresh.chain(access).map(str::to_owned));
        }
    }
}

/// How many histories of ten steps; `GATEPASS_TEST_HISTORIES=10000` for the full run.
fn histories() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for the long run")]
    let asked = std::env::var("GATEPASS_TEST_HISTORIES").ok();
    asked.map_or(100, |number| {
        number.parse().expect("GATEPASS_TEST_HISTORIES is a number")
    })
}

/// M03
#[tokio::test]
async fn no_history_of_two_servers_mixes_their_secrets() {
    let mut random = fastrand::Rng::with_seed(42);
    let mut issuers = [Issuer::start().await, Issuer::start().await];
    // Both use the same name at times: a configuration that was changed to another server.
    let keys = ["one", "two"].map(|name| CredentialKey::new(ProviderName::parse(name).unwrap()));
    for _ in 0..histories() {
        let store = MemoryStore::new();
        for step in 0..10 {
            let key = random.choice(&keys).unwrap();
            let issuer = random.choice(&issuers).unwrap();
            match if step == 0 { 0 } else { random.u8(0..20) } {
                0 => {
                    let login = log_in(&flow_at(&issuer.metadata), agree).await.0.unwrap();
                    store.save(key, &login.credential).await.unwrap();
                }
                1 => {
                    let revocation = Revocation::new(&issuer.metadata, issuer.endpoint()).unwrap();
                    if let Some(credential) = store.load(key).await.unwrap() {
                        _ = revocation.revoke(&credential).await;
                    }
                }
                2 => _ = store.delete(key).await.unwrap(),
                _ => {
                    let source = issuer.source(&store, key);
                    if let Ok(token) = source.token().await {
                        source.reject(&token);
                        _ = source.token().await;
                    }
                }
            }
            for issuer in &mut issuers {
                for key in &keys {
                    issuer.note(&store, key).await;
                }
            }
        }
    }
    let [one, two] = &issuers;
    for (issuer, other) in [(one, two), (two, one)] {
        assert!(
            issuer.issued.len() > 50,
            "too little has happened: {}",
            issuer.issued.len()
        );
        for request in other.server.requests() {
            let mut said = request.form.iter().chain(&request.query).map(|(_, value)| value);
            assert!(!said.any(|value| issuer.issued.contains(value)), "{request:?}");
        }
    }
    println!(
        "{} histories of two servers: {} and {} secrets, {} and {} requests, none with a secret of the other",
        histories(),
        one.issued.len(),
        two.issued.len(),
        one.server.requests().len(),
        two.server.requests().len()
    );
}
