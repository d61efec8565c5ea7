use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Waits until `condition` holds: for what a server sees a moment after the client did it.
///
/// ```
/// # async fn f(server: gatepass_testkit::ModelServer) {
/// use gatepass_testkit::eventually;
///
/// eventually("the connection is closed", || server.open_connections() == 0).await;
/// # }
/// ```
///
/// # Panics
/// With the sentence `what`, when that took longer than 10 s.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    const PATIENCE: Duration = Duration::from_secs(10);
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "expected within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}
