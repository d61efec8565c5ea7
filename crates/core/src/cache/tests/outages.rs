//! Who waits for a server that is in trouble.

use super::*;
use std::task::Poll;

type Outcome = Result<AccessToken, TokenError>;

impl Bench {
    /// A caller in a task of its own, who has asked by now.
    async fn caller(&self) -> tokio::task::JoinHandle<Outcome> {
        let cache = self.cache.clone();
        let caller = tokio::spawn(async move { cache.token().await });
        self.settle().await;
        caller
    }

    /// What a caller gets who doesn't wait.
    fn at_once(&self) -> Option<Outcome> {
        match poll_once(&mut Box::pin(self.cache.token())) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }

    fn fails_at_once(&self) -> bool {
        self.at_once().is_some_and(|outcome| outcome.is_err())
    }

    /// The refresh under way fails.
    async fn answer(&self, error: TokenError) {
        self.script.fail(error);
        self.script.gate(false);
        self.settle().await;
        self.script.recover();
        self.script.gate(true);
    }

    /// One refresh, which fails after so long; the next ones wait at the gate.
    async fn fail_after(&self, took: Duration, error: TokenError) -> Outcome {
        self.script.gate(true);
        let caller = self.caller().await;
        self.clock.advance(took);
        self.answer(error).await;
        caller.await.unwrap()
    }
}

/// R13
#[tokio::test]
async fn only_who_asks_a_hanging_server_again_waits_for_it() {
    let bench = bench(seconds(3600));
    assert!(bench.fail_after(seconds(30), down()).await.is_err());
    for round in 2..=5 {
        let probe = bench.caller().await;
        for _ in 0..30 {
            assert!(bench.fails_at_once());
            bench.clock.advance(seconds(1));
        }
        assert!(!probe.is_finished());
        assert_eq!(bench.script.calls(), round);
        bench.answer(down()).await;
        assert!(probe.await.unwrap().is_err());
    }
    let probe = bench.caller().await;
    bench.script.gate(false);
    assert_eq!(probe.await.unwrap().unwrap().header(), "Bearer token-6");
    assert_eq!(bench.secret().await, "token-6");
}

/// Who looks for a token before a failure may take a turn after it.
#[tokio::test]
async fn a_turn_while_the_server_hangs_is_the_token_in_hand() {
    let bench = bench(seconds(3600));
    let token = bench.secret().await;
    bench.clock.advance(seconds(3550));
    assert_eq!(
        bench.fail_after(seconds(30), down()).await.unwrap().header(),
        &*format!("Bearer {token}")
    );
    let probe = bench.caller().await;
    assert!(probe.is_finished(), "the token in hand is served");
    assert_eq!(bench.script.calls(), 3);
    assert!(matches!(bench.cache.shared.next_turn(), Turn::Take(_)));
    bench.clock.advance(seconds(20));
    assert!(matches!(bench.cache.shared.next_turn(), Turn::Fail(_)));
}

#[tokio::test]
async fn all_wait_for_the_first_refresh_however_long_it_takes() {
    let bench = bench(seconds(3600));
    bench.script.gate(true);
    let first = bench.caller().await;
    bench.clock.advance(seconds(29));
    let second = bench.caller().await;
    bench.script.gate(false);
    assert_eq!(first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
}

#[tokio::test]
async fn who_comes_after_a_silence_waits_and_is_told_no_old_failure() {
    for (silence, told) in [(4_900, true), (5_000, false), (3_600_000, false)] {
        let bench = bench(seconds(3600));
        assert!(bench.fail_after(seconds(30), down()).await.is_err());
        bench.clock.advance(Duration::from_millis(silence));
        let first = bench.caller().await;
        assert_eq!(bench.fails_at_once(), told, "after {silence} ms");
        bench.clock.advance(seconds(10));
        assert_eq!(bench.fails_at_once(), told, "after {silence} ms");
        bench.script.gate(false);
        assert!(first.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_quick_failure_costs_no_second_one() {
    let bench = bench(seconds(3600));
    assert!(
        bench
            .fail_after(Duration::from_millis(900), down())
            .await
            .is_err()
    );
    assert!(bench.fails_at_once(), "it is remembered");
    bench.clock.advance(seconds(10));
    let mut callers = Vec::new();
    for _ in 0..9 {
        callers.push(bench.caller().await);
        bench.clock.advance(Duration::from_millis(100));
    }
    bench.script.gate(false);
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap().header(), "Bearer token-2");
    }
}

#[tokio::test]
async fn a_server_that_begins_to_hang_is_noticed_after_a_second() {
    let bench = bench(seconds(3600));
    assert!(bench.fail_after(Duration::ZERO, down()).await.is_err());
    bench.clock.advance(seconds(10));
    let probe = bench.caller().await;
    bench.clock.advance(Duration::from_millis(999));
    let early = bench.caller().await;
    assert!(!early.is_finished());
    bench.clock.advance(Duration::from_millis(1));
    assert!(bench.fails_at_once());
    bench.answer(down()).await;
    assert!(probe.await.unwrap().is_err() && early.await.unwrap().is_err());
    assert_eq!(bench.script.calls(), 2);
}

#[tokio::test]
async fn the_pause_after_a_slow_refresh_counts_from_its_beginning() {
    // The first pause takes 10 s.
    for (took, left) in [
        (0, 10_000),
        (999, 10_000),
        (1_000, 9_000),
        (7_000, 3_000),
        (10_000, 0),
        (30_000, 0),
    ] {
        let bench = bench(seconds(3600));
        let took = Duration::from_millis(took);
        assert!(bench.fail_after(took, down()).await.is_err());
        if left > 0 {
            bench.clock.advance(Duration::from_millis(left - 1));
            assert!(bench.fails_at_once());
            bench.settle().await;
            assert_eq!(bench.script.calls(), 1, "{took:?}");
            bench.clock.advance(Duration::from_millis(1));
        }
        _ = bench.caller().await;
        assert_eq!(bench.script.calls(), 2, "{took:?}");
    }
}

#[tokio::test]
async fn retry_after_counts_from_the_answer() {
    let bench = bench(seconds(3600));
    assert!(
        bench
            .fail_after(seconds(30), down_for(Some(seconds(15))))
            .await
            .is_err()
    );
    bench.clock.advance(Duration::from_millis(14_999));
    assert!(bench.fails_at_once());
    bench.settle().await;
    assert_eq!(bench.script.calls(), 1);
    bench.clock.advance(Duration::from_millis(1));
    _ = bench.caller().await;
    assert_eq!(bench.script.calls(), 2);
}

#[tokio::test]
async fn a_token_is_in_use_to_its_end_while_a_hanging_server_is_asked() {
    let bench = bench(seconds(3600));
    bench.secret().await;
    bench.clock.advance(seconds(3600 - 59));
    let waited = bench.fail_after(seconds(30), down()).await;
    assert_eq!(waited.unwrap().header(), "Bearer token-1", "the pause is over");
    for _ in 0..29 {
        assert_eq!(bench.in_hand().as_deref(), Some("token-1"));
        assert!(bench.at_once().is_some_and(|outcome| outcome.is_ok()));
        bench.settle().await;
        assert_eq!(bench.script.calls(), 3, "one refresh, in the background");
        bench.clock.advance(seconds(1));
    }
    assert_eq!(bench.in_hand(), None);
    assert!(bench.fails_at_once());
    bench.script.gate(false);
    bench.settle().await;
    assert_eq!(bench.in_hand().as_deref(), Some("token-3"));
}

#[tokio::test]
async fn what_will_not_pass_is_waited_for() {
    let refused = || TokenError::malformed("no token");
    let bench = bench(seconds(3600));
    assert!(bench.fail_after(seconds(30), refused()).await.is_err());
    bench.clock.advance(seconds(9));
    assert!(bench.fails_at_once(), "remembered from its end");
    bench.clock.advance(seconds(1));
    let first = bench.caller().await;
    let second = bench.caller().await;
    assert_eq!(bench.script.calls(), 2);
    assert!(!second.is_finished());
    bench.script.gate(false);
    assert!(first.await.unwrap().is_ok() && second.await.unwrap().is_ok());
}

/// A refresh runs on the runtime of who began it, and stands still with that.
#[tokio::test]
async fn a_refresh_that_stands_still_is_waited_for_in_the_end() {
    let bench = bench(seconds(3600));
    assert!(bench.fail_after(seconds(30), down()).await.is_err());
    let probe = bench.caller().await;
    bench.clock.advance(Duration::from_millis(119_999));
    assert!(bench.fails_at_once());
    bench.clock.advance(Duration::from_millis(1));
    let joined = bench.caller().await;
    assert!(!joined.is_finished());
    bench.script.gate(false);
    assert!(probe.await.unwrap().is_ok() && joined.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_token_that_came_ends_the_trouble() {
    let bench = bench(seconds(100));
    assert!(bench.fail_after(seconds(30), down()).await.is_err());
    let probe = bench.caller().await;
    bench.script.gate(false);
    assert_eq!(probe.await.unwrap().unwrap().header(), "Bearer token-2");
    bench.clock.advance(seconds(80));
    assert_eq!(
        bench.in_hand(),
        None,
        "its last quarter: a newer one is waited for"
    );
    bench.script.gate(true);
    let first = bench.caller().await;
    bench.clock.advance(seconds(2));
    assert!(bench.at_once().is_none(), "nothing has failed since");
    bench.script.gate(false);
    assert_eq!(first.await.unwrap().unwrap().header(), "Bearer token-3");
}
