//! What the benchmarks share: the command line, the stub, what is measured and how, spread, a table.

mod run;
mod spread;
mod table;

mod job;
mod spin;
mod stub;

pub mod alone;
pub mod calls;
pub mod clients;
pub mod hit;
pub mod store;
pub mod streams;

pub use job::{Cost, Job};
pub use run::{Effort, Run};
pub use spin::{Operation, measure};
pub use spread::Spread;
pub use stub::{EVENTS, Framing, Stub, TEXT, stream_bytes};
pub use table::Table;

use tokio::runtime::{Builder, Runtime};

/// The runtime of all callers: two workers, as many as the machine of the figures in the README has.
///
/// # Errors
/// If the system gives no threads.
pub fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build()
}
