//! Real threads that cut into each other: the clock, which the cache reads between all that it does, dawdles.

use super::super::*;
use super::seconds;
use crate::cache::policy::nanos;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

const TASKS: u64 = 8;
const ROUNDS: usize = 100;

/// Now and then, whoever reads it is held up, so that others come in between.
#[derive(Debug, Default)]
struct Dawdler {
    passed_ms: AtomicU64,
}

impl Dawdler {
    fn advance(&self, by: Duration) {
        self.passed_ms.fetch_add(nanos(by) / 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for Dawdler {
    fn now(&self) -> Moment {
        let before = Duration::from_millis(self.passed_ms.load(Ordering::SeqCst));
        match fastrand::u8(..) {
            0..8 => std::thread::sleep(Duration::from_micros(50)),
            8..64 => std::thread::yield_now(),
            _ => {}
        }
        Moment::new(seconds(1_800_000_000) + before, seconds(1_000) + before)
    }
}

/// Hands out `1`, `2`, `3`, …, each for 60 s, and can't bear two requests at once.
#[derive(Clone, Default)]
struct Counter(Arc<Counts>);

#[derive(Default)]
struct Counts {
    tokens: AtomicUsize,
    under_way: AtomicUsize,
    refused: AtomicUsize,
    failed: AtomicUsize,
}

#[async_trait]
impl TokenSource for Counter {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        assert_eq!(self.0.under_way.fetch_add(1, Ordering::SeqCst), 0, "two at once");
        for _ in 0..fastrand::u8(..4) {
            tokio::task::yield_now().await;
        }
        let number = self.0.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
        Ok(AccessToken::bearer(number.to_string())?.with_lifetime(seconds(60)))
    }

    fn reject(&self, _: &AccessToken) {
        self.0.refused.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_that_cut_into_each_other_see_one_request_and_no_refused_token() {
    let (clock, counter) = (Arc::new(Dawdler::default()), Counter::default());
    let cache = CachedTokenSource::with(
        counter.clone(),
        RefreshPolicy::default(),
        Arc::clone(&clock) as Arc<dyn Clock>,
    );
    let refused = Arc::new(AtomicUsize::new(0));
    let advances = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (cache, clock, counter) = (cache.clone(), Arc::clone(&clock), counter.clone());
            let (refused, advances) = (Arc::clone(&refused), Arc::clone(&advances));
            let mut random = fastrand::Rng::with_seed(task);
            tokio::spawn(async move {
                let mut last = 0;
                for _ in 0..ROUNDS {
                    let floor = refused.load(Ordering::SeqCst);
                    let requests = counter.0.tokens.load(Ordering::SeqCst);
                    let token = match cache.token().await {
                        Ok(token) => token,
                        Err(error) => {
                            // As many tokens were refused as it waited for; the first may have been under way.
                            let requests = counter.0.tokens.load(Ordering::SeqCst) - requests;
                            assert!(requests >= 2, "{error} after {requests} requests");
                            continue;
                        }
                    };
                    let number = number(&token);
                    assert!(number > floor, "{number} had been refused, and so had {floor}");
                    assert!(number >= last, "{number} came after {last}");
                    last = number;
                    match random.u8(..20) {
                        0 => {
                            // So that this refusal counts, however many there have been.
                            clock.advance(seconds(1));
                            advances.fetch_add(1, Ordering::SeqCst);
                            cache.reject(&token);
                            refused.fetch_max(number, Ordering::SeqCst);
                        }
                        1 => {
                            clock.advance(seconds(20));
                            advances.fetch_add(1, Ordering::SeqCst);
                        }
                        _ => {}
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        tokio::time::timeout(seconds(60), task)
            .await
            .expect("nobody waits for ever")
            .unwrap();
    }
    let (requests, refusals) = (
        counter.0.tokens.load(Ordering::SeqCst),
        counter.0.refused.load(Ordering::SeqCst),
    );
    let advances = advances.load(Ordering::SeqCst);
    assert!(
        requests <= 1 + refusals + advances,
        "{requests} requests for {refusals} refusals and {advances} steps of time"
    );
}

/// Fails, three times of four; the clock goes on meanwhile, now and then by more than the pause.
#[derive(Clone)]
struct Trouble(Arc<Dawdler>, Arc<Counts>);

#[async_trait]
impl TokenSource for Trouble {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        let Self(clock, counts) = self;
        assert_eq!(counts.under_way.fetch_add(1, Ordering::SeqCst), 0, "two at once");
        let took = [0, 0, 1, 30][usize::from(fastrand::u8(..4))];
        for _ in 0..took {
            tokio::task::yield_now().await;
            clock.advance(seconds(1));
        }
        let number = counts.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        counts.under_way.fetch_sub(1, Ordering::SeqCst);
        if fastrand::u8(..4) == 0 {
            return Ok(AccessToken::bearer(number.to_string())?.with_lifetime(seconds(8)));
        }
        counts.failed.fetch_add(1, Ordering::SeqCst);
        Err(super::down())
    }
}

/// R13
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_that_cut_into_each_other_keep_the_pauses_of_a_server_in_trouble() {
    let (clock, counts) = (Arc::new(Dawdler::default()), Arc::new(Counts::default()));
    let cache = CachedTokenSource::with(
        Trouble(Arc::clone(&clock), Arc::clone(&counts)),
        RefreshPolicy::default().with_pauses(seconds(10), seconds(10)),
        Arc::clone(&clock) as Arc<dyn Clock>,
    );
    let tasks = (0..TASKS).map(|task| {
        let (cache, clock) = (cache.clone(), Arc::clone(&clock));
        let mut random = fastrand::Rng::with_seed(task);
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                match cache.token().await {
                    Ok(_) | Err(TokenError::Unavailable { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
                clock.advance(Duration::from_millis(random.u64(..2000)));
                tokio::task::yield_now().await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        tokio::time::timeout(seconds(60), task)
            .await
            .expect("nobody waits for ever")
            .unwrap();
    }
    let failures = counts.failed.load(Ordering::SeqCst);
    let seconds = clock.now().monotonic.as_secs() - 1_000;
    assert!(failures > 10, "{failures} failures in {seconds} s");
    assert!(
        failures as u64 <= 1 + seconds / 10,
        "{failures} failures in {seconds} s, 10 s from the beginning of one to the next"
    );
}

fn number(token: &AccessToken) -> usize {
    use secrecy::ExposeSecret;
    token.expose_secret().parse().unwrap()
}

/// Who found the old token near its end, and then had to wait for the lock, looks again.
#[tokio::test]
async fn a_refresh_that_has_just_ended_is_not_begun_again() {
    let bench = super::bench(seconds(3600));
    bench.secret().await;
    bench.clock.advance(seconds(3500));
    let seen = bench.clock.now();
    assert_eq!(bench.in_hand().as_deref(), Some("token-1"));
    bench.settle().await;
    assert_eq!(bench.in_hand().as_deref(), Some("token-2"));
    bench.cache.shared.refresh(seen);
    bench.settle().await;
    assert_eq!(bench.script.calls(), 2);
}
