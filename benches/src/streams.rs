//! An answer of ten thousand events.

use crate::calls::{Jobs, cells, one_thread};
use crate::clients::{Ours, Raw};
use crate::job::{Job, Load, measure};
use crate::stub::EVENTS;
use crate::{Effort, Framing, Run, Stub, Table};
use std::error::Error;

const LOAD: Load = Load {
    rounds: 31,
    times: 4,
    at_once: 1,
};

/// Measures the references, ours and `others` in each framing, and prints the table.
///
/// # Errors
/// If a client can't be set up.
#[expect(clippy::print_stdout, reason = "the table is what a benchmark is for")]
pub fn compare(run: &Run, stub: &Stub, others: Jobs) -> Result<(), Box<dyn Error>> {
    let runtime = one_thread()?;
    let mut rows: Vec<Vec<String>> = Vec::new();
    for framing in Framing::ALL {
        let jobs = jobs(&stub.url(&format!("{}/v1", framing.path())), others)?;
        let costs = measure(&runtime, run, &jobs, LOAD);
        if run.effort() == Effort::Test {
            println!("streams: {} clients read the events, {framing:?}", jobs.len());
            continue;
        }
        rows.resize(jobs.len(), Vec::new());
        for ((job, own), row) in jobs.iter().zip(&costs).zip(&mut rows) {
            if row.is_empty() {
                let allocations = job.allocations(&runtime, 1) / EVENTS as f64;
                row.extend([job.name().to_owned(), format!("{allocations:.1}")]);
            }
            let [wall, cpu, ratio] = cells(own, &costs, EVENTS as f64);
            row.extend([cpu, ratio, wall]);
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    println!("{EVENTS} events: ns each, median (5th–95th percentile), and × the reference's CPU time\n");
    let mut table = Table::new(&[
        "client",
        "allocations",
        "block: CPU",
        "×",
        "wall",
        "in chunks: CPU",
        "×",
        "wall",
        "flushed: CPU",
        "×",
        "wall",
    ]);
    for row in rows {
        table.push(row);
    }
    println!("{table}");
    Ok(())
}

fn jobs(base_url: &str, others: Jobs) -> Result<Vec<Job>, Box<dyn Error>> {
    let raw = Raw::new(base_url)?;
    let mut jobs = vec![
        raw.clone().stream(),
        raw.clone().borrowed_stream(),
        raw.counted_stream(),
        Ours::new(base_url)?.stream(),
    ];
    jobs.extend(others(base_url)?);
    Ok(jobs)
}
