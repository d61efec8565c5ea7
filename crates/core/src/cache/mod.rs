//! The token cache: any source, asked as rarely as possible.

mod breaker;
mod flight;
mod policy;
#[cfg(test)]
mod tests;

pub use policy::RefreshPolicy;

use crate::clock::{Clock, Moment, SystemClock};
use crate::copies::Copies;
use crate::error::TokenError;
use crate::source::TokenSource;
use crate::token::{AccessToken, TokenRef};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use breaker::Breaker;
use flight::{Flight, Landing};
use policy::{Allowance, Windows};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tracing::Instrument;

/// Keeps the token of another source, and renews it before anyone has to wait.
///
/// * **Two windows.** Near its end a token is still handed out at once, while one refresh runs in the
///   background; nearer still, callers wait for that refresh. See [`RefreshPolicy`].
/// * **Single flight.** However many callers, there is one request; they share its token, or its error.
/// * **Nothing is taken away.** When a refresh fails, a token that is still valid stays in use. A failure is
///   remembered for a short, growing time, in which nobody asks again.
/// * **A server that hangs keeps one caller waiting.** After a failure that took a second or longer and may pass, only
///   who begins the next refresh waits for it; all others get the token in hand, to its very end, or else that
///   failure, at once. After a quicker failure they do once the next refresh has taken a second. A refresh that
///   begins 5 s or more after the pause, since nobody asked before, is waited for by all, as the first one is.
/// * **A dropped caller cancels nothing.** A refresh runs in a task of its own.
/// * **[`reject`](TokenSource::reject) compares.** Only the token in hand can be taken away, and a refresh that
///   began before can't bring it back. Refusals lead to at most one new token a second (five in a row), so that
///   a server which refuses everything doesn't make us hammer the authorization server.
/// * **Two clocks.** See [`Clock`].
///
/// [`current`](TokenSource::current) takes no lock and allocates nothing, but for the first look of another thread at a new token: up to
/// eight threads have a copy each, so that none waits for another to clone it. Asking needs a tokio runtime: a refresh runs
/// on that of the caller who began it, and all wait for it there, so it must be one that keeps running. Clones share
/// everything.
pub struct CachedTokenSource<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    source: S,
    clock: Arc<dyn Clock>,
    policy: RefreshPolicy,
    in_hand: ArcSwap<InHand>,
    breaker: Breaker,
    /// Whether `State::flight` is there, for those who hold no lock.
    refreshing: AtomicBool,
    state: Mutex<State>,
}

/// Never locked across an `await`.
#[derive(Default)]
struct State {
    flight: Option<Flight>,
    failures: u32,
    last_error: Option<TokenError>,
    /// Grows with each token that is taken away.
    generation: u64,
    refused: Option<AccessToken>,
    refusals: Allowance,
}

/// A token and its windows.
#[derive(Debug)]
pub(crate) struct InHand {
    token: Copies,
    windows: Windows,
}

/// What a caller without a token does next.
enum Turn {
    Take(AccessToken),
    Wait(Flight),
    Fail(TokenError),
}

impl<S: TokenSource + 'static> CachedTokenSource<S> {
    /// Caches the tokens of `source`. Asks for nothing yet.
    pub fn new(source: S) -> Self {
        Self::with(source, RefreshPolicy::default(), Arc::new(SystemClock))
    }

    /// Caches with other windows, or by another clock.
    pub fn with(source: S, policy: RefreshPolicy, clock: Arc<dyn Clock>) -> Self {
        Self {
            shared: Arc::new(Shared {
                source,
                clock,
                policy,
                in_hand: ArcSwap::from_pointee(InHand::nothing()),
                breaker: Breaker::closed(),
                refreshing: AtomicBool::new(false),
                state: Mutex::default(),
            }),
        }
    }

    async fn fetch(&self) -> Result<AccessToken, TokenError> {
        // Once is the rule; again when the refresh that we joined brought back a refused token, or was torn
        // down with its runtime, or its token was refused or ran out before we were woken.
        let mut last = None;
        for _ in 0..3 {
            if let Some(token) = self.current() {
                return Ok(token.clone());
            }
            let flight = match self.shared.next_turn() {
                Turn::Take(token) => return Ok(token),
                Turn::Wait(flight) => flight,
                Turn::Fail(error) => return Err(error),
            };
            match flight.outcome().await {
                Some(Err(error)) => return self.shared.unexpired().ok_or(error),
                Some(Ok(token)) => last = Some(token),
                None => {}
            }
        }
        // One that has just run out may do; one that was refused doesn't.
        let last = last.filter(|token| self.shared.state().refused.as_ref() != Some(token));
        let newest = self.current().map(|token| token.clone()).or(last);
        newest.ok_or(TokenError::Interrupted {
            what: "three refreshes in a row brought none",
        })
    }
}

#[async_trait]
impl<S: TokenSource + 'static> TokenSource for CachedTokenSource<S> {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        self.fetch().await
    }

    /// As the trait says; within the advisory window it also starts the one background refresh.
    #[inline]
    fn current(&self) -> Option<TokenRef<'_>> {
        let now = self.shared.clock.now();
        let in_hand = self.shared.in_hand.load();
        if now.is_before(&in_hand.windows.advisory) || self.shared.may_serve_late(&in_hand, now) {
            return Some(TokenRef::new(in_hand));
        }
        None
    }

    fn reject(&self, token: &AccessToken) {
        if self.shared.take_away(token) {
            self.shared.source.reject(token);
        }
    }
}

impl<S: TokenSource + 'static> Shared<S> {
    /// Whether a token past its first window may still be handed out at once.
    #[cold]
    fn may_serve_late(self: &Arc<Self>, in_hand: &InHand, now: Moment) -> bool {
        if !now.is_before(&in_hand.windows.expiry) {
            return false;
        }
        if self.breaker.is_quiet(now) {
            return true;
        }
        if !now.is_before(&in_hand.windows.mandatory) && !self.breaker.is_open(now) {
            return false;
        }
        if !self.refreshing.load(Ordering::Acquire) {
            self.refresh(now);
        }
        true
    }

    /// Begins a refresh that nobody waits for, unless one is under way, or has ended since the clock was read.
    fn refresh(self: &Arc<Self>, now: Moment) {
        let state = self.state();
        let is_fresh = now.is_before(&self.in_hand.load().windows.advisory);
        if state.flight.is_none() && !is_fresh && !self.breaker.is_quiet(now) {
            _ = self.take_off(state, now);
        }
    }

    /// The token in hand, to its very end.
    fn unexpired(&self) -> Option<AccessToken> {
        let in_hand = self.in_hand.load();
        let good = self.clock.now().is_before(&in_hand.windows.expiry);
        good.then(|| in_hand.token().clone())
    }

    /// Joins the refresh under way, or begins one; unless a token has come, or the last failure tells enough.
    fn next_turn(self: &Arc<Self>) -> Turn {
        let state = self.state();
        let now = self.clock.now();
        let in_hand = self.in_hand.load();
        let (quiet, open) = (self.breaker.is_quiet(now), self.breaker.is_open(now));
        let deadline = if quiet || open {
            &in_hand.windows.expiry
        } else {
            &in_hand.windows.mandatory
        };
        if now.is_before(deadline) {
            return Turn::Take(in_hand.token().clone());
        }
        match (&state.flight, &state.last_error) {
            (None, Some(error)) if quiet => Turn::Fail(error.clone()),
            (Some(_), Some(error)) if open => Turn::Fail(error.clone()),
            (Some(flight), _) => Turn::Wait(flight.clone()),
            (None, _) => self.take_off(state, now),
        }
    }

    fn take_off(self: &Arc<Self>, mut state: MutexGuard<'_, State>, now: Moment) -> Turn {
        let Ok(runtime) = Handle::try_current() else {
            return Turn::Fail(TokenError::Interrupted {
                what: "no tokio runtime is running",
            });
        };
        let (landing, flight) = flight::take_off(state.generation);
        state.flight = Some(flight.clone());
        self.refreshing.store(true, Ordering::Release);
        self.breaker.begin(now);
        // A runtime that has shut down drops the refresh at once, and that takes the lock.
        drop(state);
        let refresh = Refresh {
            shared: Arc::clone(self),
            landing,
        };
        runtime.spawn(refresh.run().instrument(tracing::debug_span!("token refresh")));
        Turn::Wait(flight)
    }

    fn land(&self, landing: &Landing, outcome: Result<AccessToken, TokenError>, started: Moment) {
        let now = self.clock.now();
        let mut state = self.state();
        state.flight = None;
        self.refreshing.store(false, Ordering::Release);
        let outcome = outcome.map(|token| InHand::new(token, started, now, &self.policy));
        match &outcome {
            Ok(fresh)
                if landing.generation != state.generation
                    && state.refused.as_ref() == Some(fresh.token.first()) =>
            {
                tracing::debug!("the refresh brought back a token that was refused since; asking again");
                return;
            }
            Ok(fresh) => {
                tracing::debug!(lifetime = ?fresh.token.first().lifetime(), "a new token");
                self.settle(&mut state);
            }
            Err(error) => self.remember(&mut state, error.clone(), started, now),
        }
        landing.land(outcome.map(|fresh| {
            let token = fresh.token().clone();
            self.in_hand.store(Arc::new(fresh));
            token
        }));
    }

    fn settle(&self, state: &mut State) {
        state.failures = 0;
        state.last_error = None;
        self.breaker.close();
    }

    fn remember(&self, state: &mut State, error: TokenError, began: Moment, now: Moment) {
        let took = now.monotonic.saturating_sub(began.monotonic);
        let pause = self.policy.pause(state.failures, &error, took);
        tracing::warn!(%error, ?pause, "no token; asking again after the pause");
        state.failures = state.failures.saturating_add(1);
        self.breaker.fail(&error, took, pause, now);
        state.last_error = Some(error);
    }

    /// Forgets `token` if it is in hand; tells whether it did.
    fn take_away(&self, token: &AccessToken) -> bool {
        let mut state = self.state();
        if self.in_hand.load().token.first() != token {
            return false;
        }
        if !state.refusals.take(self.clock.now().monotonic) {
            tracing::warn!("a fresh token was refused again and again; keeping this one for now");
            return false;
        }
        state.generation += 1;
        state.refused = Some(token.clone());
        self.in_hand.store(Arc::new(InHand::nothing()));
        self.settle(&mut state);
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One refresh: owns what it needs, so that nobody's leaving can stop it.
struct Refresh<S: TokenSource + 'static> {
    shared: Arc<Shared<S>>,
    landing: Landing,
}

impl<S: TokenSource + 'static> Refresh<S> {
    async fn run(self) {
        let started = self.shared.clock.now();
        let outcome = self.shared.source.token().await;
        self.shared.land(&self.landing, outcome, started);
    }
}

/// Leaves no trace of a refresh that was torn down with its runtime; a panic counts as a failure.
impl<S: TokenSource + 'static> Drop for Refresh<S> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if !state
            .flight
            .as_ref()
            .is_some_and(|flight| self.landing.is_of(flight))
        {
            return;
        }
        state.flight = None;
        self.shared.refreshing.store(false, Ordering::Release);
        if std::thread::panicking() {
            let error = TokenError::Interrupted {
                what: "the token source panicked",
            };
            let now = self.shared.clock.now();
            self.shared.remember(&mut state, error.clone(), now, now);
            self.landing.land(Err(error));
        }
    }
}

impl InHand {
    /// Stands for "no token": all its windows have passed, and no token equals it.
    fn nothing() -> Self {
        Self {
            token: Copies::only(AccessToken::none()),
            windows: Windows::passed(),
        }
    }

    /// A token that nobody takes away.
    pub(crate) fn forever(token: AccessToken) -> Self {
        Self {
            token: Copies::of(token),
            windows: Windows::never(),
        }
    }

    /// A token that is looked at once.
    pub(crate) const fn once(token: AccessToken) -> Self {
        Self {
            token: Copies::only(token),
            windows: Windows::never(),
        }
    }

    #[inline]
    pub(crate) fn token(&self) -> &AccessToken {
        self.token.mine()
    }

    fn new(token: AccessToken, started: Moment, now: Moment, policy: &RefreshPolicy) -> Self {
        let token = match (token.expires_at(), token.lifetime()) {
            (None, Some(lifetime)) => token.with_expires_at(started.after(lifetime).wall_time()),
            _ => token,
        };
        let windows = policy.windows(&token, now);
        Self {
            token: Copies::of(token),
            windows,
        }
    }
}

impl<S> Clone for CachedTokenSource<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S> fmt::Debug for CachedTokenSource<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedTokenSource")
            .field("in_hand", self.shared.in_hand.load().token.first())
            .field("policy", &self.shared.policy)
            .finish_non_exhaustive()
    }
}
