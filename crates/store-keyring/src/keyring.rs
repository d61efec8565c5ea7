use crate::calls::Calls;
use crate::names::encoded;
use crate::native::Native;
use crate::ring::Connect;
use std::sync::Arc;
use std::time::Duration;

/// The operating system's keyring, as far as it belongs to one service.
///
/// Nothing stands in for it where there is none: every use is then
/// [`StoreError::Unavailable`](gatepass_core::StoreError::Unavailable), with the way on in words. Making one
/// touches nothing.
///
/// Calls run on threads of their own, at most four at once. One that takes longer than the deadline is given up, and
/// never keeps the process from ending; what it was about to write may be there later.
#[derive(Debug, Clone)]
pub struct Keyring {
    pub(crate) calls: Calls,
    pub(crate) service: String,
}

impl Keyring {
    /// How long a call may take, unless [`with_deadline`](Self::with_deadline) says otherwise.
    pub const DEADLINE: Duration = Duration::from_secs(10);

    /// The entries of the service `gatepass`.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Arc::new(Native))
    }

    pub(crate) fn of(keyring: Arc<dyn Connect>) -> Self {
        Self {
            calls: Calls::new(keyring, Self::DEADLINE),
            service: "gatepass".to_owned(),
        }
    }

    /// Uses the entries of another service: an application's own, apart from those of `gatepass`.
    #[must_use]
    pub fn with_service(mut self, name: &str) -> Self {
        // A dot parts service and user in the Credential Manager.
        self.service = encoded(name, " ");
        self
    }

    /// Sets how long a call may take. Longer than 10 s if a person may be asked to unlock the keyring meanwhile.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.calls.deadline = deadline;
        self
    }

    /// What a person calls it: `the Keychain`.
    #[must_use]
    pub fn location(&self) -> &'static str {
        self.calls.place()
    }
}

impl Default for Keyring {
    fn default() -> Self {
        Self::new()
    }
}
