use crate::clock::Moment;
use crate::error::{Advice, TokenError};
use crate::token::AccessToken;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

/// When a cached token is renewed, and how long a failure is remembered.
///
/// Counted back from the token's end: in the *advisory* window callers get the token at once while one refresh
/// runs in the background; in the *mandatory* window they wait for it. The advisory window takes at most half
/// of a token's lifetime and the mandatory one at most a quarter, so that a short-lived token isn't fetched on
/// each call. Each cache begins its advisory window up to an eighth earlier than the next (of a short-lived token: later), so
/// that many processes don't refresh at once.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RefreshPolicy {
    /// The advisory window: 240 s.
    pub advisory: Duration,
    /// The mandatory window: 60 s.
    pub mandatory: Duration,
    /// How long a first failure is remembered: 10 s, then twice as long each time. Longer where the server
    /// asked for it (`Retry-After`). After a refresh that took a second or longer and may succeed later, our pause
    /// counts from that one's beginning, a server's from its answer. That somebody has to log in is remembered for
    /// a second, whatever was before: a new login is noticed at once.
    pub first_pause: Duration,
    /// The longest that a failure is remembered: 20 s, so that all is well 30 s after a server's return.
    pub longest_pause: Duration,
    /// This cache's share of the spread, from 0 to 1.
    pub(super) spread: f64,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            advisory: Duration::from_secs(240),
            mandatory: Duration::from_secs(60),
            first_pause: Duration::from_secs(10),
            longest_pause: Duration::from_secs(20),
            spread: f64::from(RandomState::new().hash_one(0_u8) as u32) / f64::from(u32::MAX),
        }
    }
}

/// A token that arrives expired is handed out for this long all the same: the server's clock may be off, a
/// refusal (401) tells for sure, and asking at once would tell nothing new.
const SHORTEST_USE: Duration = Duration::from_secs(30);

/// How long it is remembered that somebody has to log in: the login may be there by now, and looking for it in a
/// store asks no server.
const LOGIN_PAUSE: Duration = Duration::from_secs(1);

/// A refresh that takes as long as this is slow: who waits for it notices.
pub(super) const SLOW: Duration = Duration::from_secs(1);

/// The longest `Retry-After` that is followed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

impl RefreshPolicy {
    /// Sets both windows.
    #[must_use]
    pub const fn with_windows(mut self, advisory: Duration, mandatory: Duration) -> Self {
        self.advisory = advisory;
        self.mandatory = mandatory;
        self
    }

    /// Sets how long failures are remembered, from the first to the longest.
    #[must_use]
    pub const fn with_pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.first_pause = first;
        self.longest_pause = longest;
        self
    }

    pub(super) fn windows(&self, token: &AccessToken, now: Moment) -> Windows {
        let Some(expires_at) = token.expires_at() else {
            return Windows::never();
        };
        let wall = expires_at
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let left = wall.saturating_sub(now.wall);
        // A source may hand out what it got a while ago; and a wall clock that was set back must not lengthen a life.
        let left = token.lifetime().map_or(left, |lifetime| lifetime.min(left));
        if left.is_zero() {
            tracing::warn!("the token arrived expired; using it for {SHORTEST_USE:?}");
            return Windows::all(now.after(SHORTEST_USE));
        }
        let (spread, half) = (self.spread / 8.0, left / 2);
        let early = self.advisory.min(half).mul_f64(1.0 + spread);
        let advisory = if early <= half {
            early
        } else {
            half.mul_f64(1.0 - spread)
        };
        let mandatory = self.mandatory.min(left / 4);
        let before_end = |margin: Duration| now.after(left.saturating_sub(margin));
        Windows {
            advisory: before_end(advisory),
            mandatory: before_end(mandatory),
            expiry: now.after(left),
        }
    }

    /// How long to remember `error`, which comes after so many other failures, and after a refresh that took so long.
    pub(super) fn pause(&self, failures: u32, error: &TokenError, took: Duration) -> Duration {
        let pause = self
            .first_pause
            .saturating_mul(1 << failures.min(10))
            .min(self.longest_pause);
        match error.advice() {
            Advice::Retry { after } => {
                let spent = if took < SLOW { Duration::ZERO } else { took };
                let asked = after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
                pause.saturating_sub(spent).max(asked)
            }
            Advice::LoginRequired => pause.min(LOGIN_PAUSE),
            _ => pause,
        }
    }
}

/// The moments at which a token's windows begin, and at which it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Windows {
    pub(super) advisory: Moment,
    pub(super) mandatory: Moment,
    pub(super) expiry: Moment,
}

impl Windows {
    pub(super) const fn passed() -> Self {
        Self::all(Moment::new(Duration::ZERO, Duration::ZERO))
    }

    pub(super) const fn never() -> Self {
        Self::all(Moment::new(Duration::MAX, Duration::MAX))
    }

    const fn all(at: Moment) -> Self {
        Self {
            advisory: at,
            mandatory: at,
            expiry: at,
        }
    }
}

/// How many refusals may still lead to a new token: five in a row, and one more each second.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u32,
    counted_at: Duration,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            left: Self::MOST,
            counted_at: Duration::ZERO,
        }
    }
}

impl Allowance {
    const MOST: u32 = 5;

    pub(super) fn take(&mut self, now: Duration) -> bool {
        let seconds = u32::try_from(now.saturating_sub(self.counted_at).as_secs()).unwrap_or(u32::MAX);
        if seconds > 0 {
            self.left = self.left.saturating_add(seconds).min(Self::MOST);
            self.counted_at = now;
        }
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }
}

/// Nanoseconds, for an atomic: enough for 580 years.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
