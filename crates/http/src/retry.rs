use backon::{BackoffBuilder, ExponentialBuilder};
use gatepass_core::Advice;
use std::time::Duration;
use tokio::time::Instant;

/// How often, and how patiently, a transient failure is tried again.
///
/// The pause doubles each time and is up to a quarter longer by chance. A server that asks for a longer pause
/// gets it; one that asks for more than `longest_wait` gets no further request, and the caller sees the error
/// with that pause at once.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How often a failed attempt is tried again.
    pub retries: usize,
    /// The pause before the first retry.
    pub first_pause: Duration,
    /// The longest pause that a server can ask for.
    pub longest_wait: Duration,
    /// No retry begins later than this after the first attempt.
    pub deadline: Duration,
}

impl RetryPolicy {
    /// For tokens: three retries, after 1, 2 and 4 s; at most 60 s in all.
    #[must_use]
    pub const fn tokens() -> Self {
        Self {
            retries: 3,
            first_pause: Duration::from_secs(1),
            longest_wait: Duration::from_secs(30),
            deadline: Duration::from_secs(60),
        }
    }

    /// For models: two retries, after 0.5 and 1 s; at most 2 min in all.
    #[must_use]
    pub const fn models() -> Self {
        Self {
            retries: 2,
            first_pause: Duration::from_millis(500),
            longest_wait: Duration::from_secs(60),
            deadline: Duration::from_secs(120),
        }
    }

    /// One attempt and no more.
    #[must_use]
    pub const fn never() -> Self {
        Self {
            retries: 0,
            ..Self::tokens()
        }
    }

    /// Sets how often a failed attempt is tried again.
    #[must_use]
    pub const fn with_retries(mut self, retries: usize) -> Self {
        self.retries = retries;
        self
    }

    /// Sets the pause before the first retry.
    #[must_use]
    pub const fn with_first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause;
        self
    }

    /// Runs `attempt` until it succeeds, fails for good by its [`Advice`], or the policy is exhausted.
    ///
    /// Each retry is logged with `what`, the attempt and the pause.
    ///
    /// # Errors
    /// That of the last attempt.
    pub async fn run<T, E, F>(
        &self,
        what: &str,
        advice: impl Fn(&E) -> Advice + Send + Sync,
        mut attempt: impl FnMut() -> F + Send,
    ) -> Result<T, E>
    where
        T: Send,
        E: std::fmt::Display + Send,
        F: Future<Output = Result<T, E>> + Send,
    {
        let began = Instant::now();
        // A box, and nothing else beside it, so that the future of what succeeds at once is small.
        let again = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => Box::pin(self.run_again(what, advice, attempt, error, began)),
        };
        again.await
    }

    async fn run_again<T, E, F>(
        &self,
        what: &str,
        advice: impl Fn(&E) -> Advice + Send + Sync,
        mut attempt: impl FnMut() -> F + Send,
        mut error: E,
        began: Instant,
    ) -> Result<T, E>
    where
        T: Send,
        E: std::fmt::Display + Send,
        F: Future<Output = Result<T, E>> + Send,
    {
        for (attempts, planned) in (1..).zip(self.pauses().build()) {
            let Some(pause) = self.pause(planned, advice(&error), began.elapsed()) else {
                break;
            };
            tracing::warn!(what, attempt = attempts, ?pause, %error, "{what}: {error}; trying again in {pause:.1?}");
            tokio::time::sleep(pause).await;
            match attempt().await {
                Ok(done) => return Ok(done),
                Err(again) => error = again,
            }
        }
        Err(error)
    }

    fn pauses(&self) -> ExponentialBuilder {
        ExponentialBuilder::new()
            .with_min_delay(self.first_pause)
            .with_max_delay(self.longest_wait)
            .with_factor(2.0)
            .with_max_times(self.retries)
    }

    /// The pause to make, `None` to give up.
    fn pause(&self, planned: Duration, advice: Advice, elapsed: Duration) -> Option<Duration> {
        let Advice::Retry { after } = advice else {
            return None;
        };
        let asked = after.unwrap_or_default();
        if asked > self.longest_wait {
            return None;
        }
        let pause = planned.mul_f64(1.0 + fastrand::f64() / 4.0).max(asked);
        (elapsed.saturating_add(pause) <= self.deadline).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    const TRANSIENT: Advice = Advice::Retry { after: None };

    async fn attempts_of(policy: &RetryPolicy, advice: Advice) -> Vec<Duration> {
        let began = Instant::now();
        let times = Mutex::new(Vec::new());
        let result: Result<(), &str> = policy
            .run(
                "a test",
                |_| advice,
                || async {
                    times.lock().unwrap().push(began.elapsed());
                    Err("no")
                },
            )
            .await;
        assert!(result.is_err());
        times.into_inner().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_request_is_tried_again_after_1_2_and_4_seconds() {
        let times = attempts_of(&RetryPolicy::tokens(), TRANSIENT).await;
        assert_eq!(times.len(), 4);
        for (pair, planned) in times.windows(2).zip([1.0, 2.0, 4.0]) {
            let pause = (pair[1] - pair[0]).as_secs_f64();
            assert!(
                pause >= planned && pause <= planned * 1.25 + 0.01,
                "{pause} for {planned}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_final_failure_is_not_tried_again() {
        for advice in [Advice::Fail, Advice::FixConfig, Advice::LoginRequired] {
            assert_eq!(attempts_of(&RetryPolicy::tokens(), advice).await.len(), 1);
        }
    }

    #[test]
    fn a_pause_without_end_is_given_up_by_the_deadline_where_no_cap_is_set() {
        let policy = RetryPolicy {
            longest_wait: Duration::MAX,
            ..RetryPolicy::tokens()
        };
        let asked = Advice::Retry {
            after: Some(Duration::MAX),
        };
        let second = Duration::from_secs(1);
        assert_eq!(policy.pause(second, asked, second), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_servers_pause_is_honoured_up_to_a_cap() {
        let asked = |seconds| Advice::Retry {
            after: Some(Duration::from_secs(seconds)),
        };
        let times = attempts_of(&RetryPolicy::tokens(), asked(9)).await;
        assert!(
            times
                .windows(2)
                .all(|pair| pair[1] - pair[0] >= Duration::from_secs(9)),
            "{times:?}"
        );
        assert!(
            attempts_of(&RetryPolicy::tokens(), asked(30)).await.len() > 1,
            "the longest pause that is made"
        );
        assert_eq!(
            attempts_of(&RetryPolicy::tokens(), asked(31)).await.len(),
            1,
            "too long: the caller decides"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn no_retry_begins_after_the_deadline() {
        let asked = Advice::Retry {
            after: Some(Duration::from_secs(25)),
        };
        let times = attempts_of(&RetryPolicy::tokens(), asked).await;
        assert_eq!(times.len(), 3, "{times:?}");
    }
}
