//! One question, one answer.

use crate::clients::{Ours, Raw};
use crate::job::{Cost, Job, Load, measure};
use crate::{Effort, Run, Spread, Stub, Table, runtime};
use std::error::Error;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Jobs for a base URL.
pub type Jobs = fn(&str) -> Result<Vec<Job>, Box<dyn Error>>;

const SEQUENTIAL: Load = Load {
    rounds: 31,
    times: 2000,
    at_once: 1,
};

/// What gatepass waits for the next chunk.
const PATIENCE: Duration = Duration::from_secs(120);

const AT_ONCE: Load = Load {
    rounds: 31,
    times: 12_800,
    at_once: 64,
};

/// Measures the reference, ours and `others`, and prints the table.
///
/// # Errors
/// If a client can't be set up.
#[expect(clippy::print_stdout, reason = "the table is what a benchmark is for")]
pub fn compare(run: &Run, stub: &Stub, others: Jobs) -> Result<(), Box<dyn Error>> {
    let base_url = stub.url("/v1");
    let jobs = |runtime: &Runtime| -> Result<Vec<Job>, Box<dyn Error>> {
        let _guard = runtime.enter();
        let mut jobs = vec![
            Raw::new(&base_url)?.call(),
            Raw::patient(&base_url, PATIENCE)?.call_as("the same, with a time limit"),
            Ours::new(&base_url)?.call(),
        ];
        jobs.extend(others(&base_url)?);
        Ok(jobs)
    };
    // One runtime after the other: a client that all of a process share keeps connections, which end with theirs.
    let (names, sequential) = {
        let one = one_thread()?;
        let jobs = jobs(&one)?;
        let costs = measure(&one, run, &jobs, SEQUENTIAL);
        let named = |job: &Job| [job.name().to_owned(), format!("{:.0}", job.allocations(&one, 50))];
        (jobs.iter().map(named).collect::<Vec<_>>(), costs)
    };
    let two = runtime()?;
    let at_once = measure(&two, run, &jobs(&two)?, AT_ONCE);
    if run.effort() == Effort::Test {
        println!("calls: {} clients read the answer", names.len());
        return Ok(());
    }
    println!("A call: µs, median (5th–95th percentile), and × the reference's CPU time\n");
    let mut table = Table::new(&[
        "client",
        "allocations",
        "one at a time: wall",
        "CPU",
        "×",
        "64 at once: wall",
        "CPU",
        "×",
    ]);
    for ((name, sequential), at_once) in names.iter().zip(&rows(&sequential)).zip(&rows(&at_once)) {
        table.push(name.iter().chain(sequential).chain(at_once).cloned());
    }
    println!("{table}");
    Ok(())
}

fn rows(costs: &[Vec<Cost>]) -> Vec<[String; 3]> {
    costs.iter().map(|own| cells(own, costs, 1e3)).collect()
}

/// Wall, CPU and the ratio of CPU to the first row's.
pub(crate) fn cells(own: &[Cost], all: &[Vec<Cost>], unit: f64) -> [String; 3] {
    let spread = |of: fn(&Cost) -> f64| Spread::of(own.iter().map(|cost| of(cost) / unit)).to_string();
    let reference = all.first().map(Vec::as_slice).unwrap_or_default();
    let ratios = own
        .iter()
        .zip(reference)
        .map(|(own, reference)| own.cpu / reference.cpu);
    let ratio = format!("{:.2}", Spread::of(ratios).median());
    [spread(|cost| cost.wall), spread(|cost| cost.cpu), ratio]
}

/// A runtime of this thread alone, so that its allocations can be counted.
pub(crate) fn one_thread() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
