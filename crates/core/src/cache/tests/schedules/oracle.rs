use crate::clock::Moment;
use crate::error::TokenError;
use crate::token::AccessToken;
use std::time::Duration;

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// What the cache promises, in the simplest words: no lock, no task, no atomics.
pub(super) struct Oracle {
    began: Moment,
    in_hand: Option<Held>,
    /// How many tokens had been forgotten when the refresh under way was decided on.
    forgotten_before: usize,
    /// When its request began.
    request: Option<Moment>,
    /// How many refreshes have ended.
    pub(super) ended: usize,
    failures: u32,
    /// These three on the monotonic clock.
    quiet_until: Duration,
    /// Since when the trouble counts as slow, if it does, and until when as recent.
    slow_from: Option<Duration>,
    recent_until: Duration,
    /// Whether a refresh is under way.
    in_flight: bool,
    /// How many refreshes have failed.
    pub(super) failed: usize,
    forgotten: Vec<(AccessToken, Duration)>,
}

struct Held {
    token: AccessToken,
    advisory: Option<Moment>,
    mandatory: Option<Moment>,
    expiry: Option<Moment>,
}

/// Whether one of the clocks has come so far; never, without a moment.
fn reached(now: Moment, moment: Option<Moment>) -> bool {
    moment.is_some_and(|moment| now.wall >= moment.wall || now.monotonic >= moment.monotonic)
}

impl Oracle {
    pub(super) const fn new(now: Moment) -> Self {
        Self {
            began: now,
            in_hand: None,
            forgotten_before: 0,
            request: None,
            ended: 0,
            failures: 0,
            quiet_until: Duration::ZERO,
            slow_from: None,
            recent_until: Duration::ZERO,
            in_flight: false,
            failed: 0,
            forgotten: Vec::new(),
        }
    }

    /// A refresh has been decided on, and must have had a reason.
    pub(super) fn take_off(&mut self, now: Moment) {
        let due = self
            .in_hand
            .as_ref()
            .is_none_or(|held| reached(now, held.advisory));
        assert!(due && now.monotonic >= self.quiet_until, "a refresh for nothing");
        self.forgotten_before = self.forgotten.len();
        self.in_flight = true;
        if now.monotonic < self.recent_until {
            self.slow_from = self.slow_from.or(Some(now.monotonic + seconds(1)));
            self.recent_until = now.monotonic + seconds(120);
        } else {
            self.slow_from = None;
        }
    }

    pub(super) fn begin(&mut self, now: Moment) {
        self.request = Some(now);
    }

    pub(super) fn land(&mut self, outcome: &Result<AccessToken, TokenError>, now: Moment) {
        let began = self.request.take().expect("a request under way");
        self.ended += 1;
        self.in_flight = false;
        match outcome {
            // Who asked before the refusal can't have known of it.
            Ok(token)
                if self.forgotten.last().is_some_and(|(last, _)| last == token)
                    && self.forgotten.len() > self.forgotten_before => {}
            Ok(token) => {
                self.in_hand = Some(Held::new(token.clone(), began, now));
                self.calm();
            }
            Err(error) => {
                let pause = seconds(10 << self.failures.min(3)).min(seconds(20));
                let asked = match error {
                    TokenError::Unavailable { retry_after, .. } => retry_after.unwrap_or_default(),
                    _ => Duration::ZERO,
                };
                let took = now.monotonic - began.monotonic;
                let slow = took >= seconds(1);
                let from = if slow { began } else { now };
                self.quiet_until = (from.monotonic + pause).max(now.monotonic + asked);
                self.slow_from = slow.then_some(now.monotonic);
                self.recent_until = self.quiet_until.max(now.monotonic) + seconds(5);
                self.failures += 1;
                self.failed += 1;
            }
        }
    }

    /// Somebody refused `token`; `forgotten` says whether the cache did forget it.
    pub(super) fn refuse(&mut self, token: &AccessToken, forgotten: bool, now: Moment) {
        let mine = self.in_hand.as_ref().is_some_and(|held| held.token == *token);
        if forgotten {
            assert!(mine, "a token that wasn't in hand was taken away");
            self.forgotten.push((token.clone(), now.monotonic));
            self.in_hand = None;
            self.calm();
        } else if mine {
            let last = self.forgotten.last().expect("refusals count, at first").1;
            assert!(self.forgotten.len() >= 5 && now.monotonic - last < seconds(1));
        }
        let elapsed = (now.monotonic - self.began.monotonic).as_secs();
        assert!(
            self.forgotten.len() as u64 <= 5 + elapsed,
            "more than five in a row and one a second"
        );
    }

    fn calm(&mut self) {
        self.failures = 0;
        self.quiet_until = Duration::ZERO;
        self.recent_until = Duration::ZERO;
    }

    /// A token that is handed out is the one in hand, and good.
    pub(super) fn check_token(&self, token: &AccessToken, now: Moment) {
        let held = self.in_hand.as_ref().expect("there is none to hand out");
        assert_eq!(held.token, *token, "not the one in hand");
        assert!(!reached(now, held.expiry), "it has expired");
    }

    pub(super) fn check_not_refused(&self, token: &AccessToken) {
        let refused = self.forgotten.last().is_some_and(|(last, _)| last == token);
        let again = self.in_hand.as_ref().is_some_and(|held| held.token == *token);
        assert!(!refused || again, "it was refused");
    }

    /// An error comes from a failure, and only where there is no token that could be handed out. One that nobody waited
    /// for is remembered, or stands for the refresh under way. `failed_before` counts the failures until the caller
    /// came.
    pub(super) fn check_error(&self, failed_before: usize, now: Moment) {
        let waited = self.failed > failed_before;
        let remembered = self.failures > 0 && now.monotonic < self.quiet_until;
        assert!(waited || remembered || self.tells(now), "it should have waited");
        assert!(!self.must_serve(now), "an error although there is a token");
    }

    /// Whether nobody who comes now has to wait for the refresh under way.
    pub(super) fn tells(&self, now: Moment) -> bool {
        self.in_flight && self.is_open(now)
    }

    fn is_open(&self, now: Moment) -> bool {
        now.monotonic < self.recent_until && self.slow_from.is_some_and(|from| now.monotonic >= from)
    }

    /// Whether the token in hand has to be given to who asks.
    pub(super) fn must_serve(&self, now: Moment) -> bool {
        self.in_hand.as_ref().is_some_and(|held| {
            let late = now.monotonic < self.quiet_until || self.is_open(now);
            !reached(now, if late { held.expiry } else { held.mandatory })
        })
    }
}

impl Held {
    fn new(token: AccessToken, began: Moment, now: Moment) -> Self {
        let Some(lifetime) = token.lifetime() else {
            return Self {
                token,
                advisory: None,
                mandatory: None,
                expiry: None,
            };
        };
        let left = (began.wall + lifetime).saturating_sub(now.wall).min(lifetime);
        let (left, advisory, mandatory) = if left.is_zero() {
            (seconds(30), Duration::ZERO, Duration::ZERO)
        } else {
            (left, seconds(240).min(left / 2), seconds(60).min(left / 4))
        };
        Self {
            token,
            advisory: Some(now.after(left - advisory)),
            mandatory: Some(now.after(left - mandatory)),
            expiry: Some(now.after(left)),
        }
    }
}
