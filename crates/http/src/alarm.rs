use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Ends what takes too long: one timer for all that an exchange waits for, one after the other.
///
/// To set a timer takes a lock that all tasks of a runtime share. So it is set once, for the earliest moment at which any
/// of the waits could end, and when it rings it is set again if the wait that is on may take longer.
pub(crate) struct Alarm {
    timer: Pin<Box<Sleep>>,
    deadline: Instant,
}

impl Alarm {
    /// Ends a wait that begins now after `patience`. Another one, later, will have at least `least`.
    pub(crate) fn new(patience: Duration, least: Duration) -> Self {
        let now = Instant::now();
        Self {
            timer: Box::pin(sleep_until(after(now, patience.min(least)))),
            deadline: after(now, patience),
        }
    }

    /// Ends the next wait at `deadline`.
    pub(crate) fn set(&mut self, deadline: Instant) {
        self.deadline = deadline;
        if deadline < self.timer.deadline() {
            self.timer.as_mut().reset(deadline);
        }
    }

    /// Waits for the deadline.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if self.timer.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.deadline);
        }
    }
}

/// A moment; one that no clock can tell is so far ahead that it never comes.
pub(crate) fn after(moment: Instant, patience: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 86_400);
    moment.checked_add(patience).unwrap_or_else(|| moment + NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    const SECOND: Duration = Duration::from_secs(1);

    async fn rings_after(alarm: &mut Alarm) -> u64 {
        let began = Instant::now();
        poll_fn(|cx| alarm.poll(cx)).await;
        began.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_may_take_longer_than_a_later_one_is_not_cut_short() {
        let mut alarm = Alarm::new(600 * SECOND, 120 * SECOND);
        assert_eq!(rings_after(&mut alarm).await, 600);
    }

    #[tokio::test(start_paused = true)]
    async fn each_wait_has_its_own_time_whatever_the_timer_was_set_for() {
        let mut alarm = Alarm::new(600 * SECOND, 120 * SECOND);
        for (passed, patience) in [(0, 120), (100, 120), (119, 1), (500, 120), (1, 60)] {
            tokio::time::sleep(passed * SECOND).await;
            alarm.set(Instant::now() + patience * SECOND);
            assert_eq!(
                rings_after(&mut alarm).await,
                u64::from(patience),
                "after {passed} s"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn patience_without_end_is_no_error() {
        let mut alarm = Alarm::new(Duration::MAX, SECOND);
        let waited = tokio::time::timeout(86_400 * SECOND, rings_after(&mut alarm)).await;
        assert!(waited.is_err());
    }
}
