use crate::lock;
use gatepass_core::{AccessToken, TokenError, TokenSource, async_trait};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A token source that does what it is told, for tests of what is stacked on one.
///
/// Without a script it hands out `at-1`, `at-2`, … Clones share everything, so keep one to look at.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), gatepass_core::TokenError> {
/// use gatepass_core::{CachedTokenSource, TokenSource};
/// use gatepass_testkit::ScriptedTokenSource;
///
/// let inner = ScriptedTokenSource::new();
/// let cached = CachedTokenSource::new(inner.clone());
/// cached.token().await?;
/// cached.token().await?;
/// assert_eq!(inner.calls(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ScriptedTokenSource(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    script: VecDeque<Result<AccessToken, TokenError>>,
    lifetime: Duration,
    delay: Duration,
    calls: usize,
    rejected: Vec<AccessToken>,
}

impl ScriptedTokenSource {
    /// A source without a script; its tokens live for an hour.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            script: VecDeque::new(),
            lifetime: Duration::from_secs(3600),
            delay: Duration::ZERO,
            calls: 0,
            rejected: Vec::new(),
        })))
    }

    /// Gives this result to the next call; called again, to the one after that.
    pub fn push(&self, result: Result<AccessToken, TokenError>) {
        lock(&self.0).script.push_back(result);
    }

    /// Sets how long its own tokens live; those of the script say so themselves.
    pub fn set_lifetime(&self, lifetime: Duration) {
        lock(&self.0).lifetime = lifetime;
    }

    /// Waits this long in each call.
    pub fn set_delay(&self, delay: Duration) {
        lock(&self.0).delay = delay;
    }

    /// How often it was asked.
    #[must_use]
    pub fn calls(&self) -> usize {
        lock(&self.0).calls
    }

    /// The tokens that were [rejected](TokenSource::reject), in order.
    #[must_use]
    pub fn rejected(&self) -> Vec<AccessToken> {
        lock(&self.0).rejected.clone()
    }
}

impl Default for ScriptedTokenSource {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl TokenSource for ScriptedTokenSource {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        let (result, delay) = lock(&self.0).next();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        result
    }

    fn reject(&self, token: &AccessToken) {
        lock(&self.0).rejected.push(token.clone());
    }
}

impl State {
    fn next(&mut self) -> (Result<AccessToken, TokenError>, Duration) {
        self.calls += 1;
        let result = self.script.pop_front().unwrap_or_else(|| {
            let token = AccessToken::bearer(format!("at-{}", self.calls))?;
            Ok(token.with_lifetime(self.lifetime))
        });
        (result, self.delay)
    }
}
