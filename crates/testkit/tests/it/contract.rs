use crate::backend::TinyBackend;
use gatepass_core::{
    AccessToken, CachedTokenSource, MemoryStore, RefreshPolicy, StaticTokenSource, TokenError, TokenSource,
};
use gatepass_testkit::{AuthorizationServer, ManualClock, ModelServer, ScriptedTokenSource, contract};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn the_static_source_keeps_the_contract() {
    let token = AccessToken::bearer("a-static-token").unwrap();
    contract::token_source(|| StaticTokenSource::new(token.clone())).await;
}

#[tokio::test]
async fn the_scripted_source_keeps_the_contract() {
    contract::token_source(ScriptedTokenSource::new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_keeps_the_contract() {
    contract::token_source(|| {
        let inner = ScriptedTokenSource::new();
        inner.set_delay(Duration::from_millis(3));
        CachedTokenSource::new(inner)
    })
    .await;
}

/// K07
#[tokio::test]
async fn the_memory_store_keeps_the_contract() {
    contract::credential_store(MemoryStore::new).await;
    let store = MemoryStore::new();
    contract::shared_credential_store(|| store.clone()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_store_keeps_the_contract_on_many_threads() {
    contract::credential_store(MemoryStore::new).await;
}

#[tokio::test]
async fn a_tiny_backend_keeps_the_contract() {
    let server = ModelServer::start().await;
    server.require_bearer("sk-tiny");
    contract::llm_backend(|| TinyBackend::new(&server.base_url(), "sk-tiny"), &server).await;
}

#[tokio::test]
async fn a_script_is_followed_and_calls_are_counted() {
    let source = ScriptedTokenSource::new();
    source.push(Ok(AccessToken::bearer("first").unwrap()));
    source.push(Err(TokenError::malformed("as the script says")));
    assert_eq!(
        source.token().await.unwrap(),
        AccessToken::bearer("first").unwrap()
    );
    assert!(source.token().await.is_err());
    let own = source.token().await.unwrap();
    assert_eq!(own, AccessToken::bearer("at-3").unwrap());
    source.reject(&own);
    assert_eq!((source.calls(), source.rejected()), (3, vec![own]));
}

#[tokio::test]
async fn one_clock_can_drive_a_cache_and_a_server() {
    let clock = ManualClock::new();
    let inner = ScriptedTokenSource::new();
    let cache = CachedTokenSource::with(inner.clone(), RefreshPolicy::default(), Arc::new(clock.clone()));
    cache.token().await.unwrap();
    clock.suspend(Duration::from_secs(3601));
    cache.token().await.unwrap();
    assert_eq!(inner.calls(), 2);

    let server = AuthorizationServer::start().await;
    server.set_clock(clock.clone());
    let body = "grant_type=client_credentials&client_id=client&client_secret=secret";
    let issued = crate::client::form(&server.token_url(), &[], body)
        .send()
        .await
        .json();
    let token = issued["access_token"].as_str().unwrap();
    clock.advance(Duration::from_secs(3599));
    assert!(server.is_active(token));
    clock.advance(Duration::from_secs(1));
    assert!(!server.is_active(token));
}
