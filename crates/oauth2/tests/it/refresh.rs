//! A stored login is refreshed, once, and what comes of it is kept.

use crate::captured::Log;
use crate::stores::FaultyStore;
use gatepass_core::{
    AccessToken, CachedTokenSource, Clock, Credential, CredentialKey, CredentialStore, ExposeSecret,
    ProviderName, RefreshToken, Scopes, TokenError, TokenSource,
};
use gatepass_http::{HttpClient, HttpOptions, RetryPolicy, ServerUrl, Transport};
use gatepass_oauth2::{Client, RefreshTokenSource, TokenEndpoint};
use gatepass_testkit::{Answer, AuthorizationServer, ManualClock};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A login at a server with rotation and reuse detection, in a store; its access token has expired.
pub(crate) struct Login {
    pub(crate) server: AuthorizationServer,
    pub(crate) store: FaultyStore,
}

pub(crate) fn key() -> CredentialKey {
    CredentialKey::new(ProviderName::parse("corp").unwrap())
}

pub(crate) fn old_token(expires_in: i64) -> AccessToken {
    #[expect(
        clippy::disallowed_methods,
        reason = "the source under test goes by the machine's clock"
    )]
    let now = SystemTime::now();
    let by = Duration::from_secs(expires_in.unsigned_abs());
    let end = if expires_in < 0 { now - by } else { now + by };
    AccessToken::bearer("stored")
        .unwrap()
        .with_expires_at(end)
        .with_lifetime(Duration::from_secs(3600))
}

impl Login {
    pub(crate) async fn new() -> Self {
        let server = AuthorizationServer::start().await;
        server.rotate_refresh_tokens(true);
        let login = Self {
            server,
            store: FaultyStore::default(),
        };
        login.log_in(old_token(-10)).await;
        login
    }

    pub(crate) async fn log_in(&self, token: AccessToken) {
        let refresh = RefreshToken::new(self.server.issue_refresh_token("client"));
        let credential = Credential::new(self.server.token_url(), "client")
            .with_refresh_token(refresh)
            .with_scopes(Scopes::parse("a b").unwrap())
            .with_access_token(token);
        self.store.inner.save(&key(), &credential).await.unwrap();
    }

    pub(crate) fn endpoint(&self) -> TokenEndpoint {
        let url = ServerUrl::parse(&self.server.token_url(), "token_url", Transport::Encrypted).unwrap();
        let http = HttpClient::new(HttpOptions::default()).unwrap();
        TokenEndpoint::new(http, url, Client::new("client", "secret")).with_retry(RetryPolicy::never())
    }

    /// Another process, as far as one process can be two.
    pub(crate) fn source(&self) -> RefreshTokenSource {
        RefreshTokenSource::new(self.endpoint(), self.store.clone(), key())
    }

    pub(crate) async fn stored(&self) -> Credential {
        self.store.inner.load(&key()).await.unwrap().unwrap()
    }

    pub(crate) async fn edit(&self, edit: impl FnOnce(Credential) -> Credential) {
        let credential = edit(self.stored().await);
        self.store.inner.save(&key(), &credential).await.unwrap();
    }

    /// The login still works: what is stored is what the server would take.
    pub(crate) async fn assert_alive(&self) {
        let stored = self.stored().await;
        assert!(
            self.server
                .is_active(stored.refresh_token.unwrap().expose_secret()),
            "the login was lost"
        );
    }
}

/// R04
#[tokio::test]
async fn a_valid_stored_token_is_used_without_lock_or_request() {
    let login = Login::new().await;
    login.log_in(old_token(1000)).await;
    login.store.set(|faults| &faults.locked, true);
    let token = login.source().token().await.unwrap();
    assert_eq!(token.expose_secret(), "stored");
    assert_eq!(token.scopes().unwrap().to_string(), "a b");
    assert_eq!(
        (login.store.count(|f| &f.locks), login.server.token_requests()),
        (0, 0)
    );
}

#[tokio::test]
async fn a_token_in_its_last_minutes_is_replaced() {
    let login = Login::new().await;
    login.log_in(old_token(290)).await;
    assert_ne!(login.source().token().await.unwrap().expose_secret(), "stored");
    // A short-lived token is not replaced before half its life.
    login
        .log_in(old_token(40).with_lifetime(Duration::from_secs(60)))
        .await;
    assert_eq!(login.source().token().await.unwrap().expose_secret(), "stored");
    assert_eq!(login.server.token_requests(), 1);
}

#[tokio::test]
async fn the_new_refresh_token_is_stored_before_the_access_token_is_used() {
    let login = Login::new().await;
    let before = login.stored().await;
    let token = login.source().token().await.unwrap();
    let stored = login.stored().await;
    assert_eq!(stored.access_token.as_ref(), Some(&token));
    assert_ne!(stored.refresh_token, before.refresh_token);
    assert_eq!(
        (stored.scopes, stored.client_id),
        (before.scopes, before.client_id)
    );
    login.assert_alive().await;
    // Another process takes what is there.
    assert_eq!(login.source().token().await.unwrap(), token);
    assert_eq!(login.server.token_requests(), 1);
}

/// R08
#[tokio::test]
async fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    let login = Login::new().await;
    let before = login.stored().await.refresh_token;
    for answer in [
        json!({"access_token": "t1", "expires_in": 3600}),
        json!({"access_token": "t2", "expires_in": 3600, "refresh_token": null}),
    ] {
        login
            .edit(|credential| credential.with_access_token(old_token(-1)))
            .await;
        login.server.push(Answer::json(200, &answer));
        login.source().token().await.unwrap();
        assert_eq!(login.stored().await.refresh_token, before);
    }
    login
        .edit(|credential| credential.with_access_token(old_token(-1)))
        .await;
    login.server.push(Answer::json(
        200,
        &json!({"access_token": "t3", "refresh_token": "r3"}),
    ));
    login.source().token().await.unwrap();
    assert_eq!(login.stored().await.refresh_token, Some(RefreshToken::new("r3")));
}

#[tokio::test]
async fn a_stored_token_is_used_to_its_margin_and_to_its_end_and_not_a_moment_longer() {
    let login = Login::new().await;
    let clock = ManualClock::new();
    let now = clock.now().wall_time();
    let endpoint = || login.endpoint().with_clock(Arc::new(clock.clone()));
    let source = || RefreshTokenSource::new(endpoint(), login.store.clone(), key());
    let moment = Duration::from_millis(1);
    let ending = |end| old_token(0).with_expires_at(end);
    // 300 s before its end it is refreshed.
    let margin = now + Duration::from_secs(300);
    for (end, good) in [(margin + moment, true), (margin, false)] {
        login.log_in(ending(end)).await;
        assert_eq!(source().token().await.unwrap().expose_secret() == "stored", good);
    }
    // Where that can't be done it serves to its end.
    for (end, good) in [(now + moment, true), (now, false)] {
        login.log_in(ending(end)).await;
        login.server.push(Answer::text(503, "down"));
        assert_eq!(source().token().await.is_ok(), good);
    }
    // As it does without a refresh token.
    for (end, good) in [(now + moment, true), (now, false)] {
        login
            .edit(|credential| {
                let mut bare = credential.with_access_token(ending(end));
                bare.refresh_token = None;
                bare
            })
            .await;
        assert_eq!(source().token().await.is_ok(), good);
    }
}

#[tokio::test]
async fn other_scopes_than_the_logins_are_a_warning() {
    for (scope, warned) in [
        (None, false),
        (Some("b a"), false),
        (Some("a"), true),
        (Some("a b c"), true),
        (Some("a c"), true),
    ] {
        let login = Login::new().await;
        let mut answer = json!({"access_token": "t", "expires_in": 3600});
        answer["scope"] = scope.into();
        login.server.push(Answer::json(200, &answer));
        let log = Log::begin();
        login.source().token().await.unwrap();
        let text = log.end();
        let line = text.lines().find(|line| line.contains("other scopes"));
        assert_eq!(
            line.is_some_and(|line| line.contains("WARN")),
            warned,
            "{scope:?}: {text}"
        );
    }
}

#[tokio::test]
async fn a_refresh_neither_widens_nor_narrows_the_granted_scopes() {
    // G7
    let login = Login::new().await;
    for scope in [None, Some("a"), Some("a b c"), Some("")] {
        login
            .edit(|credential| credential.with_access_token(old_token(-1)))
            .await;
        let mut answer = json!({"access_token": "t", "expires_in": 3600});
        if let Some(scope) = scope {
            answer["scope"] = scope.into();
        }
        login.server.push(Answer::json(200, &answer));
        let token = login.source().token().await.unwrap();
        assert_eq!(
            login.stored().await.scopes.unwrap().to_string(),
            "a b",
            "{scope:?}"
        );
        let expected = scope.filter(|scope| !scope.is_empty()).unwrap_or("a b");
        assert_eq!(token.scopes().unwrap().to_string(), expected);
    }
    assert!(
        login
            .server
            .requests()
            .iter()
            .all(|request| request.form_value("scope").is_none())
    );
}

#[tokio::test]
async fn a_rejected_token_is_not_served_from_the_store_again() {
    let login = Login::new().await;
    login.log_in(old_token(1000)).await;
    for source in [
        Arc::new(login.source()) as Arc<dyn TokenSource>,
        Arc::new(CachedTokenSource::new(login.source())),
    ] {
        let first = source.token().await.unwrap();
        source.reject(&first);
        let second = source.token().await.unwrap();
        assert_ne!(first, second);
        source.reject(&first);
        assert_eq!(
            source.token().await.unwrap(),
            second,
            "a late refusal takes nothing away"
        );
    }
    assert_eq!(login.server.token_requests(), 2);
    login.assert_alive().await;
}

#[tokio::test]
async fn nobody_logged_in_is_login_required() {
    let login = Login::new().await;
    login.store.delete(&key()).await.unwrap();
    let error = login.source().token().await.unwrap_err();
    assert!(matches!(error, TokenError::LoginRequired { source: None, .. }));
    assert_eq!(error.to_string(), "not authenticated with corp");
    assert_eq!(error.fix(), "run: gatepass auth login --provider corp");
    let mut bare = Credential::new(login.server.token_url(), "client");
    login.store.save(&key(), &bare).await.unwrap();
    assert!(matches!(
        login.source().token().await,
        Err(TokenError::LoginRequired { .. })
    ));
    // Without a refresh token an access token serves to its end, and no longer.
    for (left, good) in [(5, true), (-1, false)] {
        bare = bare.with_access_token(old_token(left));
        login.store.save(&key(), &bare).await.unwrap();
        assert_eq!(login.source().token().await.is_ok(), good);
    }
    assert_eq!(login.server.token_requests(), 0);
}

#[tokio::test]
async fn debug_does_not_print_the_secrets() {
    let login = Login::new().await;
    let source = login.source();
    let token = source.token().await.unwrap();
    let shown = format!("{source:?}");
    let refresh = login.stored().await.refresh_token.unwrap();
    for secret in [token.expose_secret(), refresh.expose_secret(), "\"secret\""] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
