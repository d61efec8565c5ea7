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
        /// How that showed.
        #[source]
        source: Option<Cause>,
    },
    /// The store would be unsafe to use, or another version of gatepass must use it. Nothing was changed; a
    /// person has to put it right.
    #[error("the credential store refuses {what}")]
    Refused {
        /// What, and why.
        what: String,
        /// The next step, as a sentence without a full stop.
        fix: String,
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
        /// Who holds it, for people: the process and its lock file, as far as the store knows.
        holder: Option<String>,
    },
}

/// What to do about who holds a lock.
const OTHER_PROCESS: &str = "wait for the other process, or end it, then try again";

impl StoreError {
    /// What the caller can do.
    #[must_use]
    pub const fn advice(&self) -> Advice {
        match self {
            Self::Corrupt { .. } | Self::WrongKey { .. } => Advice::LoginRequired,
            Self::Refused { .. } => Advice::FixConfig,
            Self::Unavailable { .. } => Advice::Fail,
            Self::Locked { .. } => Advice::Retry { after: None },
        }
    }

    /// The next step, as a sentence without a full stop.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Corrupt { .. } => {
                "restore it from a backup, or log in again: gatepass auth login --provider NAME".into()
            }
            Self::WrongKey { .. } => {
                "restore the key or the passphrase; if it is lost, move the file away and log in again: \
                gatepass auth login --provider NAME"
                    .into()
            }
            Self::Refused { fix, .. } => fix.clone(),
            Self::Unavailable { .. } => "make the store reachable and writable, then try again".into(),
            Self::Locked { holder: None, .. } => OTHER_PROCESS.into(),
            Self::Locked {
                holder: Some(holder), ..
            } => format!("{OTHER_PROCESS}: {holder}"),
        }
    }
}
