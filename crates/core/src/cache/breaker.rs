use super::policy::{SLOW, nanos};
use crate::clock::Moment;
use crate::error::{Advice, TokenError};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What is remembered of a failure: until when nobody asks again, and whether the next refresh is waited for.
///
/// Moments are nanoseconds on the monotonic clock. Written under the cache's lock, read without.
#[derive(Debug)]
pub(super) struct Breaker {
    /// Until then nobody asks.
    quiet_until: AtomicU64,
    /// From then on the source counts as slow.
    slow_from: AtomicU64,
    /// Until then the failure counts as recent.
    recent_until: AtomicU64,
}

/// How soon after a pause somebody asks again where there is traffic. Who comes later starts afresh.
const TRAFFIC: Duration = Duration::from_secs(5);

/// How long a refresh under way is recent: it may stand still, with the runtime that it runs on, and then somebody
/// has to wait for it.
const LONGEST_REFRESH: Duration = Duration::from_secs(120);

impl Breaker {
    pub(super) const fn closed() -> Self {
        Self {
            quiet_until: AtomicU64::new(0),
            slow_from: AtomicU64::new(u64::MAX),
            recent_until: AtomicU64::new(0),
        }
    }

    /// Whether the failure is remembered, so that nobody asks.
    pub(super) fn is_quiet(&self, now: Moment) -> bool {
        nanos(now.monotonic) < self.quiet_until.load(Ordering::Acquire)
    }

    /// Whether nobody waits for a refresh but who begins it.
    pub(super) fn is_open(&self, now: Moment) -> bool {
        let now = nanos(now.monotonic);
        self.slow_from.load(Ordering::Acquire) <= now && now < self.recent_until.load(Ordering::Acquire)
    }

    /// A refresh begins.
    pub(super) fn begin(&self, now: Moment) {
        let after = |time| nanos(now.monotonic.saturating_add(time));
        if after(Duration::ZERO) < self.recent_until.load(Ordering::Acquire) {
            self.slow_from.fetch_min(after(SLOW), Ordering::AcqRel);
            self.recent_until.store(after(LONGEST_REFRESH), Ordering::Release);
        } else {
            self.close();
        }
    }

    /// A refresh that took so long has failed, and nobody asks for the time of `pause`.
    pub(super) fn fail(&self, error: &TokenError, took: Duration, pause: Duration, now: Moment) {
        let after = |time| nanos(now.monotonic.saturating_add(time));
        let may_pass = matches!(error.advice(), Advice::Retry { .. });
        let slow_from = if took >= SLOW {
            after(Duration::ZERO)
        } else {
            u64::MAX
        };
        let recent = if may_pass {
            pause.saturating_add(TRAFFIC)
        } else {
            Duration::ZERO
        };
        self.quiet_until.store(after(pause), Ordering::Release);
        self.slow_from.store(slow_from, Ordering::Release);
        self.recent_until.store(after(recent), Ordering::Release);
    }

    /// Nothing is remembered.
    pub(super) fn close(&self) {
        self.quiet_until.store(0, Ordering::Release);
        self.slow_from.store(u64::MAX, Ordering::Release);
        self.recent_until.store(0, Ordering::Release);
    }
}
