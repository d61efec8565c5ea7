//! No keyring, or one that nobody unlocks.

use crate::desktop::{Desktop, Keyring as Ring};
use crate::roles::{everything_fails, store};
use gatepass_core::StoreError;
use std::path::Path;
use std::time::Duration;

#[test]
fn without_a_session_bus_everything_fails_at_once_and_writes_nothing() {
    let desktop = Desktop::bare();
    let done = desktop.run(&Ring::NoSession, "unavailable nothing");
    done.well();
    assert!(done.took < Duration::from_secs(5), "{:?}", done.took);
}

#[test]
fn without_a_keyring_everything_fails_at_once_and_writes_nothing() {
    let Some(desktop) = Desktop::new() else { return };
    let done = desktop.run(&Ring::None, "unavailable nothing");
    done.well();
    assert!(done.took < Duration::from_secs(5), "{:?}", done.took);
}

pub(crate) async fn unavailable(why: &str, directory: &Path) {
    everything_fails(&store(directory), directory, |error| {
        assert!(
            matches!(error, StoreError::Unavailable { .. }),
            "{why}: {error:?}"
        );
        assert!(error.to_string().contains("--store file"), "{error}");
        let locked = error.to_string().contains("is locked or denies access");
        assert_eq!(locked, why == "locked", "{error}");
    })
    .await;
}
