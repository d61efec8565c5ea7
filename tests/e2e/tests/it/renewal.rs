//! A token that ends while calls go on.

use crate::support::{Setup, say};
use gatepass::Llm;
use std::time::{Duration, Instant};

#[tokio::test]
async fn calls_go_on_while_tokens_end_and_no_call_meets_an_old_one() {
    // oidc-provider counts in whole seconds and may end a token up to one early. At 4 s the cache's mandatory
    // window, a quarter of it, is as long as that: no slow machine can make this test fail by chance.
    const LIFETIME: Duration = Duration::from_secs(4);
    const LOOP: Duration = Duration::from_secs(10);
    let Some(world) = Setup::model().with_token_lifetime(LIFETIME).start().await else {
        return;
    };
    let config = world.llm_config("corp", &world.corp()).with_max_tokens(4);
    let llm = Llm::with_config(&config).await.unwrap();
    let started = Instant::now();
    let mut calls = Vec::new();
    while started.elapsed() < LOOP || world.gateway.tokens() < 3 {
        let begun = Instant::now();
        llm.ask("Say hi").await.unwrap();
        calls.push(begun.elapsed());
    }
    let elapsed = started.elapsed();

    assert_eq!(world.gateway.refused(), 0, "renewed before anyone notices");
    assert_eq!(world.gateway.admitted(), calls.len());
    let requests = world.authorization.token_requests().await;
    // Half a lifetime is where the advisory window begins: no token is replaced earlier.
    let most = 2 + 2 * elapsed.as_secs() / LIFETIME.as_secs();
    assert!(
        requests as u64 <= most,
        "{requests} token requests in {elapsed:?}"
    );
    assert!(requests >= world.gateway.tokens());
    calls.sort_unstable();
    say(format!(
        "{} calls in {elapsed:.1?} ({:.1?} median, {:.1?} longest): {requests} token requests, {} tokens at the gateway, 0 refusals",
        calls.len(),
        calls[calls.len() / 2],
        calls[calls.len() - 1],
        world.gateway.tokens(),
    ));
}
