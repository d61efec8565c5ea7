//! What every implementation of a trait must do, as tests that anyone can run against their own.
//!
//! Each suite is one function. It panics with a sentence that says what doesn't hold. Run it on one thread and on several
//! (`#[tokio::test(flavor = "multi_thread")]`): what never awaits can't meet another task on one.
//!
//! ```
//! use gatepass_core::MemoryStore;
//! use gatepass_testkit::contract;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! contract::credential_store(MemoryStore::new).await; // in your tests: #[tokio::test]
//! # }
//! ```

mod complete_backend;
mod credential_store;
mod llm_backend;
mod token_source;

pub use complete_backend::complete_backend;
pub use credential_store::{credential_store, shared_credential_store};
pub use llm_backend::llm_backend;
pub use token_source::token_source;

use std::time::Duration;
use tokio::time::timeout;

/// How long anything may take that must come to an end.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long we watch something that must not come to an end.
const A_MOMENT: Duration = Duration::from_millis(100);

/// Waits for what must come to an end.
async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    at_last(what, PATIENCE, work).await
}

async fn at_last<T>(what: &str, patience: Duration, work: impl Future<Output = T>) -> T {
    match timeout(patience, work).await {
        Ok(done) => done,
        Err(_) => panic!("{what} must come to an end; it didn't within {patience:?}"),
    }
}

/// Whether something is still under way after a moment.
async fn waits<T>(work: impl Future<Output = T>) -> bool {
    timeout(A_MOMENT, work).await.is_err()
}
