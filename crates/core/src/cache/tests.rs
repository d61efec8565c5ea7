use super::*;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use tokio::sync::Notify;

mod outages;
mod schedules;
mod threads;

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A clock that moves when told.
#[derive(Debug)]
struct TestClock(Mutex<Moment>);

impl TestClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Moment::new(
            seconds(1_800_000_000),
            seconds(1_000),
        ))))
    }

    fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.after(by);
    }

    fn set_wall_back(&self, by: Duration) {
        self.0.lock().unwrap().wall -= by;
    }

    /// The machine sleeps: the monotonic clock stands still.
    fn sleep(&self, by: Duration) {
        self.0.lock().unwrap().wall += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap()
    }
}

/// Hands out `token-1`, `token-2`, …, or fails, or waits at a gate.
#[derive(Clone)]
struct Script(Arc<ScriptState>);

struct ScriptState {
    calls: AtomicUsize,
    lifetime: Mutex<Option<Duration>>,
    error: Mutex<Option<TokenError>>,
    /// The same token each time.
    stuck: AtomicBool,
    gated: AtomicBool,
    panics: AtomicBool,
    gate: Notify,
}

impl Script {
    fn new(lifetime: Option<Duration>) -> Self {
        Self(Arc::new(ScriptState {
            calls: AtomicUsize::new(0),
            lifetime: Mutex::new(lifetime),
            error: Mutex::new(None),
            stuck: AtomicBool::new(false),
            gated: AtomicBool::new(false),
            panics: AtomicBool::new(false),
            gate: Notify::new(),
        }))
    }

    fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    fn fail(&self, error: TokenError) {
        *self.0.error.lock().unwrap() = Some(error);
    }

    fn recover(&self) {
        *self.0.error.lock().unwrap() = None;
    }

    fn gate(&self, closed: bool) {
        self.0.gated.store(closed, Ordering::SeqCst);
        if !closed {
            self.0.gate.notify_waiters();
        }
    }
}

#[async_trait]
impl TokenSource for Script {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        let call = self.0.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if self.0.gated.load(Ordering::SeqCst) {
            self.0.gate.notified().await;
        }
        assert!(!self.0.panics.load(Ordering::SeqCst), "the script says so");
        if let Some(error) = self.0.error.lock().unwrap().clone() {
            return Err(error);
        }
        let call = if self.0.stuck.load(Ordering::SeqCst) {
            1
        } else {
            call
        };
        let token = AccessToken::bearer(format!("token-{call}"))?;
        Ok(match *self.0.lifetime.lock().unwrap() {
            Some(lifetime) => token.with_lifetime(lifetime),
            None => token,
        })
    }
}

struct Bench {
    script: Script,
    clock: Arc<TestClock>,
    cache: CachedTokenSource<Script>,
}

fn bench(lifetime: Duration) -> Bench {
    let (script, clock) = (Script::new(Some(lifetime)), TestClock::new());
    let policy = RefreshPolicy {
        spread: 0.0,
        ..RefreshPolicy::default()
    };
    let cache = CachedTokenSource::with(script.clone(), policy, Arc::clone(&clock) as Arc<dyn Clock>);
    Bench { script, clock, cache }
}

impl Bench {
    async fn secret(&self) -> String {
        use secrecy::ExposeSecret;
        self.cache.token().await.unwrap().expose_secret().to_owned()
    }

    fn in_hand(&self) -> Option<String> {
        use secrecy::ExposeSecret;
        self.cache.current().map(|token| token.expose_secret().to_owned())
    }

    /// Lets background work run to its end.
    async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
}

fn down() -> TokenError {
    down_for(None)
}

fn down_for(retry_after: Option<Duration>) -> TokenError {
    TokenError::Unavailable {
        host: "as".into(),
        what: "status 503".into(),
        retry_after,
        source: None,
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_and_kept() {
    let bench = bench(seconds(3600));
    assert_eq!(bench.in_hand(), None);
    assert_eq!(bench.secret().await, "token-1");
    bench.clock.advance(seconds(3000));
    assert_eq!(bench.secret().await, "token-1");
    assert_eq!(bench.in_hand().as_deref(), Some("token-1"));
    assert_eq!(bench.script.calls(), 1);
}

/// R01
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_at_expiry_make_one_request() {
    let bench = bench(seconds(3600));
    bench.secret().await;
    bench.clock.advance(seconds(3601));
    bench.script.gate(true);
    let callers: Vec<_> = (0..1000)
        .map(|_| {
            let cache = bench.cache.clone();
            tokio::spawn(async move { cache.token().await.unwrap() })
        })
        .collect();
    while bench.script.calls() < 2 {
        tokio::task::yield_now().await;
    }
    bench.script.gate(false);
    for caller in callers {
        assert_eq!(caller.await.unwrap().header(), "Bearer token-2");
    }
    assert_eq!(bench.script.calls(), 2);
}

/// B5
#[tokio::test]
async fn in_the_advisory_window_nobody_waits_and_one_refresh_runs() {
    let bench = bench(seconds(3600));
    bench.secret().await;
    bench.clock.advance(seconds(3600 - 239));
    bench.script.gate(true);
    for _ in 0..100 {
        assert_eq!(bench.in_hand().as_deref(), Some("token-1"));
        assert_eq!(bench.secret().await, "token-1");
    }
    bench.settle().await;
    assert_eq!(bench.script.calls(), 2);
    bench.script.gate(false);
    bench.settle().await;
    assert_eq!(bench.in_hand().as_deref(), Some("token-2"));
    assert_eq!(bench.script.calls(), 2);
}

#[tokio::test]
async fn in_the_mandatory_window_callers_wait_for_the_refresh() {
    let bench = bench(seconds(3600));
    bench.secret().await;
    bench.clock.advance(seconds(3600 - 59));
    assert_eq!(bench.in_hand(), None);
    assert_eq!(bench.secret().await, "token-2");
}

/// R10
#[tokio::test]
async fn a_failed_refresh_never_takes_a_valid_token_away() {
    let bench = bench(seconds(3600));
    bench.secret().await;
    bench.script.fail(down());
    bench.clock.advance(seconds(3600 - 59));
    assert_eq!(
        bench.secret().await,
        "token-1",
        "mandatory window: waited, failed, served the valid one"
    );
    assert_eq!(bench.secret().await, "token-1");
    assert_eq!(bench.script.calls(), 2, "the failure is remembered");
    bench.clock.advance(seconds(60));
    assert!(bench.cache.token().await.is_err(), "it has expired now");
    assert_eq!(bench.in_hand(), None, "and while that failure is remembered, too");
}

#[tokio::test]
async fn a_failure_is_shared_and_remembered_for_a_growing_time() {
    let bench = bench(seconds(3600));
    bench.script.fail(down());
    bench.script.gate(true);
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let cache = bench.cache.clone();
            tokio::spawn(async move { cache.token().await.unwrap_err() })
        })
        .collect();
    bench.settle().await;
    bench.script.gate(false);
    for caller in callers {
        assert!(matches!(caller.await.unwrap(), TokenError::Unavailable { .. }));
    }
    assert_eq!(bench.script.calls(), 1, "20 callers, one failing request");
    let mut calls_at = Vec::new();
    for second in 0..120 {
        let before = bench.script.calls();
        assert!(bench.cache.token().await.is_err());
        if bench.script.calls() > before {
            calls_at.push(second);
        }
        bench.clock.advance(seconds(1));
    }
    assert_eq!(calls_at, [10, 30, 50, 70, 90, 110]);
    bench.clock.advance(seconds(60));
    bench.script.recover();
    assert!(bench.cache.token().await.is_ok());
}

#[tokio::test]
async fn a_login_is_noticed_within_a_second() {
    let bench = bench(seconds(3600));
    bench.script.fail(TokenError::LoginRequired {
        provider: "corp".into(),
        account: None,
        source: None,
    });
    for asked in 1..=5 {
        for _ in 0..10 {
            assert!(bench.cache.token().await.is_err());
            bench.clock.advance(Duration::from_millis(100));
        }
        assert_eq!(bench.script.calls(), asked, "once a second");
    }
    bench.script.recover();
    assert!(bench.cache.token().await.is_ok());
}

#[tokio::test]
async fn retry_after_lengthens_the_memory_of_a_failure() {
    let bench = bench(seconds(3600));
    bench.script.fail(down_for(Some(seconds(100))));
    assert!(bench.cache.token().await.is_err());
    bench.script.recover();
    bench.clock.advance(seconds(99));
    assert!(bench.cache.token().await.is_err());
    bench.clock.advance(seconds(1));
    assert!(bench.cache.token().await.is_ok());
}

#[tokio::test]
async fn margins_are_clamped_so_that_a_short_token_is_not_fetched_on_each_call() {
    let bench = bench(seconds(60));
    for _ in 0..29 {
        assert_eq!(bench.secret().await, "token-1");
        bench.clock.advance(seconds(1));
    }
    assert_eq!(bench.script.calls(), 1);
    bench.clock.advance(seconds(2));
    assert_eq!(
        bench.secret().await,
        "token-1",
        "advisory: half of its life is left"
    );
    bench.settle().await;
    assert_eq!(bench.secret().await, "token-2");
}

#[tokio::test]
async fn a_token_without_lifetime_makes_no_request_loop() {
    let bench = bench(Duration::ZERO);
    for _ in 0..60 {
        assert!(bench.cache.token().await.is_ok());
        bench.clock.advance(seconds(1));
    }
    assert!(
        bench.script.calls() <= 3,
        "{} requests in 60 s",
        bench.script.calls()
    );
}

#[tokio::test]
async fn a_token_of_unknown_lifetime_is_kept_until_it_is_refused() {
    let bench = bench(seconds(1));
    *bench.script.0.lifetime.lock().unwrap() = None;
    let token = bench.cache.token().await.unwrap();
    bench.clock.advance(seconds(10 * 365 * 86400));
    assert_eq!(bench.secret().await, "token-1");
    bench.cache.reject(&token);
    assert_eq!(bench.secret().await, "token-2");
}

#[tokio::test]
async fn a_huge_lifetime_is_no_overflow() {
    let bench = bench(Duration::MAX);
    assert_eq!(bench.secret().await, "token-1");
    assert_eq!(bench.secret().await, "token-1");
    assert_eq!(bench.script.calls(), 1);
}

#[tokio::test]
async fn reject_compares_and_takes_away_only_the_token_in_hand() {
    let bench = bench(seconds(3600));
    let first = bench.cache.token().await.unwrap();
    bench.cache.reject(&AccessToken::bearer("another").unwrap());
    assert_eq!(bench.secret().await, "token-1");
    bench.cache.reject(&first);
    assert_eq!(bench.in_hand(), None);
    assert_eq!(bench.secret().await, "token-2");
    bench.cache.reject(&first);
    assert_eq!(bench.secret().await, "token-2", "a late refusal of the old token");
}

#[tokio::test]
async fn a_refresh_begun_before_a_refusal_cannot_bring_the_bad_token_back() {
    let bench = bench(seconds(3600));
    bench.script.0.stuck.store(true, Ordering::SeqCst);
    let bad = bench.cache.token().await.unwrap();
    bench.clock.advance(seconds(3600 - 200));
    bench.script.gate(true);
    assert!(bench.cache.current().is_some(), "starts the background refresh");
    bench.settle().await;
    bench.cache.reject(&bad);
    let waiting = tokio::spawn({
        let cache = bench.cache.clone();
        async move { cache.token().await.unwrap() }
    });
    bench.settle().await;
    bench.script.0.gated.store(false, Ordering::SeqCst);
    // The old refresh ends with the bad token; only what is asked for afterwards counts.
    let state = Arc::clone(&bench.script.0);
    state.gate.notify_waiters();
    bench.settle().await;
    assert_eq!(bench.script.calls(), 3, "asked once more");
    assert_eq!(
        waiting.await.unwrap(),
        bad,
        "the source insists: its word counts then"
    );
}

#[tokio::test]
async fn a_caller_that_wakes_late_gets_no_token_that_was_refused_meanwhile() {
    let bench = bench(seconds(3600));
    bench.script.gate(true);
    let mut late = Box::pin(bench.cache.token());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(late.as_mut().poll(&mut context).is_pending());
    bench.settle().await;
    bench.script.gate(false);
    bench.settle().await;
    let refused = bench.cache.current().unwrap().clone();
    bench.cache.reject(&refused);
    assert_eq!(late.await.unwrap().header(), "Bearer token-2");
}

/// Polls a caller whose token is gone each time before it is: three times, then it gets what there is.
async fn wakes_late_thrice(
    bench: &Bench,
    token_goes: impl Fn(&AccessToken) + Send + Sync,
) -> Result<AccessToken, TokenError> {
    bench.script.gate(true);
    let mut late = Box::pin(bench.cache.token());
    for _ in 0..3 {
        assert!(poll_once(&mut late).is_pending());
        bench.settle().await;
        bench.script.gate(false);
        bench.settle().await;
        bench.script.gate(true);
        token_goes(&bench.cache.current().unwrap().clone());
    }
    late.await
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::Pin::new(future).poll(&mut context)
}

#[tokio::test]
async fn a_caller_whose_third_token_was_refused_too_is_told_so() {
    let bench = bench(seconds(3600));
    let outcome = wakes_late_thrice(&bench, |token| bench.cache.reject(token)).await;
    assert!(
        matches!(outcome, Err(TokenError::Interrupted { .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_caller_whose_third_token_has_just_run_out_gets_it_all_the_same() {
    let bench = bench(seconds(3600));
    let outcome = wakes_late_thrice(&bench, |_| bench.clock.advance(seconds(3601))).await;
    assert_eq!(outcome.unwrap().header(), "Bearer token-3");
    assert_eq!(bench.script.calls(), 3);
}

#[tokio::test]
async fn endless_refusals_lead_to_few_requests() {
    let bench = bench(seconds(3600));
    for _ in 0..1000 {
        let token = bench.cache.token().await.unwrap();
        bench.cache.reject(&token);
        bench.clock.advance(Duration::from_millis(5));
    }
    assert!(
        bench.script.calls() <= 12,
        "{} requests in 5 s of refusals",
        bench.script.calls()
    );
}

#[tokio::test]
async fn a_refusal_a_second_leads_to_a_new_token_each_time() {
    let bench = bench(seconds(3600));
    // Two in each second: looking more often than once a second must not cost what a second brings.
    for _ in 0..60 {
        let token = bench.cache.token().await.unwrap();
        bench.cache.reject(&token);
        bench.clock.advance(Duration::from_millis(500));
    }
    let requests = bench.script.calls();
    assert!(
        (30..=36).contains(&requests),
        "{requests} requests in 30 s of refusals"
    );
}

/// A refresh that ends late, on another thread, must not clear away the next one.
#[test]
fn a_refresh_knows_its_own_flight_from_the_next() {
    let (first, its_own) = flight::take_off(0);
    let (second, next) = flight::take_off(0);
    assert!(first.is_of(&its_own) && second.is_of(&next));
    assert!(!first.is_of(&next) && !second.is_of(&its_own));
}

#[tokio::test]
async fn a_dropped_caller_does_not_cancel_the_refresh() {
    let bench = bench(seconds(3600));
    bench.script.gate(true);
    let caller = tokio::spawn({
        let cache = bench.cache.clone();
        async move { cache.token().await }
    });
    bench.settle().await;
    caller.abort();
    assert!(caller.await.is_err());
    bench.script.gate(false);
    bench.settle().await;
    assert_eq!(bench.in_hand().as_deref(), Some("token-1"));
    assert_eq!(bench.script.calls(), 1);
}

#[tokio::test]
async fn a_panicking_source_is_an_error_and_not_a_loop() {
    let bench = bench(seconds(3600));
    bench.script.0.panics.store(true, Ordering::SeqCst);
    for _ in 0..10 {
        assert!(matches!(
            bench.cache.token().await,
            Err(TokenError::Interrupted { .. })
        ));
    }
    assert_eq!(bench.script.calls(), 1);
    bench.script.0.panics.store(false, Ordering::SeqCst);
    bench.clock.advance(seconds(10));
    assert!(bench.cache.token().await.is_ok());
}

#[test]
fn a_refresh_that_dies_with_its_runtime_leaves_the_cache_usable() {
    let bench = bench(seconds(3600));
    bench.script.gate(true);
    let first = tokio::runtime::Builder::new_current_thread().build().unwrap();
    first.block_on(async {
        let cache = bench.cache.clone();
        tokio::spawn(async move { cache.token().await });
        bench.settle().await;
    });
    drop(first);
    bench.script.gate(false);
    let second = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(second.block_on(bench.secret()), "token-2");
}

#[test]
fn a_runtime_that_has_shut_down_is_an_error_and_no_deadlock() {
    let bench = bench(seconds(3600));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    let _entered = handle.enter();
    let mut future = Box::pin(bench.cache.token());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(Err(TokenError::Interrupted { .. })) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_source_that_hands_out_an_old_token_is_not_asked_on_each_call() {
    let bench = bench(seconds(3600));
    let token = AccessToken::bearer("old").unwrap().with_lifetime(seconds(3600));
    let now = bench.clock.now();
    let token = token.with_expires_at(now.after(seconds(50)).wall_time());
    let windows = RefreshPolicy::default().windows(&token, now);
    assert!(now.after(seconds(20)).is_before(&windows.advisory), "{windows:?}");
    assert_eq!(windows.expiry, now.after(seconds(50)));
}

#[test]
fn a_wall_clock_set_back_during_the_request_does_not_lengthen_a_life() {
    let now = TestClock::new().now();
    let token = AccessToken::bearer("x").unwrap().with_lifetime(seconds(60));
    let token = token.with_expires_at(now.after(seconds(7 * 3600)).wall_time());
    let huge = RefreshPolicy::default().with_windows(Duration::MAX, Duration::MAX);
    assert_eq!(huge.windows(&token, now).expiry, now.after(seconds(60)));
}

#[test]
fn a_token_without_lifetime_is_used_for_a_while_also_when_the_wall_clock_was_set_back() {
    let now = TestClock::new().now();
    let token = AccessToken::bearer("x").unwrap().with_lifetime(Duration::ZERO);
    let token = token.with_expires_at(now.after(seconds(1)).wall_time());
    let windows = RefreshPolicy::default().windows(&token, now);
    assert!(now.after(seconds(29)).is_before(&windows.advisory), "{windows:?}");
}

#[test]
fn without_a_runtime_the_error_says_so() {
    let bench = bench(seconds(3600));
    let mut future = Box::pin(bench.cache.token());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(Err(error)) => assert!(error.to_string().contains("no tokio runtime")),
        other => panic!("{other:?}"),
    }
}

/// B5
#[tokio::test]
async fn a_wall_clock_set_back_does_not_extend_a_token() {
    let bench = bench(seconds(3600));
    bench.secret().await;
    bench.clock.set_wall_back(seconds(7 * 3600));
    bench.clock.advance(seconds(3601));
    assert_eq!(bench.in_hand(), None);
    assert_eq!(bench.secret().await, "token-2");
    assert_eq!(bench.secret().await, "token-2");
    assert_eq!(bench.script.calls(), 2);
}

#[tokio::test]
async fn a_laptops_sleep_is_noticed() {
    let bench = bench(seconds(3600));
    bench.secret().await;
    bench.clock.sleep(seconds(8 * 3600));
    assert_eq!(bench.in_hand(), None);
    assert_eq!(bench.secret().await, "token-2");
}

/// R10
#[test]
fn many_caches_do_not_refresh_at_the_same_moment() {
    for (lifetime, window) in [(3600, 240), (60, 30)] {
        let now = TestClock::new().now();
        let token = AccessToken::bearer("x").unwrap();
        let token = token.with_expires_at(now.after(seconds(lifetime)).wall_time());
        let begins: std::collections::BTreeSet<_> = (0..100)
            .map(|_| RefreshPolicy::default().windows(&token, now).advisory.monotonic)
            .collect();
        let spread = *begins.last().unwrap() - *begins.first().unwrap();
        assert!(spread >= seconds(window) / 10, "{lifetime}: {spread:?}");
        assert!(begins.len() > 90);
    }
}

#[test]
fn windows_and_pauses_are_those_that_were_set() {
    let policy = RefreshPolicy::default()
        .with_windows(seconds(30), seconds(10))
        .with_pauses(seconds(2), seconds(4));
    assert_eq!((policy.advisory, policy.mandatory), (seconds(30), seconds(10)));
    let pauses = [0, 1, 2].map(|failures| policy.pause(failures, &down(), Duration::ZERO));
    assert_eq!(pauses, [2, 4, 4].map(seconds));
}

#[test]
fn the_advisory_window_begins_up_to_an_eighth_earlier_and_takes_half_a_life_at_most() {
    let now = TestClock::new().now();
    for (spread, lifetime, begins) in [
        (0.0, 3600, 3360.0),
        (0.5, 3600, 3345.0),
        (1.0, 3600, 3330.0),
        (0.0, 540, 300.0),
        (1.0, 540, 270.0),
        (0.0, 60, 30.0),
        (1.0, 60, 33.75),
    ] {
        let policy = RefreshPolicy {
            spread,
            ..RefreshPolicy::default()
        };
        let token = AccessToken::bearer("x").unwrap();
        let token = token.with_expires_at(now.after(seconds(lifetime)).wall_time());
        assert_eq!(
            policy.windows(&token, now).advisory,
            now.after(Duration::from_secs_f64(begins)),
            "{spread} {lifetime}"
        );
    }
}

#[tokio::test]
async fn debug_does_not_print_the_token() {
    let bench = bench(seconds(3600));
    bench.secret().await;
    assert!(!format!("{:?}", bench.cache).contains("token-1"));
}
