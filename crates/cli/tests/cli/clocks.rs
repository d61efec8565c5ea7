//! R11: the machine's clock was set while nobody looked. libfaketime doesn't reach our clock, so what a clock that is
//! wrong by hours leaves behind is put into the store instead.

use crate::support::{By, World};
use gatepass::{Clock, Profile, SystemClock};
use serde_json::json;
use std::time::{Duration, SystemTime};

const HOURS: Duration = Duration::from_secs(7 * 3600);
const TOKEN: [&str; 3] = ["token", "--provider", "corp"];
const CHAT: [&str; 4] = ["chat", "-m", "corp/test-model", "Where?"];

/// Changes when the stored access token runs out.
async fn move_expiry(world: &World, expiry: SystemTime) {
    let store = Profile::new(world.conf("")).store().unwrap();
    let key = store.list().await.unwrap().remove(0);
    let mut login = store.load(&key).await.unwrap().unwrap();
    login.access_token = login.access_token.map(|token| token.with_expires_at(expiry));
    store.save(&key, &login).await.unwrap();
}

/// R11: two more requests at most, and no refused token in the end.
#[tokio::test]
async fn a_clock_that_was_set_by_hours_costs_a_request_each_time() {
    let mut world = World::new().await;
    world.configure_all(&json!({ "corp": world.login_entry() }));
    world.authorization.rotate_refresh_tokens(true);
    let login = world
        .log_in(&["auth", "login", "--provider", "corp"], By::Browser)
        .await;
    assert_eq!(login.code, Some(0), "{login:?}");
    let before = world.authorization.token_requests();

    // Seven hours later by the clock: all seem to have run out.
    move_expiry(&world, SystemClock.now().wall_time() - HOURS).await;
    for _ in 0..3 {
        let token = world.run(&TOKEN).await.token().unwrap();
        assert!(world.authorization.is_active(&token));
    }
    assert_eq!(world.authorization.token_requests() - before, 1);

    // Seven hours earlier: what the server has long forgotten seems to be good.
    let old = world.run(&TOKEN).await.token().unwrap();
    move_expiry(&world, SystemClock.now().wall_time() + HOURS).await;
    world.authorization.revoke(&old);
    for _ in 0..3 {
        let chat = world.run(&CHAT).await;
        assert_eq!(
            (chat.code, &*chat.stdout),
            (Some(0), "Paris is the capital.\n"),
            "{chat:?}"
        );
    }
    assert_eq!(world.authorization.token_requests() - before, 2);
}
