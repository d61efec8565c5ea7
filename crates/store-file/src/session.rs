//! Reading a store as it is, and changing it under the store lock.

use crate::description::{Description, KeyEntry, random_id};
use crate::directory::Directory;
use crate::document::Document;
use crate::error::{Failure, corrupt, no_randomness, refused, wrong_key};
use crate::fernet::{Key, Reject};
use crate::keys::Place;
use crate::names::CREDENTIALS;
use gatepass_core::{Clock, KeySlot, StoreError, SystemClock};
use std::path::Path;

/// A store as it was found.
pub(crate) struct Found {
    description: Option<Description>,
    /// The key that it is encrypted with, or would be.
    key: Option<(KeySlot, Key)>,
    /// A change of keys left a second one.
    two_keys: bool,
    /// `None` while nothing was ever saved.
    pub(crate) document: Option<Document>,
}

/// More changes of keys than that don't happen while a file is read.
const ATTEMPTS: usize = 6;

/// Reads a store without any lock. What fails is read again until nothing has changed in between: another process
/// may have been changing the key.
pub(crate) fn read(place: &Place, directory: &Directory) -> Result<Found, Failure> {
    let mut before = None;
    loop {
        let description = Description::read(directory, &place.source)?;
        let token = directory.read(CREDENTIALS)?;
        let keys = place.candidates(directory, description.as_ref())?;
        let path = directory.path_of(CREDENTIALS);
        match unlock(
            place,
            &path,
            description.as_ref(),
            token.as_ref().map(|it| it.as_slice()),
            &keys,
        ) {
            Ok((key, document)) => {
                return Ok(Found {
                    description,
                    key,
                    two_keys: keys.len() > 1,
                    document,
                });
            }
            Err(failure) => {
                let attempt = before.as_ref().map_or(1, |(attempt, _)| attempt + 1);
                let now = (description, token);
                if attempt >= ATTEMPTS || before.is_some_and(|(_, before)| before == now) {
                    return Err(failure);
                }
                before = Some((attempt, now));
            }
        }
    }
}

type Unlocked = (Option<(KeySlot, Key)>, Option<Document>);

fn unlock(
    place: &Place,
    path: &Path,
    description: Option<&Description>,
    token: Option<&[u8]>,
    keys: &[(KeySlot, Key)],
) -> Result<Unlocked, Failure> {
    let Some(token) = token else {
        return Ok((keys.first().cloned(), None));
    };
    for (slot, key) in keys {
        match key.decrypt(token) {
            Ok(json) => {
                let document = Document::parse(&json, path).map_err(may_be_set_aside)?;
                if description.is_some_and(|description| description.store != document.store()) {
                    return Err(may_be_set_aside(corrupt(path, "it belongs to another store")));
                }
                return Ok((Some((*slot, key.clone())), Some(document)));
            }
            Err(Reject::Signature) => {}
            Err(reject) => return Err(may_be_set_aside(corrupt(path, reject.to_string()))),
        }
    }
    Err(why_locked(place, path, description, keys, token))
}

/// Fernet can't tell a wrong key from a damaged token; the description names the key, so it can.
fn why_locked(
    place: &Place,
    path: &Path,
    description: Option<&Description>,
    keys: &[(KeySlot, Key)],
    token: &[u8],
) -> Failure {
    if let Some(reject) = Key::new([0; 32]).decrypt(token).err()
        && reject != Reject::Signature
    {
        return may_be_set_aside(corrupt(path, reject.to_string()));
    }
    let sure = |key| description.is_some_and(|description| description.is_sure_of(key));
    if keys.iter().any(|(_, key)| sure(key)) {
        return may_be_set_aside(corrupt(
            path,
            "its signature doesn't match, though the key is right",
        ));
    }
    if let Some(kept) = description.and_then(|description| description.kept_elsewhere_than(place)) {
        let why = format!("its key is kept elsewhere ({kept})");
        return refused(
            path.display(),
            why,
            "open it with that kind of key, which GATEPASS_KEY says",
        )
        .into();
    }
    let error = match keys {
        [] => wrong_key(path, format!("there is no key for it: {}", place.location())),
        _ => wrong_key(path, format!("this key doesn't open it: {}", place.location())),
    };
    if place.may_have_lost_its_key(description) {
        Failure::new(error, [CREDENTIALS])
    } else {
        error.into()
    }
}

fn may_be_set_aside(error: StoreError) -> Failure {
    match error {
        StoreError::Corrupt { .. } => Failure::new(error, [CREDENTIALS]),
        _ => error.into(),
    }
}

/// A store that is about to change; its lock is held.
pub(crate) struct Session<'a> {
    place: &'a Place,
    pub(crate) directory: &'a Directory,
    pub(crate) description: Description,
    /// The description as it lies on disk.
    written: Option<Description>,
    pub(crate) key: Key,
    pub(crate) document: Document,
}

impl<'a> Session<'a> {
    /// Reads the store to change it. What can't be read is moved aside, if that loses nothing that anybody could
    /// have read.
    pub(crate) fn begin(place: &'a Place, directory: &'a Directory) -> Result<Self, StoreError> {
        loop {
            match read(place, directory) {
                Ok(found) => return Self::of(place, directory, found),
                Err(failure) => set_aside(directory, failure)?,
            };
        }
    }

    /// Finishes a change of keys that was cut off, and makes what is missing.
    pub(crate) fn of(place: &'a Place, directory: &'a Directory, found: Found) -> Result<Self, StoreError> {
        let (key, derivation) = match found.key {
            Some((slot, key)) => {
                if slot == KeySlot::Next {
                    place.keep(directory, KeySlot::Current, &key)?;
                }
                if slot == KeySlot::Next || found.two_keys {
                    place.forget(directory, KeySlot::Next)?;
                }
                (key, None)
            }
            None => {
                let (key, derivation) = place.fresh()?;
                place.keep(directory, KeySlot::Current, &key)?;
                (key, derivation)
            }
        };
        let entry = |description: &Description| description.entry_of(&key).cloned();
        let entry = found.description.as_ref().and_then(entry);
        let keys = vec![entry.unwrap_or_else(|| KeyEntry::new(&key, place, derivation))];
        let description = match (&found.description, &found.document) {
            (Some(description), _) => description.with_keys(keys),
            (None, Some(document)) => Description::new(document.store().to_owned(), keys),
            (None, None) => Description::new(random_id()?, keys),
        };
        let document = found
            .document
            .unwrap_or_else(|| Document::new(&description.store));
        Ok(Self {
            place,
            directory,
            written: found.description,
            description,
            key,
            document,
        })
    }

    /// Writes the description, if it has changed.
    pub(crate) fn describe(&mut self) -> Result<(), StoreError> {
        if self.written.as_ref() != Some(&self.description) {
            self.description.write(self.directory)?;
            self.written = Some(self.description.clone());
        }
        Ok(())
    }

    /// Writes everything; durable when this returns.
    pub(crate) fn commit(&mut self) -> Result<(), StoreError> {
        self.describe()?;
        let now = SystemClock.now().wall.as_secs();
        let token = self.key.encrypt(&self.document.to_json()?, now);
        let token = token.map_err(no_randomness)?;
        self.directory.write(CREDENTIALS, token.as_bytes())
    }

    pub(crate) fn place(&self) -> &'a Place {
        self.place
    }
}

/// Moves aside what can't be read, and tells whether the credentials were among it.
pub(crate) fn set_aside(directory: &Directory, failure: Failure) -> Result<bool, StoreError> {
    let mut moved = Vec::new();
    for name in &failure.aside {
        if let Some(path) = directory.set_aside(name)? {
            let (path, error) = (path.display(), &failure.error);
            let holds = if *name == CREDENTIALS {
                ", and may still hold logins"
            } else {
                ""
            };
            tracing::warn!(%path, %error, "{error}; it is kept as {path}{holds}: to remove it, run: rm '{path}'");
            moved.push(*name);
        }
    }
    if moved.is_empty() {
        return Err(failure.error);
    }
    Ok(moved.contains(&CREDENTIALS))
}
