use crate::verdict::unavailable;
use gatepass_core::TokenError;
use gatepass_http::RetryPolicy;
use std::time::Duration;

/// How often, and for how long, a server is asked.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    pub(crate) retry: RetryPolicy,
    /// The time for all attempts together, and their pauses.
    pub(crate) timeout: Duration,
    /// The least time for one of them, where there is that much.
    attempt: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::tokens(),
            timeout: Duration::from_secs(30),
            attempt: Duration::from_secs(10),
        }
    }
}

impl Patience {
    /// One attempt and no more, in the same time.
    pub(crate) fn without_retries(mut self) -> Self {
        self.retry.retries = 0;
        self
    }

    /// Each attempt may take all the time, for what can be used once: the server may have taken it already, and
    /// asking again while the first request is under way could end the login.
    pub(crate) const fn with_whole_attempts(mut self) -> Self {
        self.attempt = Duration::MAX;
        self
    }

    /// Asks `host` a single time, and waits as long as for all attempts.
    pub(crate) async fn once<T: Send>(
        &self,
        host: &str,
        asking: impl Future<Output = Result<T, TokenError>> + Send,
    ) -> Result<T, TokenError> {
        within(self.timeout, host, asking).await
    }

    /// Asks `host` for `what` until there is an answer.
    pub(crate) async fn run<T: Send, F>(
        &self,
        what: &str,
        host: &str,
        mut attempt: impl FnMut() -> F + Send,
    ) -> Result<T, TokenError>
    where
        F: Future<Output = Result<T, TokenError>> + Send,
    {
        let mut policy = self.retry.clone();
        // No pause that the time wouldn't suffice for: the real error is told instead of "no answer".
        policy.deadline = policy.deadline.min(self.timeout);
        let attempts = policy.run(what, TokenError::advice, || {
            within(self.attempt_timeout(), host, attempt())
        });
        within(self.timeout, host, attempts).await
    }

    /// A third of the time, but not less than 10 s where there are that many: one request that hangs leaves room
    /// for another.
    fn attempt_timeout(&self) -> Duration {
        (self.timeout / 3).max(self.attempt).min(self.timeout)
    }
}

async fn within<T: Send>(
    time: Duration,
    host: &str,
    asking: impl Future<Output = Result<T, TokenError>> + Send,
) -> Result<T, TokenError> {
    tokio::time::timeout(time, asking)
        .await
        .unwrap_or_else(|_| Err(unavailable(host, format!("no answer within {time:?}"), None)))
}
