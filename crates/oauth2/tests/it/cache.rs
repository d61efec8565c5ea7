//! T06, T07: an endpoint below the cache, on a clock that the test turns.

use crate::support::{endpoint, grant, json};
use gatepass_core::{
    AccessToken, CachedTokenSource, Clock, ExposeSecret, RefreshPolicy, TokenError, TokenSource, async_trait,
};
use gatepass_oauth2::TokenEndpoint;
use gatepass_testkit::{Answer, AuthorizationServer, ManualClock};
use std::sync::Arc;
use std::time::Duration;

struct Source(TokenEndpoint);

#[async_trait]
impl TokenSource for Source {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        Ok(self.0.request(&grant()).await?.access_token)
    }
}

fn cached(server: &AuthorizationServer, clock: &ManualClock) -> CachedTokenSource<Source> {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let source = Source(endpoint(&server.token_url()).with_clock(Arc::clone(&clock)));
    CachedTokenSource::with(source, RefreshPolicy::default(), clock)
}

/// Asks ten times a second, for a minute.
async fn ask_for_a_minute(source: &impl TokenSource, clock: &ManualClock) -> usize {
    let mut failures = 0;
    for _ in 0..600 {
        failures += usize::from(source.token().await.is_err());
        clock.advance(Duration::from_millis(100));
    }
    failures
}

/// T06
#[tokio::test]
async fn a_server_that_says_expires_in_0_is_not_hammered() {
    for expires_in in [
        "0",
        "-1",
        "\"0\"",
        "\"-3600\"",
        "0.0",
        "1e-9",
        "-9223372036854775808",
    ] {
        let server = AuthorizationServer::start().await;
        server.always(json(
            200,
            &format!(r#"{{"access_token":"t","token_type":"Bearer","expires_in":{expires_in}}}"#),
        ));
        let clock = ManualClock::new();
        let failures = ask_for_a_minute(&cached(&server, &clock), &clock).await;
        assert_eq!(failures, 0, "{expires_in}");
        assert!(
            server.token_requests() <= 3,
            "{expires_in}: {}",
            server.token_requests()
        );
    }
}

/// T06
#[tokio::test]
async fn a_lifetime_that_no_clock_holds_is_a_long_one() {
    for expires_in in [
        "9223372036854775807",
        "9223372036854775808",
        "1e308",
        "\"99999999999999999999999\"",
    ] {
        let server = AuthorizationServer::start().await;
        server.always(json(
            200,
            &format!(r#"{{"access_token":"t","expires_in":{expires_in}}}"#),
        ));
        let clock = ManualClock::new();
        let source = cached(&server, &clock);
        assert_eq!(ask_for_a_minute(&source, &clock).await, 0);
        clock.advance(Duration::from_secs(86_400 * 365));
        source.token().await.unwrap();
        assert_eq!(server.token_requests(), 1, "{expires_in}");
    }
}

/// T07
#[tokio::test]
async fn a_server_that_is_down_for_a_minute_gets_one_request_in_ten_seconds() {
    let server = AuthorizationServer::start().await;
    server.always(Answer::text(503, "down"));
    let clock = ManualClock::new();
    let source = cached(&server, &clock);
    assert!(source.token().await.is_err());
    assert_eq!(
        server.token_requests(),
        4,
        "the first acquisition: one attempt and three retries"
    );
    for second in 1..=60 {
        for _ in 0..10 {
            assert!(source.token().await.is_err());
            clock.advance(Duration::from_millis(100));
        }
        let since = server.token_requests() - 4;
        assert!(since <= second / 10, "{since} requests within {second} s");
    }
    assert!(server.token_requests() > 4, "it is asked again now and then");
    server.normal();
    clock.advance(Duration::from_secs(60));
    source.token().await.unwrap();
}

/// T07: what is transient takes nothing away.
#[tokio::test]
async fn a_token_that_is_still_valid_survives_a_server_that_is_down() {
    let server = AuthorizationServer::start().await;
    let clock = ManualClock::new();
    let source = cached(&server, &clock);
    let token = source.token().await.unwrap();
    server.always(Answer::text(503, "down"));
    clock.advance(Duration::from_secs(3600 - 50));
    for _ in 0..49 {
        assert_eq!(source.token().await.unwrap(), token);
        clock.advance(Duration::from_secs(1));
    }
    clock.advance(Duration::from_secs(5));
    let error = source.token().await.unwrap_err();
    assert!(matches!(error, TokenError::Unavailable { .. }), "{error:?}");
    server.normal();
    clock.advance(Duration::from_secs(60));
    assert_ne!(
        source.token().await.unwrap().expose_secret(),
        token.expose_secret()
    );
}

/// T07
#[tokio::test]
async fn a_servers_pause_is_remembered_by_the_cache() {
    let server = AuthorizationServer::start().await;
    server.always(Answer::text(429, "later").with_header("retry-after", "45"));
    let clock = ManualClock::new();
    let source = cached(&server, &clock);
    for _ in 0..44 {
        assert!(source.token().await.is_err());
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(server.token_requests(), 1, "45 s are asked for");
    clock.advance(Duration::from_secs(2));
    assert!(source.token().await.is_err());
    assert_eq!(server.token_requests(), 2);
}
