use crate::lock;
use gatepass_core::{Clock, Moment};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A clock that stands still until it is turned. Clones share their time.
///
/// ```
/// use gatepass_core::{CachedTokenSource, RefreshPolicy};
/// use gatepass_testkit::{ManualClock, ScriptedTokenSource};
/// use std::{sync::Arc, time::Duration};
///
/// let clock = ManualClock::new();
/// let source = CachedTokenSource::with(
///     ScriptedTokenSource::new(),
///     RefreshPolicy::default(),
///     Arc::new(clock.clone()),
/// );
/// clock.advance(Duration::from_secs(3600));
/// # drop(source);
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Moment>>);

/// 2026-01-01 00:00:00 UTC.
const START: Duration = Duration::from_secs(1_767_225_600);
/// The machine has been running for a day.
const UPTIME: Duration = Duration::from_secs(86_400);

impl ManualClock {
    /// A clock that shows the beginning of 2026, UTC.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Moment::new(START, UPTIME))))
    }

    /// Time passes.
    pub fn advance(&self, by: Duration) {
        let mut now = lock(&self.0);
        *now = now.after(by);
    }

    /// The machine sleeps: the wall clock goes on, the monotonic clock stands still.
    pub fn suspend(&self, by: Duration) {
        let mut now = lock(&self.0);
        now.wall = now.wall.saturating_add(by);
    }

    /// Somebody sets the wall clock forward, or back for a negative number; the monotonic clock doesn't notice.
    pub fn jump_wall(&self, seconds: i64) {
        let by = Duration::from_secs(seconds.unsigned_abs());
        let mut now = lock(&self.0);
        now.wall = if seconds < 0 {
            now.wall.saturating_sub(by)
        } else {
            now.wall.saturating_add(by)
        };
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        *lock(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_clock_moves_as_it_does_in_a_laptop() {
        let clock = ManualClock::new();
        let same = clock.clone();
        clock.advance(Duration::from_secs(10));
        clock.suspend(Duration::from_secs(100));
        clock.jump_wall(-5);
        clock.jump_wall(1);
        let expected = Moment::new(START + Duration::from_secs(106), UPTIME + Duration::from_secs(10));
        assert_eq!(same.now(), expected);
    }
}
