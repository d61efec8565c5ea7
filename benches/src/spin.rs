//! Times a crowd of tasks that do one thing again and again.

use crate::run::{Effort, Run};
use std::fmt;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::{JoinSet, yield_now};

/// Something that takes nanoseconds, and its name.
pub struct Operation {
    name: &'static str,
    body: Box<dyn Body>,
}

impl Operation {
    /// Names what `body` does.
    ///
    /// What it works on is best leaked to a `&'static`, so that no handle is cloned while the time is taken.
    pub fn new<F, T>(name: &'static str, body: F) -> Self
    where
        F: Fn() -> T + Clone + Send + Sync + 'static,
        T: Future<Output: Send> + Send + 'static,
    {
        Self {
            name,
            body: Box::new(body),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Allocations each time, by one task.
    #[must_use]
    pub fn allocations(&self, runtime: &Runtime) -> f64 {
        const TIMES: u32 = 1000;
        let count = |times: u32| {
            let measured = allocation_counter::measure(|| self.body.repeat(runtime, times.into()));
            measured.count_total as f64
        };
        _ = count(TIMES);
        (count(2 * TIMES) - count(TIMES)) / f64::from(TIMES)
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Operation").field(&self.name).finish()
    }
}

/// The nanoseconds of each operation, done by so many tasks at once: wall time by all operations of all tasks, so
/// that two workers at their best halve the figure of one task.
///
/// The operations take turns, sample by sample: what else the machine does meets them all alike.
#[must_use]
pub fn measure(runtime: &Runtime, run: &Run, operations: &[Operation], tasks: usize) -> Vec<Vec<f64>> {
    let (samples, target) = match run.effort() {
        // Many short samples: a median that other work on the machine hardly moves.
        Effort::Full => (101, Duration::from_millis(4)),
        Effort::Quick => (21, Duration::from_millis(2)),
        Effort::Test => (1, Duration::ZERO),
    };
    let times: Vec<_> = operations
        .iter()
        .map(|operation| calibrate(runtime, operation, tasks, target))
        .collect();
    let mut measured = vec![Vec::with_capacity(samples); operations.len()];
    for _ in 0..samples {
        for ((operation, &times), measured) in operations.iter().zip(&times).zip(&mut measured) {
            let wall = operation.body.time(runtime, tasks, times);
            measured.push(wall.as_nanos() as f64 / (times as f64 * tasks as f64));
        }
    }
    measured
}

/// How often each task does it for a sample to take as long as `target`.
fn calibrate(runtime: &Runtime, operation: &Operation, tasks: usize, target: Duration) -> u64 {
    let mut times = 100;
    loop {
        let wall = operation.body.time(runtime, tasks, times);
        if wall >= target {
            return times;
        }
        let growth = target.as_secs_f64() / wall.as_secs_f64().max(1e-6);
        times = (times as f64 * growth.clamp(1.2, 20.0)) as u64;
    }
}

/// An operation of a type that nobody needs to know.
trait Body {
    fn time(&self, runtime: &Runtime, tasks: usize, times: u64) -> Duration;
    fn repeat(&self, runtime: &Runtime, times: u64);
}

impl<F, T> Body for F
where
    F: Fn() -> T + Clone + Send + Sync + 'static,
    T: Future<Output: Send> + Send + 'static,
{
    fn time(&self, runtime: &Runtime, tasks: usize, times: u64) -> Duration {
        runtime.block_on(crowd(self, tasks, times))
    }

    fn repeat(&self, runtime: &Runtime, times: u64) {
        runtime.block_on(async {
            for _ in 0..times {
                black_box(self().await);
            }
        });
    }
}

/// From the first task's start to the last one's end.
///
/// The tasks spin until they are released: that spreads them over the workers. A barrier would leave the task
/// that it wakes last in a slot that the other worker can't steal from, and two tasks would run in turn.
async fn crowd<F, T>(operation: &F, tasks: usize, times: u64) -> Duration
where
    F: Fn() -> T + Clone + Send + Sync + 'static,
    T: Future<Output: Send> + Send + 'static,
{
    let released = Arc::new(AtomicBool::new(false));
    let ready = Arc::new(AtomicUsize::new(0));
    let mut crowd = JoinSet::new();
    for _ in 0..tasks {
        let (operation, released, ready) = (operation.clone(), Arc::clone(&released), Arc::clone(&ready));
        crowd.spawn(async move {
            ready.fetch_add(1, Ordering::SeqCst);
            while !released.load(Ordering::SeqCst) {
                yield_now().await;
            }
            let began = Instant::now();
            for _ in 0..times {
                black_box(operation().await);
            }
            (began, Instant::now())
        });
    }
    while ready.load(Ordering::SeqCst) < tasks {
        yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    released.store(true, Ordering::SeqCst);
    let laps = crowd.join_all().await;
    let began = laps.iter().map(|(began, _)| began).min();
    let ended = laps.iter().map(|(_, ended)| ended).max();
    began
        .zip(ended)
        .map_or(Duration::ZERO, |(began, ended)| ended.duration_since(*began))
}
