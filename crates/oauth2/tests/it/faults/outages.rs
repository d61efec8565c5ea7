//! Ten minutes without the server, at 200 calls a second, of which none waits for another. The cache and the time
//! limits of requests go by clocks that the test turns; the connections are real.

use super::{Day, key, seconds};
use crate::support::{client, grant, http, url};
use gatepass_core::{
    AccessToken, CachedTokenSource, Clock, CredentialStore, ExposeSecret, RefreshPolicy, TokenError,
    TokenSource, async_trait,
};
use gatepass_http::RetryPolicy;
use gatepass_oauth2::{AuthStyle, RefreshTokenSource, TokenEndpoint};
use gatepass_testkit::{Answer, AuthorizationServer, ManualClock};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The time between two calls.
const STEP: Duration = Duration::from_millis(5);

/// What takes no longer is fast.
const FAST: Duration = Duration::from_millis(50);

/// All is well again then: the request that hangs when the server comes back has 30 s, and the next one takes some steps.
const SOON: Duration = Duration::from_millis(30_050);

/// Calls, one after each step.
struct Traffic<'a, S> {
    source: CachedTokenSource<S>,
    server: &'a AuthorizationServer,
    clock: ManualClock,
    waiting: JoinSet<(Result<AccessToken, TokenError>, Duration)>,
    /// How long the calls took that had a token, by the machine's time if they didn't wait, and those that had none.
    served: Vec<Duration>,
    failed: Vec<Duration>,
    /// The longest that one was kept waiting.
    longest_wait: Duration,
    /// When the server was asked.
    asked: Vec<Duration>,
    requests: usize,
}

impl<'a, S: TokenSource + 'static> Traffic<'a, S> {
    fn new(source: CachedTokenSource<S>, server: &'a AuthorizationServer, clock: &ManualClock) -> Self {
        tokio::time::pause();
        Self {
            source,
            server,
            clock: clock.clone(),
            waiting: JoinSet::new(),
            served: Vec::new(),
            failed: Vec::new(),
            longest_wait: Duration::ZERO,
            asked: Vec::new(),
            requests: server.token_requests(),
        }
    }

    /// Calls for so long.
    async fn run(&mut self, time: Duration) {
        let end = self.now() + time;
        while self.now() < end {
            self.step().await;
        }
    }

    /// Calls until the server is asked again.
    async fn run_to_the_next_request(&mut self) {
        let before = self.asked.len();
        while self.asked.len() == before {
            self.step().await;
        }
    }

    /// The server is back. Calls until one has a token, and tells how long that took.
    async fn recover(&mut self) -> Duration {
        self.server.normal();
        self.served.clear();
        let began = self.now();
        while self.served.is_empty() {
            self.step().await;
        }
        self.now() - began
    }

    async fn step(&mut self) {
        let source = self.source.clone();
        let mut call = Box::pin(async move { source.token().await });
        let (came, began) = (self.now(), Instant::now());
        match std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await {
            Poll::Ready(outcome) => self.note(&outcome, began.elapsed()),
            Poll::Pending => {
                let clock = self.clock.clone();
                self.waiting
                    .spawn(async move { (call.await, clock.now().monotonic - came) });
            }
        }
        self.clock.advance(STEP);
        tokio::time::advance(STEP).await;
        while let Some(done) = self.waiting.try_join_next() {
            let (outcome, took) = done.unwrap();
            self.longest_wait = self.longest_wait.max(took);
            self.note(&outcome, took);
        }
        let requests = self.server.token_requests();
        if requests > self.requests {
            assert_eq!(requests, self.requests + 1, "two at once");
            self.requests = requests;
            self.asked.push(self.now());
        }
    }

    fn note(&mut self, outcome: &Result<AccessToken, TokenError>, took: Duration) {
        match outcome {
            Ok(token) => {
                assert!(self.server.is_active(token.expose_secret()), "it has run out");
                self.served.push(took);
            }
            Err(error) => {
                assert!(matches!(error, TokenError::Unavailable { .. }), "{error:?}");
                self.failed.push(took);
            }
        }
    }

    fn now(&self) -> Duration {
        self.clock.now().monotonic
    }

    /// Ten minutes in which the server is down in these ways, for the same time each; the token lives for five. Tells
    /// the figures.
    async fn outage(&mut self, ways: &[Answer]) -> String {
        let mut next = ways.iter();
        let mut figures = String::new();
        for second in 0..600 {
            if second % (600 / ways.len()) == 0 {
                self.server.always(next.next().unwrap().clone());
            }
            if second == 299 {
                figures = self.check_served();
            }
            self.run(seconds(1)).await;
        }
        figures + &self.check_failed()
    }

    /// The token was good all the time.
    fn check_served(&mut self) -> String {
        let served = std::mem::take(&mut self.served);
        let slowest = served.iter().max().unwrap();
        assert_eq!(
            (served.len(), self.failed.len()),
            (299 * 200, 0),
            "no call has failed"
        );
        assert!(self.longest_wait < FAST, "{:?}", self.longest_wait);
        format!(
            "{} calls had a token, the slowest after {slowest:?}; ",
            served.len()
        )
    }

    /// The server was in trouble before the token ran out.
    fn check_failed(&mut self) -> String {
        let Self { failed, asked, .. } = self;
        failed.sort_unstable();
        assert!(failed.len() >= 299 * 200, "{}", failed.len());
        let slow = failed.iter().filter(|took| **took >= FAST).count();
        let (p99, slowest) = (failed.get(failed.len() * 99 / 100), failed.last());
        let (p99, slowest) = (p99.unwrap(), slowest.unwrap());
        assert!(*p99 < FAST, "{p99:?}");
        let apart = asked
            .iter()
            .zip(asked.iter().skip(1))
            .map(|(one, next)| *next - *one);
        let closest = apart.min().unwrap();
        // A request is noticed up to some steps after it was sent.
        assert!(
            closest > Duration::from_millis(950),
            "{closest:?} between two requests"
        );
        assert!(asked.len() <= 60, "{} requests in ten minutes", asked.len());
        format!(
            "{} failed, p99 {p99:?}, the slowest after {slowest:?}, {slow} after {FAST:?} or more; {} requests",
            failed.len(),
            asked.len()
        )
    }
}

/// Connections, timers and the test's steps take turns on one thread.
fn in_steps(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(test);
}

fn ways() -> [(&'static str, Vec<Answer>); 4] {
    let (says_503, hangs, closes) = (Answer::text(503, "down"), Answer::hang(), Answer::close());
    let by_turns = [&says_503, &hangs, &closes, &hangs, &says_503, &hangs].map(Clone::clone);
    [
        ("says 503", vec![says_503]),
        ("hangs", vec![hangs]),
        ("closes", vec![closes]),
        ("does each by turns", by_turns.into()),
    ]
}

/// R13
#[test]
fn an_outage_costs_no_login_a_call_while_the_token_lives_and_fails_fast_after() {
    for (name, ways) in ways() {
        in_steps(async {
            let day = Day::new().await;
            let source = login(&day).await;
            let stored = day.store.load(&key()).await.unwrap();
            let mut traffic = Traffic::new(source, &day.login.server, &day.clock);
            let figures = traffic.outage(&ways).await;
            assert_eq!(
                day.store.load(&key()).await.unwrap(),
                stored,
                "nothing is downgraded"
            );
            let recovery = traffic.recover().await;
            println!("login: the server {name}: {figures}; well again after {recovery:?}");
            assert!(recovery <= SOON, "{recovery:?}");
            day.assert_stored_login_works().await;
        });
    }
}

/// R13
#[test]
fn an_outage_costs_no_client_a_call_while_the_token_lives_and_fails_fast_after() {
    for (name, ways) in ways() {
        in_steps(async {
            let day = Day::new().await;
            let source = client_credentials(&day).await;
            let mut traffic = Traffic::new(source, &day.login.server, &day.clock);
            let figures = traffic.outage(&ways).await;
            let recovery = traffic.recover().await;
            println!("client: the server {name}: {figures}; well again after {recovery:?}");
            assert!(recovery <= SOON, "{recovery:?}");
        });
    }
}

/// R13: the request under way hangs for ever; the next one is answered.
#[test]
fn all_is_well_half_a_minute_after_a_hanging_server_is_back() {
    for since_the_request in [0, 5_000, 15_000, 25_000, 29_900].map(Duration::from_millis) {
        in_steps(async {
            let day = Day::new().await;
            let source = login(&day).await;
            let mut traffic = Traffic::new(source, &day.login.server, &day.clock);
            day.login.server.always(Answer::hang());
            traffic.run(seconds(301)).await;
            traffic.run_to_the_next_request().await;
            traffic.run(since_the_request).await;
            let recovery = traffic.recover().await;
            println!("login, back {since_the_request:?} after a request: well again after {recovery:?}");
            assert!(recovery <= SOON, "{recovery:?}");
            day.assert_stored_login_works().await;
        });
    }
}

/// A stored login, refreshed as it is done in earnest.
async fn login(day: &Day) -> CachedTokenSource<RefreshTokenSource> {
    let clock: Arc<dyn Clock> = Arc::new(day.clock.clone());
    let endpoint = day
        .login
        .endpoint()
        .with_retry(RetryPolicy::tokens())
        .with_clock(Arc::clone(&clock));
    let source = RefreshTokenSource::new(endpoint, day.store.clone(), key());
    let source = CachedTokenSource::with(source, RefreshPolicy::default(), clock);
    source.token().await.unwrap();
    source
}

/// Client credentials, without a store.
struct OfClient(TokenEndpoint);

#[async_trait]
impl TokenSource for OfClient {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        Ok(self.0.request(&grant()).await?.access_token)
    }
}

async fn client_credentials(day: &Day) -> CachedTokenSource<OfClient> {
    let clock: Arc<dyn Clock> = Arc::new(day.clock.clone());
    let endpoint = TokenEndpoint::new(http(), url(&day.login.server.token_url()), client())
        .with_auth_style(AuthStyle::Basic)
        .with_clock(Arc::clone(&clock));
    let source = CachedTokenSource::with(OfClient(endpoint), RefreshPolicy::default(), clock);
    source.token().await.unwrap();
    source
}
