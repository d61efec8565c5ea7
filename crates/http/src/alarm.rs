use gatepass_core::thread_number;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, Sleep, sleep_until};

/// Ends what takes too long: one timer for all that an exchange waits for, one after the other.
///
/// To set a timer takes a lock that all tasks of a runtime share. So it is set once, for the earliest moment at which any
/// of the waits could end, and when it rings it is set again if the wait that is on may take longer. Then it is
/// [kept](Timers) for the next exchange: to set one that is on to a later moment takes no lock.
pub(crate) struct Alarm {
    /// There until the alarm is dropped.
    timer: Option<Timer>,
    deadline: Instant,
    shelf: Arc<Shelf>,
}

struct Timer {
    sleep: Pin<Box<Sleep>>,
    /// The one that rings it. tokio counts them, and so far (1.54) gives no number twice.
    runtime: Id,
}

/// The timers of exchanges that have ended, until they are used again or the client is dropped. One that rings here wakes the task that
/// it served last for nothing; until then it holds what is left of that task.
#[derive(Clone, Default)]
pub(crate) struct Timers(Arc<[Arc<Shelf>; THREADS]>);

/// As many threads have a shelf of their own; the next share one with them.
const THREADS: usize = 8;

#[derive(Default)]
struct Shelf(Mutex<Vec<Timer>>);

impl Shelf {
    /// More than so many are not kept.
    const ROOM: usize = 64;

    fn timers(&self) -> MutexGuard<'_, Vec<Timer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A timer of this runtime that rings at `moment`.
    fn take(&self, moment: Instant) -> Timer {
        let runtime = Handle::current().id();
        match self.kept(runtime) {
            Some(mut timer) => {
                timer.sleep.as_mut().reset(moment);
                timer
            }
            None => Timer {
                sleep: Box::pin(sleep_until(moment)),
                runtime,
            },
        }
    }

    /// A timer of this runtime. Those of others are dropped: they may never ring again, and hold what is left of theirs.
    fn kept(&self, runtime: Id) -> Option<Timer> {
        let mut timers = self.timers();
        match timers.pop() {
            Some(timer) if timer.runtime == runtime => return Some(timer),
            Some(timer) => timers.push(timer),
            None => return None,
        }
        let is_strange = |timer: &mut Timer| timer.runtime != runtime;
        let strangers: Vec<_> = timers.extract_if(.., is_strange).collect();
        let timer = timers.pop();
        // Without the lock: to drop them takes another one.
        drop(timers);
        drop(strangers);
        timer
    }

    fn keep(&self, timer: Timer) {
        let mut timers = self.timers();
        if timers.len() < Self::ROOM {
            timers.push(timer);
        }
    }
}

impl Alarm {
    /// Ends a wait that begins now after `patience`. Another one, later, will have at least `least`.
    pub(crate) fn new(timers: &Timers, patience: Duration, least: Duration) -> Self {
        let now = Instant::now();
        let [first, ..] = &*timers.0;
        let shelf = timers.0.get(thread_number() % THREADS).unwrap_or(first);
        Self {
            timer: Some(shelf.take(after(now, patience.min(least)))),
            deadline: after(now, patience),
            shelf: Arc::clone(shelf),
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

impl fmt::Debug for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timers").finish()
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.shelf.keep(timer);
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
        let mut alarm = Alarm::new(&Timers::default(), 600 * SECOND, 120 * SECOND);
        assert_eq!(rings_after(&mut alarm).await, 600);
    }

    #[tokio::test(start_paused = true)]
    async fn each_wait_has_its_own_time_whatever_the_timer_was_set_for() {
        let mut alarm = Alarm::new(&Timers::default(), 600 * SECOND, 120 * SECOND);
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

    /// All on one thread, so on one shelf.
    fn kept(timers: &Timers) -> usize {
        timers.0.iter().map(|shelf| shelf.timers().len()).sum()
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_was_kept_rings_at_its_next_time_and_no_sooner() {
        let timers = Timers::default();
        for (passed, patience) in [(0, 120), (1, 120), (119, 60), (3, 600), (1000, 120), (0, 1)] {
            tokio::time::sleep(passed * SECOND).await;
            let mut alarm = Alarm::new(&timers, 600 * SECOND, 120 * SECOND);
            assert_eq!(kept(&timers), 0, "the one timer is in use");
            // Not waited for to its end, as the timer of an exchange that succeeds.
            let began = poll_fn(|cx| Poll::Ready(alarm.poll(cx).is_pending()));
            assert!(began.await);
            drop(alarm);
            assert_eq!(kept(&timers), 1);
            let mut alarm = Alarm::new(&timers, patience * SECOND, 120 * SECOND);
            assert_eq!(
                rings_after(&mut alarm).await,
                u64::from(patience),
                "after {passed} s"
            );
        }
    }

    #[test]
    fn a_timer_of_a_runtime_that_does_not_run_is_not_used() {
        let timers = Timers::default();
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap()
        };
        let waited = |runtime: &tokio::runtime::Runtime| {
            runtime.block_on(async {
                let mut alarm = Alarm::new(&timers, SECOND / 100, SECOND / 100);
                let rang = poll_fn(|cx| alarm.poll(cx));
                tokio::time::timeout(10 * SECOND, rang).await.is_ok()
            })
        };
        let (idle, ended) = (runtime(), runtime());
        for runtime in [&idle, &ended] {
            assert!(waited(runtime));
            assert_eq!(kept(&timers), 1);
        }
        drop(ended);
        assert!(waited(&runtime()));
        assert_eq!(kept(&timers), 1, "nothing of the others is kept");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_timers_are_kept_than_there_is_room_for() {
        let timers = Timers::default();
        let alarm = || Alarm::new(&timers, SECOND, SECOND);
        drop((0..3 * Shelf::ROOM).map(|_| alarm()).collect::<Vec<_>>());
        assert_eq!(kept(&timers), Shelf::ROOM);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_without_end_is_no_error() {
        let mut alarm = Alarm::new(&Timers::default(), Duration::MAX, SECOND);
        let waited = tokio::time::timeout(86_400 * SECOND, rings_after(&mut alarm)).await;
        assert!(waited.is_err());
    }
}
