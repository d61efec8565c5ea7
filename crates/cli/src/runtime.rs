use crate::failure::Failure;
use tokio::runtime::Builder;

/// Runs `work` to its end, or until Ctrl-C: then it is dropped, which closes its connections.
pub(crate) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Failure::System {
        what: "the runtime can't be started",
        source,
    })?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = work => outcome,
            Ok(()) = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        }
    });
    // A name that is being looked up would hold us up otherwise.
    runtime.shutdown_background();
    outcome
}
