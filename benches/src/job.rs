//! Times something that takes microseconds or more: a call, a stream.

use crate::run::{Effort, Run};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Something that a client of the stub does, and the client's name.
pub struct Job {
    name: String,
    body: Box<dyn Body>,
}

/// What one time of it took.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Cost {
    /// Nanoseconds on the clock; with many at once, of all by their number.
    pub wall: f64,
    /// Nanoseconds that this process worked.
    pub cpu: f64,
}

/// How often, and how many at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) rounds: usize,
    pub(crate) times: usize,
    pub(crate) at_once: usize,
}

impl Job {
    /// Names what `body` does. It tells how many bytes of text it read: always `bytes`, or the run fails.
    pub fn new<F, T>(name: impl Into<String>, bytes: usize, body: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = usize> + Send + 'static,
    {
        let checked = Checked {
            bytes,
            body: Arc::new(body),
        };
        Self {
            name: name.into(),
            body: Box::new(checked),
        }
    }

    /// The client's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Allocations each time, one after the other on this thread.
    pub(crate) fn allocations(&self, runtime: &Runtime, times: usize) -> f64 {
        let count = |times| {
            let measured = allocation_counter::measure(|| self.body.run(runtime, times, 1));
            measured.count_total as f64
        };
        _ = count(1);
        (count(2 * times) - count(times)) / times as f64
    }

    /// Does it so often.
    pub(crate) fn repeat(&self, runtime: &Runtime, times: usize, at_once: usize) {
        self.body.run(runtime, times, at_once);
    }

    fn cost(&self, runtime: &Runtime, load: Load) -> Cost {
        let (cpu, wall) = (cpu_time(), Instant::now());
        self.repeat(runtime, load.times, load.at_once);
        let per_time = |time: Duration| time.as_nanos() as f64 / load.times as f64;
        Cost {
            wall: per_time(wall.elapsed()),
            cpu: per_time(cpu_time().saturating_sub(cpu)),
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job").field(&self.name).finish()
    }
}

/// What each job costs, round by round. The jobs take turns: what else the machine does meets them all alike.
pub(crate) fn measure(runtime: &Runtime, run: &Run, jobs: &[Job], load: Load) -> Vec<Vec<Cost>> {
    let load = match run.effort() {
        Effort::Full => load,
        Effort::Quick => Load {
            rounds: load.rounds.div_ceil(3),
            ..load
        },
        Effort::Test => Load {
            rounds: 1,
            times: load.at_once,
            ..load
        },
    };
    let mut costs = vec![Vec::with_capacity(load.rounds); jobs.len()];
    for job in jobs {
        job.repeat(runtime, load.at_once, load.at_once);
    }
    for _ in 0..load.rounds {
        for (job, costs) in jobs.iter().zip(&mut costs) {
            costs.push(job.cost(runtime, load));
        }
    }
    costs
}

/// How long this process has worked so far, in all its threads; told on Unix alone.
#[cfg(unix)]
pub(crate) fn cpu_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap_or(0),
        time.tv_nsec.try_into().unwrap_or(0),
    )
}

#[cfg(not(unix))]
pub(crate) fn cpu_time() -> Duration {
    Duration::ZERO
}

/// A body of a type that nobody needs to know.
trait Body {
    fn run(&self, runtime: &Runtime, times: usize, at_once: usize);
}

struct Checked<F> {
    bytes: usize,
    body: Arc<F>,
}

impl<F, T> Body for Checked<F>
where
    F: Fn() -> T + Send + Sync + 'static,
    T: Future<Output = usize> + Send + 'static,
{
    fn run(&self, runtime: &Runtime, times: usize, at_once: usize) {
        if at_once == 1 {
            return runtime.block_on(repeat(&*self.body, self.bytes, times));
        }
        let mut crowd = JoinSet::new();
        for _ in 0..at_once {
            let (body, bytes) = (Arc::clone(&self.body), self.bytes);
            crowd.spawn_on(
                async move { repeat(&*body, bytes, times / at_once).await },
                runtime.handle(),
            );
        }
        runtime.block_on(crowd.join_all());
    }
}

async fn repeat<F, T>(body: &F, bytes: usize, times: usize)
where
    F: Fn() -> T + Sync,
    T: Future<Output = usize> + Send,
{
    for _ in 0..times {
        assert_eq!(
            body().await,
            bytes,
            "a client read another text than the server sent"
        );
    }
}
