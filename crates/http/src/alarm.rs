use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, Sleep, sleep_until};

/// Ends what takes too long: one timer for all that an exchange waits for, one after the other.
///
/// To set a timer takes a lock that all tasks of a runtime share. So it is set once, for the earliest moment at which any
/// of the waits could end, and when it rings it is set again if the wait that is on may take longer. Then it is
/// [kept](KEPT) for the next exchange: to set one that is on to a later moment takes no lock.
pub(crate) struct Alarm {
    /// There until the alarm is dropped.
    timer: Option<Timer>,
    deadline: Instant,
}

struct Timer {
    sleep: Pin<Box<Sleep>>,
    /// The one that rings it. tokio counts them, and so far (1.54) gives no number twice.
    runtime: Id,
}

thread_local! {
    /// The timers of exchanges that ended on this thread, until they are used again or the thread ends. One that rings here wakes
    /// the task that it served last for nothing; until then it holds what is left of that task.
    static KEPT: RefCell<Vec<Timer>> = const { RefCell::new(Vec::new()) };
}

/// More timers than so many are not kept.
const ROOM: usize = 64;

impl Timer {
    /// One that rings at `moment`.
    fn at(moment: Instant) -> Self {
        let runtime = Handle::current().id();
        match Self::kept(runtime) {
            Some(mut timer) => {
                timer.sleep.as_mut().reset(moment);
                timer
            }
            None => Self {
                sleep: Box::pin(sleep_until(moment)),
                runtime,
            },
        }
    }

    /// One that was kept, of this runtime. Those of others are dropped: they may never ring again, and hold what is left of
    /// theirs.
    fn kept(runtime: Id) -> Option<Self> {
        let is_strange = |timer: &mut Self| timer.runtime != runtime;
        let (timer, strangers) = KEPT.with_borrow_mut(|kept| match kept.last() {
            Some(last) if last.runtime == runtime => (kept.pop(), Vec::new()),
            _ => {
                let strangers = kept.extract_if(.., is_strange).collect();
                (kept.pop(), strangers)
            }
        });
        drop::<Vec<_>>(strangers);
        timer
    }

    fn keep(self) {
        let mut timer = Some(self);
        // Without its thread's variables, at the thread's end, it is dropped.
        _ = KEPT.try_with(|kept| {
            if let Ok(mut kept) = kept.try_borrow_mut()
                && kept.len() < ROOM
            {
                kept.extend(timer.take());
            }
        });
    }
}

impl Alarm {
    /// Ends a wait that begins now after `patience`. Another one, later, will have at least `least`.
    pub(crate) fn new(patience: Duration, least: Duration) -> Self {
        let now = Instant::now();
        Self {
            timer: Some(Timer::at(after(now, patience.min(least)))),
            deadline: after(now, patience),
        }
    }

    /// Ends the next wait at `deadline`.
    pub(crate) fn set(&mut self, deadline: Instant) {
        self.deadline = deadline;
        if let Some(timer) = &mut self.timer
            && deadline < timer.sleep.deadline()
        {
            timer.sleep.as_mut().reset(deadline);
        }
    }

    /// Waits for the deadline.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(timer) = &mut self.timer else {
            return Poll::Ready(());
        };
        loop {
            ready!(timer.sleep.as_mut().poll(cx));
            if timer.sleep.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            timer.sleep.as_mut().reset(self.deadline);
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.keep();
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

    fn kept() -> usize {
        KEPT.with_borrow(Vec::len)
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_was_kept_rings_at_its_next_time_and_no_sooner() {
        for (passed, patience) in [(0, 120), (1, 120), (119, 60), (3, 600), (1000, 120), (0, 1)] {
            tokio::time::sleep(passed * SECOND).await;
            let mut alarm = Alarm::new(600 * SECOND, 120 * SECOND);
            assert_eq!(kept(), 0, "the one timer is in use");
            // Not waited for to its end, as the timer of an exchange that succeeds.
            let began = poll_fn(|cx| Poll::Ready(alarm.poll(cx).is_pending()));
            assert!(began.await);
            drop(alarm);
            assert_eq!(kept(), 1);
            let mut alarm = Alarm::new(patience * SECOND, 120 * SECOND);
            assert_eq!(
                rings_after(&mut alarm).await,
                u64::from(patience),
                "after {passed} s"
            );
        }
    }

    #[test]
    fn a_timer_of_a_runtime_that_does_not_run_is_not_used() {
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap()
        };
        let waited = |runtime: &tokio::runtime::Runtime| {
            runtime.block_on(async {
                let mut alarm = Alarm::new(SECOND / 100, SECOND / 100);
                let rang = poll_fn(|cx| alarm.poll(cx));
                tokio::time::timeout(10 * SECOND, rang).await.is_ok()
            })
        };
        let (idle, ended) = (runtime(), runtime());
        for runtime in [&idle, &ended] {
            assert!(waited(runtime));
            assert_eq!(kept(), 1);
        }
        drop(ended);
        assert!(waited(&runtime()));
        assert_eq!(kept(), 1, "nothing of the others is kept");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_timers_are_kept_than_there_is_room_for() {
        let alarm = || Alarm::new(SECOND, SECOND);
        drop((0..3 * ROOM).map(|_| alarm()).collect::<Vec<_>>());
        assert_eq!(kept(), ROOM);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_without_end_is_no_error() {
        let mut alarm = Alarm::new(Duration::MAX, SECOND);
        let waited = tokio::time::timeout(86_400 * SECOND, rings_after(&mut alarm)).await;
        assert!(waited.is_err());
    }
}
