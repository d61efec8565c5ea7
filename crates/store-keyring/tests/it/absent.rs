//! No keyring, or one that nobody unlocks.

use crate::desktop::{Desktop, Keyring as Ring};
use crate::roles::{everything_fails, store};
use crate::support::files;
use gatepass_core::StoreError;
use gatepass_keyring_store::Keyring;
use std::path::Path;
use std::time::Duration;

/// K01: nothing stands in for a keyring that isn't there.
#[test]
fn without_a_session_bus_everything_fails_at_once_and_writes_nothing() {
    let desktop = Desktop::bare();
    let done = desktop.run(&Ring::NoSession, "unavailable nothing");
    done.well();
    assert!(done.took < Duration::from_secs(5), "{:?}", done.took);
    assert_nothing_kept(&desktop);
}

/// K01
#[test]
fn without_a_keyring_everything_fails_at_once_and_writes_nothing() {
    let Some(desktop) = Desktop::new() else { return };
    let done = desktop.run(&Ring::None, "unavailable nothing");
    done.well();
    assert!(done.took < Duration::from_secs(5), "{:?}", done.took);
    assert_nothing_kept(&desktop);
}

/// In the whole home: lock files name a process at most, and the rest is what the test itself has put there.
fn assert_nothing_kept(desktop: &Desktop) {
    for file in files(desktop.home()) {
        let content = std::fs::read(&file).unwrap();
        let the_tests = file.extension().is_some_and(|extension| extension == "conf");
        let names_a_process = str::from_utf8(&content).is_ok_and(|id| id.parse::<u32>().is_ok());
        assert!(
            content.is_empty() || names_a_process || the_tests,
            "{} was written",
            file.display()
        );
    }
}

/// K01: who asks first whether there is a keyring leaves no file at all, and is told which store to choose instead.
#[test]
fn without_a_session_bus_a_probe_names_the_other_store_and_makes_no_file() {
    let desktop = Desktop::bare();
    desktop.run(&Ring::NoSession, "probe nothing").well();
    assert_eq!(files(desktop.home()), [""; 0].map(std::path::PathBuf::from));
}

pub(crate) async fn probe() {
    let error = Keyring::new().probe().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("--store file"), "{error}");
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
