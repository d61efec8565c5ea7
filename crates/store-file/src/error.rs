//! What went wrong, and which files may be put aside to get on.

use gatepass_core::{Cause, StoreError};
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

/// A store that can't be read.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: StoreError,
    /// The files that a login may move aside to start afresh; empty where a person has to decide.
    pub(crate) aside: Vec<&'static str>,
}

impl Failure {
    pub(crate) fn new<const N: usize>(error: StoreError, aside: [&'static str; N]) -> Self {
        Self {
            error,
            aside: aside.into(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error, [])
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Said(String);

/// A cause in words.
pub(crate) fn said(what: impl Into<String>) -> Cause {
    Arc::new(Said(what.into()))
}

pub(crate) fn corrupt(path: &Path, why: impl Into<String>) -> StoreError {
    StoreError::Corrupt {
        what: path.display().to_string(),
        source: Some(said(why)),
    }
}

pub(crate) fn wrong_key(path: &Path, why: impl Into<String>) -> StoreError {
    StoreError::WrongKey {
        what: path.display().to_string(),
        source: Some(said(why)),
    }
}

pub(crate) fn refused(what: impl Display, why: impl Display, fix: impl Into<String>) -> StoreError {
    StoreError::Refused {
        what: format!("{what}: {why}"),
        fix: fix.into(),
    }
}

pub(crate) fn unavailable(
    what: impl Into<String>,
    source: impl std::error::Error + Send + Sync + 'static,
) -> StoreError {
    StoreError::Unavailable {
        what: what.into(),
        source: Some(Arc::new(source)),
    }
}

/// For `map_err` beside a file operation.
pub(crate) fn io<E: Into<std::io::Error>>(doing: &str, path: &Path) -> impl FnOnce(E) -> StoreError {
    move |error| unavailable(format!("{doing} {}", path.display()), error.into())
}

pub(crate) fn no_randomness(error: getrandom::Error) -> StoreError {
    unavailable("asking the system for random bytes", std::io::Error::from(error))
}
