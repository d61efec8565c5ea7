//! What a keyring says, without the secrets that its library puts into some of its errors.

use gatepass_core::{Cause, StoreError, printable};
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The way on, for every keyring that can't be used. Choosing another store is up to a person.
pub(crate) const WAY_ON: &str =
    "unlock or start it and try again, or choose the encrypted file instead (`--store file`)";

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Said(String);

fn said(what: impl Into<String>) -> Cause {
    Arc::new(Said(what.into()))
}

/// Keeps the text of an error of the keyring's library, and nothing else of it: `Debug` of some of its variants
/// prints the secret.
pub(crate) fn told(error: &keyring_core::Error, place: &str, entry: &str) -> StoreError {
    use keyring_core::Error as E;
    match error {
        E::NoStorageAccess(cause) => unavailable(format!("{place} is locked or denies access"), Some(cause)),
        E::PlatformFailure(cause) => unavailable(format!("{place} can't be used"), Some(cause)),
        E::BadEncoding(_) | E::BadDataFormat(..) | E::BadStoreFormat(_) => {
            corrupt(entry, "the keyring can't decode it")
        }
        E::TooLong(what, most) => unavailable(
            format!("{place} takes no {} longer than {most}", printable(what)),
            None::<&str>,
        ),
        E::Ambiguous(entries) => refused(
            format!("{entry}: {place} has {} entries of that name", entries.len()),
            "remove the superfluous ones with the keyring's own program",
        ),
        E::Invalid(what, why) => unavailable(
            format!("{place} refuses the entry"),
            Some(format!("{what} {why}")),
        ),
        E::NotSupportedByStore(what) => unavailable(format!("{place} lacks something"), Some(what)),
        E::NoEntry | E::NoDefaultStore | _ => unavailable(format!("{place} can't be used"), None::<&str>),
    }
}

/// The keyring can't be used; says how to go on.
pub(crate) fn unavailable(what: impl Display, why: Option<impl Display>) -> StoreError {
    StoreError::Unavailable {
        what: format!("{what}; {WAY_ON}"),
        source: why.map(|why| said(printable(&why.to_string()))),
    }
}

pub(crate) fn no_answer(place: &str, deadline: Duration) -> StoreError {
    unavailable(format!("{place} didn't answer within {deadline:?}"), None::<&str>)
}

pub(crate) fn corrupt(entry: &str, why: &str) -> StoreError {
    StoreError::Corrupt {
        what: format!("{entry} in the keyring"),
        source: Some(said(why)),
    }
}

pub(crate) fn refused(what: impl Into<String>, fix: impl Into<String>) -> StoreError {
    StoreError::Refused {
        what: what.into(),
        fix: fix.into(),
    }
}

/// For `map_err` beside an operation on a lock file.
pub(crate) fn io<E: Into<std::io::Error>>(doing: &str, path: &Path) -> impl FnOnce(E) -> StoreError {
    let what = format!("{doing} {}", path.display());
    move |error| StoreError::Unavailable {
        what,
        source: Some(Arc::new(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyring_core::Error as E;

    #[test]
    fn no_error_shows_the_secret_that_the_library_put_into_it() {
        let canary = b"canary-secret".to_vec();
        let bytes = format!("{canary:?}");
        let bytes = bytes.trim_matches(['[', ']']);
        for error in [
            E::BadEncoding(canary.clone()),
            E::BadDataFormat(canary, "odd".into()),
        ] {
            assert!(
                format!("{error:?}").contains(bytes),
                "else this test is of no use"
            );
            let ours = told(&error, "the keyring", "google/jane");
            let cause = std::error::Error::source(&ours).unwrap();
            for text in [
                format!("{ours:?}"),
                ours.to_string(),
                format!("{cause:?} {cause}"),
            ] {
                assert!(!text.contains(bytes) && !text.contains("canary"), "{text}");
            }
        }
    }

    #[test]
    fn what_cannot_be_used_says_how_to_go_on() {
        let locked = told(&E::NoStorageAccess("dismissed".into()), "the Secret Service", "x");
        assert_eq!(
            locked.to_string(),
            "the credential store is unavailable: the Secret Service is locked or denies access; unlock or start \
             it and try again, or choose the encrypted file instead (`--store file`)"
        );
    }
}
