use super::{Advice, Cause};
use std::time::Duration;

/// A stored credential can't be read or written.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The stored data is damaged. It is left as it is: restore it, or log in again.
    #[error("the stored credential {what} is corrupt")]
    Corrupt {
        /// Which one.
        what: String,
        /// How that showed.
        #[source]
        source: Option<Cause>,
    },
    /// The stored data was encrypted with another key. Restore the key, or log in again.
    #[error("the stored credential {what} was encrypted with another key")]
    WrongKey {
        /// Which one.
        what: String,
    },
    /// The store can't be reached: no keyring, a full disk, a missing permission.
    #[error("the credential store is unavailable: {what}")]
    Unavailable {
        /// What was tried.
        what: String,
        /// What the system said.
        #[source]
        source: Option<Cause>,
    },
    /// Somebody else held the lock for too long.
    #[error("another process has been refreshing {what} for {waited:?}")]
    Locked {
        /// Which credential.
        what: String,
        /// How long we waited.
        waited: Duration,
    },
}

impl StoreError {
    /// What the caller can do.
    #[must_use]
    pub const fn advice(&self) -> Advice {
        match self {
            Self::Corrupt { .. } | Self::WrongKey { .. } => Advice::LoginRequired,
            Self::Unavailable { .. } => Advice::Fail,
            Self::Locked { .. } => Advice::Retry { after: None },
        }
    }
}
