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
        let outcome = tokio::select! {
            outcome = work => outcome,
            Ok(()) = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        };
        tokio::select! {
            () = settle() => {}
            Ok(()) = tokio::signal::ctrl_c() => {}
        }
        outcome
    });
    // A name that is being looked up would hold us up otherwise.
    runtime.shutdown_background();
    outcome
}

/// A refresh that has begun comes to its end: whoever broke it off could lose the login. Ctrl-C does, the second time.
async fn settle() {
    if let Err(error) = gatepass::persist_logins().await {
        tracing::warn!("the refreshed login can't be saved, and may have to be renewed: {error}");
    }
}
