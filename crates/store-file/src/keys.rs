//! The keys that a store may be encrypted with: found, made, kept, forgotten.

use crate::description::Description;
use crate::directory::Directory;
use crate::error::{Failure, corrupt, no_randomness, refused, unavailable};
use crate::fernet::Key;
use crate::names::{CREDENTIALS, DESCRIPTION, KEY, NEXT_KEY};
use crate::passphrase::{Derivation, Unusable};
use crate::readers::Readers;
use crate::source::{KeyLocation, KeySource};
use gatepass_core::{ExposeSecret, KeySlot, SecretString, StoreError};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// A store's directory and the source of its key.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) source: KeySource,
    pub(crate) readers: Readers,
    /// Deriving takes a second, so it is done once. Never more than two at a time.
    derived: Mutex<Vec<(Derivation, Key)>>,
}

const NO_KEY: &str = "is not 44 characters of URL-safe base64";

impl Place {
    /// Judges what the caller gave; touches no file.
    pub(crate) fn new(path: PathBuf, source: KeySource) -> Result<Self, StoreError> {
        match &source {
            KeySource::Passphrase(passphrase) if passphrase.expose_secret().is_empty() => {
                return Err(refused("the passphrase", "it is empty", "choose a longer one"));
            }
            KeySource::Given(key) => {
                given(key)?;
            }
            _ => {}
        }
        Ok(Self {
            readers: Readers::of(&path),
            path,
            source,
            derived: Mutex::default(),
        })
    }

    pub(crate) fn location(&self) -> KeyLocation {
        match &self.source {
            KeySource::KeyFile => KeyLocation::SameDisk(self.path.join(KEY)),
            KeySource::Passphrase(_) => KeyLocation::Passphrase,
            KeySource::Given(_) => KeyLocation::Given,
            KeySource::Vault(vault) => KeyLocation::Vault(vault.location()),
        }
    }

    /// The keys that there are, the current one first.
    pub(crate) fn candidates(
        &self,
        directory: &Directory,
        description: Option<&Description>,
    ) -> Result<Vec<(KeySlot, Key)>, Failure> {
        match &self.source {
            KeySource::Given(key) => Ok(vec![(KeySlot::Current, given(key)?)]),
            KeySource::Passphrase(passphrase) => Ok(self.derive_all(passphrase, directory, description)?),
            KeySource::KeyFile | KeySource::Vault(_) => {
                let mut keys = Vec::new();
                for slot in [KeySlot::Current, KeySlot::Next] {
                    keys.extend(self.read(directory, slot, description)?.map(|key| (slot, key)));
                }
                Ok(keys)
            }
        }
    }

    fn read(
        &self,
        directory: &Directory,
        slot: KeySlot,
        description: Option<&Description>,
    ) -> Result<Option<Key>, Failure> {
        if let KeySource::Vault(vault) = &self.source {
            let Some(text) = vault.read(slot)? else {
                return Ok(None);
            };
            let unfit = || {
                refused(
                    vault.location(),
                    format!("its key {NO_KEY}"),
                    "remove it, and log in again",
                )
            };
            return Ok(Some(Key::parse(text.expose_secret()).ok_or_else(unfit)?));
        }
        let name = file(slot);
        let Some(bytes) = directory.read_secret(name)? else {
            return Ok(None);
        };
        let key = std::str::from_utf8(&bytes).ok().and_then(Key::parse);
        let damaged = || {
            let why = format!("it {NO_KEY}");
            let error = corrupt(&directory.path_of(name), why);
            match slot {
                _ if !self.may_have_lost_its_key(description) => error.into(),
                KeySlot::Current => Failure::new(error, [KEY, CREDENTIALS]),
                KeySlot::Next => Failure::new(error, [NEXT_KEY]),
            }
        };
        key.map(Some).ok_or_else(damaged)
    }

    /// Those keys that the passphrase leads to: none if it is another passphrase.
    fn derive_all(
        &self,
        passphrase: &SecretString,
        directory: &Directory,
        description: Option<&Description>,
    ) -> Result<Vec<(KeySlot, Key)>, StoreError> {
        let mut keys = Vec::new();
        for entry in description.iter().flat_map(|description| &description.keys) {
            let Some(derivation) = &entry.derivation else {
                continue;
            };
            let key = self
                .derive(derivation, passphrase)
                .map_err(|unusable| match unusable {
                    Unusable::Memory => unavailable("deriving the key from the passphrase", unusable),
                    _ => corrupt(&directory.path_of(DESCRIPTION), unusable.to_string()),
                })?;
            if entry.is_for(&key) {
                keys.push((KeySlot::Current, key));
            }
        }
        Ok(keys)
    }

    /// Derives once at a time: two at once would need the memory twice.
    fn derive(&self, derivation: &Derivation, passphrase: &SecretString) -> Result<Key, Unusable> {
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = derived.iter().find(|(known, _)| known == derivation) {
            return Ok(key.clone());
        }
        let key = derivation.derive(passphrase)?;
        if derived.len() > 1 {
            derived.remove(0);
        }
        derived.push((derivation.clone(), key.clone()));
        Ok(key)
    }

    /// A key that nothing was encrypted with yet; kept nowhere so far. A given key is the same each time.
    pub(crate) fn fresh(&self) -> Result<(Key, Option<Derivation>), StoreError> {
        match &self.source {
            KeySource::Given(key) => Ok((given(key)?, None)),
            KeySource::Passphrase(passphrase) => {
                let derivation = Derivation::fresh()?;
                let failed = |unusable| unavailable("deriving the key from the passphrase", unusable);
                let key = self.derive(&derivation, passphrase).map_err(failed)?;
                Ok((key, Some(derivation)))
            }
            KeySource::KeyFile | KeySource::Vault(_) => Ok((Key::random().map_err(no_randomness)?, None)),
        }
    }

    /// Keeps a key durably, where this source keeps keys at all.
    pub(crate) fn keep(&self, directory: &Directory, slot: KeySlot, key: &Key) -> Result<(), StoreError> {
        match &self.source {
            KeySource::KeyFile => directory.write(file(slot), key.to_text().expose_secret().as_bytes()),
            KeySource::Vault(vault) => vault.write(slot, &key.to_text()),
            KeySource::Given(_) | KeySource::Passphrase(_) => Ok(()),
        }
    }

    pub(crate) fn forget(&self, directory: &Directory, slot: KeySlot) -> Result<(), StoreError> {
        match &self.source {
            KeySource::KeyFile => directory.remove(file(slot)),
            KeySource::Vault(vault) => vault.remove(slot),
            KeySource::Given(_) | KeySource::Passphrase(_) => Ok(()),
        }
    }

    /// Whether a key that is missing or wrong is lost, rather than mistyped, kept elsewhere, or in the middle of a
    /// change that can be finished from another source.
    pub(crate) fn may_have_lost_its_key(&self, description: Option<&Description>) -> bool {
        let keeps_keys = matches!(self.source, KeySource::KeyFile | KeySource::Vault(_));
        keeps_keys && description.is_none_or(|description| description.names_one_key_of(self))
    }
}

const fn file(slot: KeySlot) -> &'static str {
    match slot {
        KeySlot::Current => KEY,
        KeySlot::Next => NEXT_KEY,
    }
}

fn given(key: &SecretString) -> Result<Key, StoreError> {
    Key::parse(key.expose_secret()).ok_or_else(|| {
        let fix = "give the content of a .key file, or use a passphrase";
        refused("the given key", format!("it {NO_KEY}"), fix)
    })
}
