//! R05: a caller leaves at each await in turn, and nothing is lost: no rotation, no lock, no second request.

use crate::refresh::{Login, key, old_token};
use gatepass_core::{
    Advice, CachedTokenSource, Credential, CredentialStore, ExposeSecret, MemoryStore, RefreshToken,
    TokenSource,
};
use gatepass_file_store::{FileStore, KeySource};
use gatepass_oauth2::RefreshTokenSource;
use gatepass_testkit::{AuthorizationServer, leave_after};
use std::time::Duration;

/// More awaits than any call has.
const ENOUGH: usize = 1_000;

/// Whoever leaves where, the next caller has the token of the one request, and the stored login works.
async fn leave_everywhere<S>(
    login: &Login,
    store: S,
    wrap: impl Fn(RefreshTokenSource) -> Box<dyn TokenSource>,
) where
    S: CredentialStore + Clone + 'static,
{
    let mut awaits = 0;
    loop {
        let refresh = RefreshToken::new(login.server.issue_refresh_token("client"));
        let credential = Credential::new(login.server.token_url(), "client")
            .with_refresh_token(refresh)
            .with_access_token(old_token(-10));
        store.save(&key(), &credential).await.unwrap();
        let source = wrap(RefreshTokenSource::new(login.endpoint(), store.clone(), key()));
        let before = login.server.token_requests();
        let left = leave_after(awaits, source.token()).await;
        let token = source.token().await.unwrap();
        assert!(
            login.server.is_active(token.expose_secret()),
            "left at await {awaits}"
        );
        assert_eq!(
            login.server.token_requests(),
            before + 1,
            "left at await {awaits}"
        );
        let stored = store.load(&key()).await.unwrap().unwrap();
        assert_eq!(stored.access_token, Some(token), "left at await {awaits}");
        let refresh = stored.refresh_token.unwrap();
        assert!(
            login.server.is_active(refresh.expose_secret()),
            "left at await {awaits}"
        );
        // Its lock is free.
        drop(store.lock(&key()).await.unwrap());
        if left.is_some() {
            break;
        }
        awaits += 1;
        assert!(awaits < ENOUGH);
    }
    assert!(awaits >= 2, "there was an await to leave at");
}

#[tokio::test]
async fn a_caller_may_leave_a_refresh_at_any_await() {
    let login = Login::new().await;
    leave_everywhere(&login, MemoryStore::new(), |source| Box::new(source)).await;
    let directory = tempfile::tempdir().unwrap();
    let file = FileStore::open(directory.path().join("store"), KeySource::KeyFile).unwrap();
    leave_everywhere(&login, file, |source| Box::new(source)).await;
}

#[tokio::test]
async fn a_caller_may_leave_a_cached_refresh_at_any_await() {
    let login = Login::new().await;
    leave_everywhere(&login, MemoryStore::new(), |source| {
        Box::new(CachedTokenSource::new(source))
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let file = FileStore::open(directory.path().join("store"), KeySource::KeyFile).unwrap();
    leave_everywhere(&login, file, |source| Box::new(CachedTokenSource::new(source))).await;
}

#[tokio::test]
async fn a_caller_may_leave_a_late_save_at_any_await() {
    for awaits in 0..ENOUGH {
        let login = Login::new().await;
        login.store.set(|faults| &faults.no_save, true);
        let source = login.source();
        let token = source.token().await.unwrap();
        login.store.set(|faults| &faults.no_save, false);
        let left = leave_after(awaits, source.persist()).await;
        source.persist().await.unwrap();
        assert!(source.persist_error().is_none());
        assert_eq!(
            login.stored().await.access_token,
            Some(token),
            "left at await {awaits}"
        );
        login.assert_alive().await;
        if left.is_some() {
            return;
        }
    }
    panic!("it never ended");
}

/// R06: the process ends somewhere within a refresh. The next one finds a login that works; or, where the server had
/// rotated and the answer was not on disk yet, is told to log in again. It never hangs, and never finds a damaged
/// store.
#[test]
fn a_process_that_ends_within_a_refresh_leaves_a_login_or_a_clear_word() {
    let servers = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let server = servers.block_on(AuthorizationServer::start());
    server.rotate_refresh_tokens(true);
    let login = Login {
        server,
        store: crate::stores::FaultyStore::default(),
    };
    let directory = tempfile::tempdir().unwrap();
    let file = FileStore::open(directory.path().join("store"), KeySource::KeyFile).unwrap();
    let (mut works, mut lost) = (0, 0);
    for round in 0..30_u64 {
        let before = RefreshToken::new(login.server.issue_refresh_token("client"));
        let credential = Credential::new(login.server.token_url(), "client")
            .with_refresh_token(before.clone())
            .with_access_token(old_token(-10));
        let requests = login.server.token_requests();
        let process = runtime();
        process.block_on(async {
            file.save(&key(), &credential).await.unwrap();
            let source = RefreshTokenSource::new(login.endpoint(), file.clone(), key());
            let life = Duration::from_micros(round * 800);
            _ = tokio::time::timeout(life, source.token()).await;
        });
        // With all its tasks, whatever they were at; threads that write a file come to their end.
        drop(process);
        let next = runtime();
        let outcome = next.block_on(async {
            let source = RefreshTokenSource::new(login.endpoint(), file.clone(), key());
            tokio::time::timeout(Duration::from_secs(10), source.token())
                .await
                .expect("it doesn't hang")
        });
        let asked = login.server.token_requests() - requests;
        let stored = next.block_on(file.load(&key())).unwrap().unwrap();
        match outcome {
            Ok(token) if login.server.is_active(token.expose_secret()) => {
                assert_eq!(stored.access_token, Some(token), "round {round}");
                works += 1;
            }
            // The server read the lost request after ours, and took ours for the theft.
            Ok(_) => {
                assert_eq!(asked, 2, "round {round}");
                lost += 1;
            }
            Err(error) => {
                assert_eq!(error.advice(), Advice::LoginRequired, "round {round}: {error}");
                assert_eq!(asked, 2, "round {round}: the answer to the first was lost");
                assert_eq!(stored.refresh_token, Some(before), "nothing was deleted");
                lost += 1;
            }
        }
    }
    println!("30 ends: {works} logins work, {lost} have to log in again");
    assert!(works > 0);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}
