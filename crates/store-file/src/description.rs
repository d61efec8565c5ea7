//! What must be known about a store before it is decrypted: its id, and which key it wants.

use crate::directory::Directory;
use crate::error::{Failure, corrupt, no_randomness, refused};
use crate::fernet::{Key, hex};
use crate::keys::Place;
use crate::names::DESCRIPTION;
use crate::passphrase::Derivation;
use crate::source::KeySource;
use gatepass_core::StoreError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `credentials.meta.json`. Without it, a store with a key of its own can be read all the same, but a wrong key
/// looks like a damaged file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Description {
    version: u64,
    pub(crate) store: String,
    /// One; two while the key is being changed.
    pub(crate) keys: Vec<KeyEntry>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyEntry {
    id: String,
    /// [`KeyLocation::word`](crate::KeyLocation::word) of its source, so that a process that forgot where its key is
    /// doesn't take the store for one whose key is lost.
    kept: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) derivation: Option<Derivation>,
}

const VERSION: u64 = 1;

impl Description {
    pub(crate) fn new(store: String, keys: Vec<KeyEntry>) -> Self {
        Self {
            version: VERSION,
            store,
            keys,
            unknown: Map::new(),
        }
    }

    /// The same store with other keys.
    pub(crate) fn with_keys(&self, keys: Vec<KeyEntry>) -> Self {
        Self { keys, ..self.clone() }
    }

    pub(crate) fn read(directory: &Directory, source: &KeySource) -> Result<Option<Self>, Failure> {
        let Some(bytes) = directory.read(DESCRIPTION)? else {
            return Ok(None);
        };
        let path = directory.path_of(DESCRIPTION);
        let damaged = |why: &str| match source {
            // It holds the salt: without it, the passphrase opens nothing.
            KeySource::Passphrase(_) => Failure::from(corrupt(&path, why)),
            _ => Failure::new(corrupt(&path, why), [DESCRIPTION]),
        };
        let json: Value = serde_json::from_slice(&bytes).map_err(|_| damaged("it is not JSON"))?;
        if json
            .get("version")
            .and_then(Value::as_u64)
            .is_some_and(|version| version > VERSION)
        {
            return Err(newer(path.display()).into());
        }
        let description: Self =
            serde_json::from_value(json).map_err(|_| damaged("it doesn't describe a store"))?;
        // Each may cost a second of work.
        if description.keys.len() > 2 {
            return Err(damaged("it names more than two keys"));
        }
        Ok(Some(description))
    }

    pub(crate) fn write(&self, directory: &Directory) -> Result<(), StoreError> {
        let failed = |error| crate::error::unavailable("writing the store's description", error);
        let json = serde_json::to_vec_pretty(self).map_err(failed)?;
        directory.write(DESCRIPTION, &json)
    }

    /// Whether the store is encrypted with this key for sure.
    pub(crate) fn is_sure_of(&self, key: &Key) -> bool {
        matches!(self.keys.as_slice(), [only] if only.is_for(key))
    }

    /// Where the key is kept, if there is only one and this place isn't where.
    pub(crate) fn kept_elsewhere_than(&self, place: &Place) -> Option<&str> {
        match self.keys.as_slice() {
            [only] if only.kept != place.location().word() => Some(&only.kept),
            _ => None,
        }
    }

    /// Whether there is only one key, and this place is where it is kept.
    pub(crate) fn names_one_key_of(&self, place: &Place) -> bool {
        self.keys.len() == 1 && self.kept_elsewhere_than(place).is_none()
    }

    pub(crate) fn entry_of(&self, key: &Key) -> Option<&KeyEntry> {
        self.keys.iter().find(|entry| entry.is_for(key))
    }
}

impl KeyEntry {
    pub(crate) fn new(key: &Key, place: &Place, derivation: Option<Derivation>) -> Self {
        Self {
            id: key.id(),
            kept: place.location().word().to_owned(),
            derivation,
        }
    }

    pub(crate) fn is_for(&self, key: &Key) -> bool {
        self.id == key.id()
    }
}

pub(crate) fn random_id() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    getrandom::getrandom(&mut bytes).map_err(no_randomness)?;
    Ok(hex(&bytes))
}

pub(crate) fn newer(what: impl std::fmt::Display) -> StoreError {
    refused(what, "a newer version of gatepass wrote it", "update gatepass")
}
