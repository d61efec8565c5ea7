//! Days on which little works: for each fault what callers see, what is stored after, and how soon it is over. The
//! figures are printed (`cargo nextest run -p gatepass-oauth2 faults --success-output immediate`).

use crate::refresh::{Login, key, old_token};
use gatepass_core::{
    CachedTokenSource, Clock, Credential, CredentialStore, ExposeSecret, MemoryStore, RefreshPolicy,
    RefreshToken, TokenError, TokenSource,
};
use gatepass_oauth2::RefreshTokenSource;
use gatepass_testkit::{Answer, ManualClock};
use std::sync::Arc;
use std::time::Duration;

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A login whose server rotates refresh tokens and ends the login when one is used twice; its tokens live for 5
/// minutes on a clock that the test turns.
struct Day {
    login: Login,
    store: MemoryStore,
    clock: ManualClock,
    source: CachedTokenSource<RefreshTokenSource>,
}

impl Day {
    async fn new() -> Self {
        let login = Login::new().await;
        let (store, clock) = (MemoryStore::new(), ManualClock::new());
        login.server.set_clock(clock.clone());
        login.server.set_lifetime(seconds(300));
        let refresh = RefreshToken::new(login.server.issue_refresh_token("client"));
        let credential = Credential::new(login.server.token_url(), "client").with_refresh_token(refresh);
        store.save(&key(), &credential).await.unwrap();
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let endpoint = login.endpoint().with_clock(Arc::clone(&shared));
        let source = RefreshTokenSource::new(endpoint, store.clone(), key());
        Self {
            source: CachedTokenSource::with(source, RefreshPolicy::default(), shared),
            login,
            store,
            clock,
        }
    }

    /// One call; whether it had a token that the server accepts.
    async fn call(&self) -> Result<bool, TokenError> {
        let token = self.source.token().await?;
        // A refresh in the background gets its turn.
        tokio::task::yield_now().await;
        Ok(self.login.server.is_active(token.expose_secret()))
    }

    async fn assert_stored_login_works(&self) {
        let stored = self.store.load(&key()).await.unwrap().unwrap();
        let refresh = stored.refresh_token.unwrap();
        assert!(
            self.login.server.is_active(refresh.expose_secret()),
            "the login was lost"
        );
    }

    fn requests(&self) -> usize {
        self.login.server.token_requests()
    }
}

/// A running process takes up the new login of somebody who had to log in again, and asks no server until then.
#[tokio::test]
async fn a_new_login_is_noticed_within_a_second() {
    let day = Day::new().await;
    assert!(day.call().await.unwrap());
    let login = day.store.load(&key()).await.unwrap().unwrap();
    day.login
        .server
        .revoke(login.refresh_token.unwrap().expose_secret());
    day.clock.advance(seconds(300));
    let before = day.requests();
    for _ in 0..600 {
        let error = day.call().await.unwrap_err();
        assert!(matches!(error, TokenError::LoginRequired { .. }), "{error:?}");
        day.clock.advance(Duration::from_millis(100));
    }
    assert_eq!(day.requests() - before, 1, "a dead login is tried once");

    let refresh = RefreshToken::new(day.login.server.issue_refresh_token("client"));
    let credential = Credential::new(day.login.server.token_url(), "client").with_refresh_token(refresh);
    day.store.save(&key(), &credential).await.unwrap();
    let mut waited = Duration::ZERO;
    while !day.call().await.is_ok_and(|good| good) {
        day.clock.advance(Duration::from_millis(100));
        waited += Duration::from_millis(100);
    }
    assert!(waited <= seconds(1), "{waited:?}");
    println!("a login that ended: 1 request in 60 s; the new one was noticed after {waited:?}");
}

/// A server that is there for 20 s and gone for 20 s, in each of its ways to be gone.
#[tokio::test]
async fn a_flapping_server_fails_no_call() {
    let ways = [
        Answer::text(503, "down"),
        Answer::text(429, "too many"),
        Answer::text(429, "too many").with_header("retry-after", "7"),
        Answer::close(),
        Answer::text(200, "<html>maintenance</html>"),
    ];
    let day = Day::new().await;
    assert!(day.call().await.unwrap());
    for second in 0..3600_usize {
        match (second / 20 % 2, second % 20) {
            (0, 0) => day.login.server.normal(),
            (1, 0) => day.login.server.always(ways[second / 40 % ways.len()].clone()),
            _ => {}
        }
        assert!(day.call().await.unwrap(), "in second {second}");
        if second % 10 == 0 {
            // The refresh in the background runs on the machine's time.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        day.clock.advance(seconds(1));
    }
    day.assert_stored_login_works().await;
    assert!(day.requests() <= 120, "{}", day.requests());
    println!(
        "flapping: 0 of 3600 calls failed in an hour; {} requests for at least 12 tokens",
        day.requests()
    );
}

/// T07: the pause that a server asks for is kept, and without one our own.
#[tokio::test]
async fn a_rate_limit_is_respected_with_and_without_a_pause() {
    for (pause, at_least, at_most) in [(None, 10, 11), (Some("25"), 25, 26), (Some("100000"), 300, 301)] {
        let day = Day::new().await;
        let mut answer = Answer::text(429, "too many");
        if let Some(pause) = pause {
            answer = answer.with_header("retry-after", pause);
        }
        day.login.server.push(answer);
        let mut waited = 0;
        while day.call().await.is_err() {
            assert_eq!(day.requests(), 1, "no second request within the pause");
            day.clock.advance(seconds(1));
            waited += 1;
        }
        assert!((at_least..=at_most).contains(&waited), "{pause:?}: {waited} s");
        day.assert_stored_login_works().await;
        println!("429 with Retry-After {pause:?}: asked again after {waited} s");
    }
}

/// R11: somebody sets the wall clock, forward and back, while calls go on.
#[tokio::test]
async fn a_clock_that_jumps_seven_hours_costs_two_requests_at_most() {
    for hours in [-7, 7] {
        let day = Day::new().await;
        day.login.server.set_lifetime(seconds(3600));
        assert!(day.call().await.unwrap());
        let before = day.requests();
        // The server's clock is right: it goes on as before.
        let servers = ManualClock::new();
        day.login.server.set_clock(servers.clone());
        day.clock.jump_wall(hours * 3600);
        let mut refused = 0;
        for second in 0..600 {
            let token = day.source.token().await.unwrap();
            if !day.login.server.is_active(token.expose_secret()) {
                refused += 1;
                day.source.reject(&token);
            }
            if second == 300 {
                day.clock.jump_wall(-hours * 3600);
            }
            day.clock.advance(seconds(1));
            servers.advance(seconds(1));
        }
        let requests = day.requests() - before;
        assert!(requests <= 2, "{hours} h: {requests} requests");
        assert_eq!(refused, 0, "{hours} h");
        day.assert_stored_login_works().await;
        println!(
            "clock {hours:+} h and back: {requests} more requests in ten minutes, {refused} refused tokens"
        );
    }
}

/// R11: the server's clock is wrong; `expires_in` is relative, and a refusal tells for sure.
#[tokio::test]
async fn a_server_whose_clock_is_hours_off_is_no_trouble() {
    for hours in [-7, 7] {
        let day = Day::new().await;
        let servers = ManualClock::new();
        servers.jump_wall(hours * 3600);
        day.login.server.set_clock(servers.clone());
        for _ in 0..600 {
            assert!(day.call().await.unwrap(), "{hours} h");
            day.clock.advance(seconds(1));
            servers.advance(seconds(1));
        }
        // Three lives of 300 s at most, each begun early.
        assert!(day.requests() <= 5, "{hours} h: {}", day.requests());
        println!(
            "server's clock {hours:+} h: {} requests in ten minutes, none refused",
            day.requests()
        );
    }
}

/// The answer comes when nobody waits any more: it is kept for the next.
#[tokio::test]
async fn an_answer_after_the_caller_has_left_is_kept() {
    let login = Login::new().await;
    login.server.set_delay(Duration::from_millis(100));
    let source = login.source();
    assert!(
        tokio::time::timeout(Duration::from_millis(20), source.token())
            .await
            .is_err()
    );
    let before = login.stored().await;
    gatepass_testkit::eventually("the rotation is on disk", || login.store.count(|f| &f.saves) == 1).await;
    assert_ne!(login.stored().await, before);
    assert!(
        login
            .server
            .is_active(source.token().await.unwrap().expose_secret())
    );
    assert_eq!(login.server.token_requests(), 1);
    login.assert_alive().await;
}

/// A credential that has been stored with a token keeps it, whatever the disk does.
#[tokio::test]
async fn a_disk_that_can_only_be_read_serves_what_it_has() {
    let login = Login::new().await;
    login.log_in(old_token(1000)).await;
    login.store.set(|faults| &faults.no_save, true);
    assert_eq!(login.source().token().await.unwrap().expose_secret(), "stored");
    assert_eq!(login.server.token_requests(), 0);
}

#[cfg(unix)]
mod collisions;
mod outages;
#[cfg(unix)]
mod processes;
#[cfg(unix)]
mod signals;
