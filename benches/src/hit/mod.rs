//! What a token costs that is there already.

mod ours;
mod references;

use crate::{Effort, Operation, Run, Spread, Table, measure};
use std::error::Error;
use tokio::runtime::Runtime;

/// As long as a real one.
const SECRET: &str = "ya29.a0ARW5m7kQa0ARW5m7kQa0ARW5m7kQa0ARW5m7kQa0ARW5m7kQa0ARW5m7kQa0ARW5m7kQa0ARW5m7kQa0ARW5m7kQa0ARW5m7kQ";

const CROWDS: [usize; 4] = [1, 2, 8, 64];

/// Measures the references, ours and `others`, and prints the table.
///
/// # Errors
/// If there is no token.
#[expect(clippy::print_stdout, reason = "the table is what a benchmark is for")]
pub fn compare(run: &Run, runtime: &Runtime, others: Vec<Operation>) -> Result<(), Box<dyn Error>> {
    let mut operations = references::operations();
    operations.extend(runtime.block_on(ours::operations())?);
    operations.extend(others);
    operations.retain(|operation| operation.name() == references::REFERENCE || run.wants(operation.name()));

    let allocations: Vec<_> = operations
        .iter()
        .map(|operation| operation.allocations(runtime))
        .collect();
    let crowds = CROWDS.map(|tasks| measure(runtime, run, &operations, tasks));
    if run.effort() == Effort::Test {
        println!("token_cache: {} operations work", operations.len());
        return Ok(());
    }
    println!("Token cache, a hit: ns, median (5th–95th percentile), and × the reference\n");
    println!("{}", table(&operations, &allocations, &crowds));
    Ok(())
}

fn table(operations: &[Operation], allocations: &[f64], crowds: &[Vec<Vec<f64>>]) -> Table {
    let mut columns = vec!["what".to_owned(), "allocations".to_owned()];
    columns.extend(
        CROWDS
            .iter()
            .flat_map(|tasks| [format!("{tasks} at once"), "×".to_owned()]),
    );
    let mut table = Table::new(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    for (row, (operation, allocations)) in operations.iter().zip(allocations).enumerate() {
        let mut cells = vec![operation.name().to_owned(), format!("{allocations:.2}")];
        for crowd in crowds {
            let (Some(samples), Some(reference)) = (crowd.get(row), crowd.first()) else {
                continue;
            };
            cells.push(Spread::of(samples.iter().copied()).to_string());
            cells.push(format!("{:.2}", ratio(samples, reference)));
        }
        table.push(cells);
    }
    table
}

/// The median of the ratios within each round.
fn ratio(samples: &[f64], reference: &[f64]) -> f64 {
    let ratios = samples.iter().zip(reference).map(|(ours, theirs)| ours / theirs);
    Spread::of(ratios).median()
}

/// Makes it live as long as the program, so that no handle is cloned while the time is taken.
pub fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
