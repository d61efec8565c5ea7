//! The real cache under random schedules, against an oracle that a page can hold.
//!
//! What decides the order of things is a step: a caller comes, is polled (only if it was woken) or leaves, the
//! refresh runs as far as it can, the source answers, somebody refuses a token, clocks move. A schedule is a list of
//! steps; one that breaks a promise is shortened until it can be read. `PROPTEST_CASES` makes more of them,
//! `PROPTEST_RNG_SEED` others.
//!
//! Steps don't cut into each other: two threads inside of one call are the matter of `threads.rs`.

use super::super::*;
use super::{TestClock, seconds};
use oracle::Oracle;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::pin::Pin;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::sync::oneshot;

mod oracle;

#[derive(Debug, Clone)]
enum Step {
    Ask,
    Poll(usize),
    Leave(usize),
    Look,
    /// One of the tokens so far is refused; 0 is the newest.
    Reject(usize),
    /// The refresh runs until it waits.
    Run,
    Answer(Answer),
    Pass(Duration),
    JumpWall(i64),
    Suspend(Duration),
}

/// What the source says.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Fresh(Option<Duration>),
    /// The token that it handed out last.
    Same,
    Fail {
        retry_after: Option<Duration>,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let lifetime = prop_oneof![
        Just(None),
        Just(Some(Duration::ZERO)),
        Just(Some(seconds(1))),
        Just(Some(seconds(60))),
        Just(Some(seconds(3600))),
    ];
    let answer = prop_oneof![
        4 => lifetime.prop_map(Answer::Fresh),
        1 => Just(Answer::Same),
        2 => Just(Answer::Fail { retry_after: None }),
        1 => Just(Answer::Fail { retry_after: Some(seconds(100)) }),
    ];
    let time = prop_oneof![
        Just(Duration::from_millis(400)),
        Just(seconds(1)),
        Just(seconds(11)),
        Just(seconds(50)),
        Just(seconds(200)),
        Just(seconds(3400)),
    ];
    let step = prop_oneof![
        6 => Just(Step::Ask),
        6 => (0..8_usize).prop_map(Step::Poll),
        1 => (0..8_usize).prop_map(Step::Leave),
        3 => Just(Step::Look),
        3 => (0..3_usize).prop_map(Step::Reject),
        6 => Just(Step::Run),
        6 => answer.prop_map(Step::Answer),
        3 => time.clone().prop_map(Step::Pass),
        1 => prop_oneof![Just(-7 * 3600), Just(7 * 3600), Just(-30), Just(30)].prop_map(Step::JumpWall),
        1 => time.prop_map(Step::Suspend),
    ];
    prop::collection::vec(step, 1..80)
}

/// The same schedules each time, unless `PROPTEST_RNG_SEED` says otherwise.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(5);
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_schedule_breaks_a_promise(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for step in &steps {
                world.take(step).await;
            }
            world.end().await;
        });
    }
}

/// The source: each request waits for an answer.
#[derive(Clone, Default)]
struct Desk(Arc<Mutex<DeskState>>);

#[derive(Default)]
struct DeskState {
    open: Vec<oneshot::Sender<Result<AccessToken, TokenError>>>,
    refusals: usize,
}

#[async_trait]
impl TokenSource for Desk {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        let (sender, receiver) = oneshot::channel();
        self.0.lock().unwrap().open.push(sender);
        receiver.await.expect("the desk answers")
    }

    fn reject(&self, _: &AccessToken) {
        self.0.lock().unwrap().refusals += 1;
    }
}

/// A task that waits for a token.
struct Caller {
    future: Pin<Box<dyn Future<Output = Result<AccessToken, TokenError>> + Send>>,
    woken: Arc<Woken>,
    /// How many refreshes had ended, and how many of them had failed, when it came.
    ended_before: usize,
    failed_before: usize,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct World {
    clock: Arc<TestClock>,
    desk: Desk,
    cache: CachedTokenSource<Desk>,
    callers: Vec<Caller>,
    oracle: Oracle,
    /// All that were handed out by the source, the newest last.
    tokens: Vec<AccessToken>,
    in_flight: bool,
}

impl World {
    fn new() -> Self {
        let (clock, desk) = (TestClock::new(), Desk::default());
        let policy = RefreshPolicy {
            spread: 0.0,
            ..RefreshPolicy::default()
        };
        let cache = CachedTokenSource::with(desk.clone(), policy, Arc::clone(&clock) as Arc<dyn Clock>);
        Self {
            oracle: Oracle::new(clock.now()),
            clock,
            desk,
            cache,
            callers: Vec::new(),
            tokens: Vec::new(),
            in_flight: false,
        }
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Ask => self.ask(),
            Step::Poll(index) => self.poll_one(*index),
            Step::Leave(index) if !self.callers.is_empty() => {
                drop(self.callers.swap_remove(index % self.callers.len()));
            }
            Step::Leave(_) => {}
            Step::Look => self.look(),
            Step::Reject(index) => self.reject(*index),
            Step::Run => self.run().await,
            Step::Answer(answer) => self.answer(*answer).await,
            Step::Pass(time) => self.clock.advance(*time),
            Step::JumpWall(by) if *by < 0 => self.clock.set_wall_back(seconds(by.unsigned_abs())),
            Step::JumpWall(by) => self.clock.sleep(seconds(by.unsigned_abs())),
            Step::Suspend(time) => self.clock.sleep(*time),
        }
        self.watch_the_refresh();
    }

    fn ask(&mut self) {
        let told = self.oracle.tells(self.clock.now());
        let cache = self.cache.clone();
        self.callers.push(Caller {
            future: Box::pin(async move { cache.token().await }),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            ended_before: self.oracle.ended,
            failed_before: self.oracle.failed,
        });
        let waiting = self.callers.len();
        self.poll(waiting - 1);
        assert!(!told || self.callers.len() < waiting, "it waits in vain");
    }

    /// One of those that were woken: nobody else would be polled by a runtime.
    fn poll_one(&mut self, index: usize) {
        let woken: Vec<_> = (0..self.callers.len())
            .filter(|&caller| self.callers[caller].woken.0.load(Ordering::SeqCst))
            .collect();
        if !woken.is_empty() {
            self.poll(woken[index % woken.len()]);
        }
    }

    fn poll(&mut self, index: usize) {
        let caller = &mut self.callers[index];
        caller.woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&caller.woken));
        let Poll::Ready(outcome) = caller.future.as_mut().poll(&mut Context::from_waker(&waker)) else {
            return;
        };
        let caller = self.callers.swap_remove(index);
        let now = self.clock.now();
        // Who saw three refreshes end without a token that lasted takes what there is.
        let weary = self.oracle.ended >= caller.ended_before + 3;
        match outcome {
            Ok(token) if weary => self.oracle.check_not_refused(&token),
            Ok(token) => self.oracle.check_token(&token, now),
            Err(TokenError::Interrupted { .. }) => assert!(weary, "given up too early"),
            Err(_) => self.oracle.check_error(caller.failed_before, now),
        }
    }

    fn look(&mut self) {
        let now = self.clock.now();
        match self.cache.current() {
            Some(token) => self.oracle.check_token(&token, now),
            None => assert!(!self.oracle.must_serve(now), "a good token was kept back"),
        }
    }

    fn reject(&mut self, back: usize) {
        let Some(token) = self.tokens.iter().rev().nth(back).cloned() else {
            return;
        };
        let refusals = self.desk.0.lock().unwrap().refusals;
        self.cache.reject(&token);
        let forgotten = self.desk.0.lock().unwrap().refusals > refusals;
        self.oracle.refuse(&token, forgotten, self.clock.now());
    }

    async fn run(&mut self) {
        let open = self.open();
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        if self.open() > open {
            self.oracle.begin(self.clock.now());
        }
        assert!(self.open() <= 1, "two requests at once");
    }

    async fn answer(&mut self, answer: Answer) {
        let Some(sender) = self.desk.0.lock().unwrap().open.pop() else {
            return;
        };
        let number = self.tokens.len();
        let outcome = match answer {
            Answer::Fresh(lifetime) => {
                let token = AccessToken::bearer(format!("token-{number}")).unwrap();
                Ok(match lifetime {
                    Some(lifetime) => token.with_lifetime(lifetime),
                    None => token,
                })
            }
            Answer::Same => Ok(self
                .tokens
                .last()
                .cloned()
                .unwrap_or_else(|| AccessToken::bearer("token-0").unwrap())),
            Answer::Fail { retry_after } => Err(TokenError::Unavailable {
                host: "as".into(),
                what: "status 503".into(),
                retry_after,
                source: None,
            }),
        };
        self.oracle.land(&outcome, self.clock.now());
        if let Ok(token) = &outcome {
            self.tokens.push(token.clone());
        }
        assert!(sender.send(outcome).is_ok(), "the refresh was cancelled");
        self.run().await;
        self.in_flight = false;
    }

    /// A refresh that begins must have had a reason.
    fn watch_the_refresh(&mut self) {
        let in_flight = self.cache.shared.state().flight.is_some();
        assert_eq!(in_flight, self.cache.shared.refreshing.load(Ordering::SeqCst));
        if in_flight && !self.in_flight {
            self.oracle.take_off(self.clock.now());
        }
        self.in_flight = in_flight;
    }

    fn open(&self) -> usize {
        self.desk.0.lock().unwrap().open.len()
    }

    /// Whatever happened: all who wait get something, and the cache goes on.
    async fn end(&mut self) {
        for _ in 0..8 {
            self.run().await;
            self.answer(Answer::Fresh(Some(seconds(3600)))).await;
            for _ in 0..self.callers.len() {
                self.poll_one(0);
            }
        }
        assert!(
            self.callers.is_empty(),
            "{} callers wait for ever",
            self.callers.len()
        );
        self.clock.advance(seconds(4000));
        self.ask();
        self.run().await;
        self.answer(Answer::Fresh(Some(seconds(3600)))).await;
        self.poll_one(0);
        assert!(self.callers.is_empty());
        self.look();
        assert!(self.oracle.must_serve(self.clock.now()));
    }
}
