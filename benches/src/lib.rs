//! What the benchmarks share: the command line, tasks that spin, spread, a table.

mod run;
mod spin;
mod spread;
mod table;

pub use run::{Effort, Run};
pub use spin::{Operation, measure};
pub use spread::Spread;
pub use table::Table;

use tokio::runtime::{Builder, Runtime};

/// The runtime of all callers: two workers, as many as the machine of the figures in the README has.
///
/// # Errors
/// If the system gives no threads.
pub fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build()
}
