//! R05: a caller leaves at each await in turn, and the next one has a token.

use crate::support::{cached, entry, source};
use gatepass_core::{ExposeSecret, TokenSource};
use gatepass_testkit::{AuthorizationServer, ManualClock, Value, leave_after};
use serde_json::json;

/// More awaits than any call has.
const ENOUGH: usize = 1_000;

/// By the token endpoint, by discovery, and with a refresh token that rotates.
async fn entries(server: &AuthorizationServer) -> Vec<Value> {
    server.rotate_refresh_tokens(true);
    let by_url = entry(server);
    let mut by_issuer = entry(server);
    by_issuer["issuer"] = json!(server.issuer());
    by_issuer.as_object_mut().unwrap().remove("token_url");
    let mut refreshed = entry(server);
    refreshed["refresh_token"] = json!(server.issue_refresh_token(AuthorizationServer::CLIENT_ID));
    vec![by_url, by_issuer, refreshed]
}

/// Leaves `ask` at one await after the other until it gets to its end; tells how many there were.
async fn leave_everywhere<S: TokenSource>(
    server: &AuthorizationServer,
    new: impl Fn() -> S,
    requests: Option<usize>,
) {
    for awaits in 0..ENOUGH {
        let source = new();
        let before = server.token_requests();
        let left = leave_after(awaits, source.token()).await;
        let token = source.token().await.unwrap();
        assert!(server.is_active(token.expose_secret()), "left at await {awaits}");
        if let Some(requests) = requests {
            assert_eq!(
                server.token_requests() - before,
                requests,
                "left at await {awaits}"
            );
        }
        if left.is_some() {
            assert!(awaits >= 2, "there was an await to leave at");
            return;
        }
    }
    panic!("it never ended");
}

#[tokio::test]
async fn a_caller_may_leave_at_any_await() {
    let server = AuthorizationServer::start().await;
    for entry in entries(&server).await {
        leave_everywhere(&server, || source(&entry), None).await;
    }
}

#[tokio::test]
async fn behind_a_cache_a_caller_that_leaves_costs_no_second_request() {
    let server = AuthorizationServer::start().await;
    let clock = ManualClock::new();
    let mut entries = entries(&server).await;
    // A new source has the old refresh token again, which is spent by then.
    entries.pop();
    for entry in entries {
        leave_everywhere(&server, || cached(&entry, &clock), Some(1)).await;
    }
}
