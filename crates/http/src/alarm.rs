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
