//! A keyring in memory, with the cap of Windows.

use crate::error::unavailable;
use crate::ring::{Connect, Entry, Ring, Secret};
use crate::{Keyring, KeyringStore};
use gatepass_core::StoreError;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

pub(super) const CAP: usize = 2560;

#[derive(Debug, Clone, Default)]
pub(super) struct Fake(Arc<Mutex<State>>);

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) entries: BTreeMap<(String, String), Vec<u8>>,
    /// Changes that still go well; afterwards each fails, as if the process had died.
    pub(super) changes_left: Option<usize>,
    pub(super) changes: usize,
    /// How long each call takes.
    pub(super) takes: Duration,
    pub(super) panics: bool,
    pub(super) most_at_once: usize,
    at_once: usize,
}

impl Fake {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keyring(&self) -> Keyring {
        Keyring::of(Arc::new(self.clone()))
    }

    pub(super) fn store(&self, directory: &Path) -> KeyringStore {
        KeyringStore::open(self.keyring(), directory).unwrap()
    }

    /// The users of all entries.
    pub(super) fn users(&self) -> Vec<String> {
        self.state()
            .entries
            .keys()
            .map(|(_, user)| user.clone())
            .collect()
    }

    fn call<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let takes = {
            let mut state = self.state();
            state.at_once += 1;
            state.most_at_once = state.most_at_once.max(state.at_once);
            assert!(!state.panics, "the keyring's library has a bug");
            state.takes
        };
        std::thread::sleep(takes);
        let mut state = self.state();
        state.at_once -= 1;
        act(&mut state)
    }

    fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> Result<T, StoreError> {
        self.call(|state| {
            if state.changes_left.is_some_and(|left| state.changes >= left) {
                return Err(unavailable("the process died", None::<&str>));
            }
            state.changes += 1;
            Ok(act(state))
        })
    }
}

impl Connect for Fake {
    fn connect(&self) -> Result<Box<dyn Ring>, StoreError> {
        Ok(Box::new(self.clone()))
    }

    fn place(&self) -> &'static str {
        "the fake keyring"
    }
}

fn id(entry: &Entry) -> (String, String) {
    (entry.service.clone(), entry.user.clone())
}

impl Ring for Fake {
    fn get(&self, entry: &Entry) -> Result<Option<Secret>, StoreError> {
        Ok(self.call(|state| state.entries.get(&id(entry)).cloned().map(Zeroizing::new)))
    }

    fn set(&self, entry: &Entry, secret: &[u8]) -> Result<(), StoreError> {
        assert!(secret.len() <= CAP, "{} bytes", secret.len());
        self.change(|state| _ = state.entries.insert(id(entry), secret.to_vec()))
    }

    fn remove(&self, entry: &Entry) -> Result<bool, StoreError> {
        self.change(|state| state.entries.remove(&id(entry)).is_some())
    }

    fn users(&self, service: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.call(|state| {
            let entries = state.entries.keys().filter(|(its, _)| its == service);
            entries.map(|(_, user)| user.clone()).collect()
        }))
    }

    fn most_bytes(&self) -> usize {
        CAP
    }
}
