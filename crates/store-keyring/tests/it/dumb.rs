//! A Secret Service that takes every call and never answers.

use crate::desktop::{Desktop, Keyring as Ring};
use crate::roles::{everything_fails, store as open};
use crate::support::{credential, key};
use gatepass_core::{CredentialStore, KeySlot, KeyVault, StoreError};
use gatepass_keyring_store::{Keyring, KeyringStore, KeyringVault};
use std::path::Path;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_millis(300);
/// Starting the bus and this binary.
const STARTING: Duration = Duration::from_millis(500);
/// Where the role says how long it took.
const TOOK: &str = "took";

/// K02
#[test]
fn a_keyring_that_never_answers_keeps_neither_callers_nor_the_process() {
    let Some(desktop) = Desktop::new() else { return };
    let done = desktop.run(&Ring::None, "dumb async");
    done.well();
    let took = std::fs::read_to_string(desktop.home().join("state").join(TOOK)).unwrap();
    let calls = Duration::from_millis(took.parse().unwrap());
    // The process has ended though its calls are still under way.
    let rest = done.took.saturating_sub(calls);
    assert!(rest < STARTING + Duration::from_secs(1), "{rest:?}");
}

pub(crate) async fn asynchronous(directory: &Path) {
    let _dumb = dumb();
    let keyring = Keyring::new().with_deadline(DEADLINE);
    let store = KeyringStore::open(keyring, directory)
        .unwrap()
        .with_lock_patience(DEADLINE);
    let check = |error: StoreError| {
        // The save that is still under way keeps its lock.
        let locked = matches!(error, StoreError::Locked { .. });
        let told = error.to_string().contains("didn't answer within 300ms");
        assert!(told || locked, "{error:?}");
    };
    let begin = Instant::now();
    let loaded = CredentialStore::load(&store, &key("joe")).await;
    check(loaded.unwrap_err());
    assert!(
        begin.elapsed() < DEADLINE + Duration::from_millis(500),
        "{:?}",
        begin.elapsed()
    );
    everything_fails(&store, directory, check).await;
    // Other locks are free.
    drop(CredentialStore::lock(&store, &key("joe")).await.unwrap());
    let save = CredentialStore::save(&store, &key("joe"), &credential("canary")).await;
    let error = format!("{:?}", save.unwrap_err());
    assert!(!error.contains("canary"), "{error}");
    std::fs::write(directory.join(TOOK), begin.elapsed().as_millis().to_string()).unwrap();
}

#[test]
fn a_vault_in_it_keeps_nobody_waiting_either() {
    let Some(desktop) = Desktop::new() else { return };
    let done = desktop.run(&Ring::None, "dumb vault");
    done.well();
    let most = DEADLINE + STARTING + Duration::from_secs(1);
    assert!(done.took < most, "{:?}", done.took);
}

pub(crate) async fn vault() {
    let _dumb = dumb();
    let vault = KeyringVault::new(Keyring::new().with_deadline(DEADLINE), "here");
    let read = tokio::task::spawn_blocking(move || vault.read(KeySlot::Current));
    let error = read.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
}

#[test]
fn the_first_request_is_not_the_one_that_may_end_gnome_keyring() {
    let Some(desktop) = Desktop::new() else { return };
    desktop.run(&Ring::None, "dumb first").well();
}

pub(crate) async fn first_request() {
    let dumb = dumb();
    let requests = zbus::blocking::MessageIterator::from(&dumb);
    let keyring = Keyring::new().with_deadline(DEADLINE);
    keyring.probe().await.unwrap_err();
    drop(dumb.close());
    let mut members = requests
        .flatten()
        .filter(|message| message.message_type() == zbus::message::Type::MethodCall)
        .filter_map(|message| message.header().member().map(ToString::to_string));
    assert_eq!(members.next().as_deref(), Some("Get"));
    assert!(
        members.all(|member| member == "Get"),
        "no session before an answer"
    );
}

/// K02
#[test]
fn the_default_deadline_is_ten_seconds() {
    assert_eq!(Keyring::DEADLINE, Duration::from_secs(10));
    let store = open(Path::new("/nowhere"));
    assert!(format!("{store:?}").contains("10s"), "{store:?}");
}

/// Owns the name of the Secret Service, and has no object that would answer.
fn dumb() -> zbus::blocking::Connection {
    zbus::blocking::connection::Builder::session()
        .unwrap()
        .name("org.freedesktop.secrets")
        .unwrap()
        .build()
        .unwrap()
}
