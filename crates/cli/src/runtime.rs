use crate::failure::Failure;
use crate::terminal;
use gatepass::StoreError;
use tokio::runtime::Builder;

/// Runs `work` to its end, or until Ctrl-C: then it is dropped, which closes its connections. A login that `work` has
/// refreshed and that can't be saved is a failure, when all else is done.
pub(crate) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Failure::System {
        what: "the runtime can't be started",
        source,
    })?;
    let outcome = runtime.block_on(async {
        let outcome = tokio::select! {
            biased; // It listens before the work begins.
            Ok(()) = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
            outcome = work => outcome,
        };
        // A refresh that has begun comes to its end: whoever broke it off could lose the login. Ctrl-C does, the
        // second time.
        let saved = tokio::select! {
            saved = gatepass::persist_logins() => saved,
            Ok(()) = tokio::signal::ctrl_c() => Ok(()),
        };
        settled(outcome, saved)
    });
    // A name that is being looked up would hold us up otherwise.
    runtime.shutdown_background();
    outcome
}

/// Does `work`, or as much of it as comes before the program is asked to end: it is dropped then, which leaves the
/// terminal as it was.
pub(crate) async fn until_terminated<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        biased; // As above.
        () = terminal::termination() => Err(Failure::Terminated),
        outcome = work => outcome,
    }
}

/// What the command did is done; that its login couldn't be saved is told besides, unless worse has happened.
fn settled<T>(outcome: Result<T, Failure>, saved: Result<(), StoreError>) -> Result<T, Failure> {
    match (outcome, saved) {
        (Ok(_), Err(error)) => Err(Failure::NotSaved(error)),
        (outcome, Ok(())) => outcome,
        (outcome, Err(error)) => {
            tracing::warn!("the refreshed login can't be saved, and may have to be renewed: {error}");
            outcome
        }
    }
}
