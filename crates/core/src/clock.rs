use std::fmt;
use std::time::{Duration, SystemTime};

/// Tells the time, on both clocks at once.
///
/// Expiry is judged on the wall clock *and* on the monotonic clock, and the earlier one wins: the wall clock
/// jumps when somebody sets it, the monotonic clock stands still while a laptop sleeps.
///
/// Implementations must be cheap: the cache reads the clock on every call.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Reads both clocks.
    fn now(&self) -> Moment;
}

/// One reading of both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moment {
    /// Time since the Unix epoch, as the wall clock says.
    pub wall: Duration,
    /// Time since an arbitrary start, as the monotonic clock says.
    pub monotonic: Duration,
}

impl Moment {
    /// A moment at `wall` (time since the Unix epoch) and `monotonic` (time since any fixed start).
    #[must_use]
    pub const fn new(wall: Duration, monotonic: Duration) -> Self {
        Self { wall, monotonic }
    }

    /// The wall clock's reading.
    #[must_use]
    pub fn wall_time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
            .checked_add(self.wall)
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// The moment `later` from now on both clocks; far ahead where that can't be said.
    #[must_use]
    pub const fn after(&self, later: Duration) -> Self {
        Self {
            wall: self.wall.saturating_add(later),
            monotonic: self.monotonic.saturating_add(later),
        }
    }

    /// Whether both clocks stand before `deadline`: as soon as one has reached it, it has passed.
    #[inline]
    #[must_use]
    pub fn is_before(&self, deadline: &Self) -> bool {
        self.wall < deadline.wall && self.monotonic < deadline.monotonic
    }
}

/// The machine's clocks.
///
/// On Linux these are the coarse clocks, which step every 1 to 10 ms and cost a tenth of the fine ones.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no fields and won't get any")]
pub struct SystemClock;

impl Clock for SystemClock {
    #[inline]
    fn now(&self) -> Moment {
        platform::now()
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use super::{Duration, Moment};
    use rustix::time::{ClockId, Timespec, clock_gettime};

    #[inline]
    pub(super) fn now() -> Moment {
        Moment {
            wall: duration(clock_gettime(ClockId::RealtimeCoarse)),
            monotonic: duration(clock_gettime(ClockId::MonotonicCoarse)),
        }
    }

    /// The kernel promises nanoseconds below one second; a wall clock before 1970 reads as 1970.
    #[inline]
    fn duration(time: Timespec) -> Duration {
        Duration::new(
            u64::try_from(time.tv_sec).unwrap_or(0),
            u32::try_from(time.tv_nsec).unwrap_or(0),
        )
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use super::{Duration, Moment, SystemTime};
    use std::sync::OnceLock;
    use std::time::Instant;

    static START: OnceLock<Instant> = OnceLock::new();

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everybody else takes the time from"
    )]
    pub(super) fn now() -> Moment {
        Moment {
            wall: SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default(),
            monotonic: START.get_or_init(Instant::now).elapsed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_has_passed_as_soon_as_one_clock_reached_it() {
        let second = Duration::from_secs;
        let deadline = Moment::new(second(100), second(10));
        assert!(Moment::new(second(99), second(9)).is_before(&deadline));
        assert!(
            !Moment::new(second(100), second(0)).is_before(&deadline),
            "the wall clock jumped ahead"
        );
        assert!(
            !Moment::new(second(0), second(10)).is_before(&deadline),
            "the wall clock was set back"
        );
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "compares our clock with the standard library's"
    )]
    fn the_system_clock_agrees_with_the_standard_library() {
        let ours = SystemClock.now();
        let theirs = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert!(theirs.abs_diff(ours.wall) < Duration::from_secs(1));
        std::thread::sleep(Duration::from_millis(30));
        let later = SystemClock.now();
        assert!(later.monotonic > ours.monotonic && later.wall_time() > ours.wall_time());
    }
}
