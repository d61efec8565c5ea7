//! A new key for an old store, so that at every moment the old key or the new one opens it.

use crate::description::KeyEntry;
use crate::directory::Directory;
use crate::keys::Place;
use crate::session::Session;
use crate::source::KeySource;
use gatepass_core::{KeySlot, StoreError};

/// Encrypts the store with a fresh key of `new`. The store lock is held.
///
/// 1. The new key is kept, and the description names both. 2. The credentials are encrypted with the new key.
/// 3. The new key takes the old one's place, and the description names it alone. Whatever is cut off is settled by
///    the next writer, see [`Session::of`].
pub(crate) fn rotate(old: &Place, new: &Place, directory: &Directory) -> Result<(), StoreError> {
    let mut session = Session::begin(old, directory)?;
    let (key, derivation) = new.fresh()?;
    let entry = KeyEntry::new(&key, new, derivation);
    let same_place = is_same_place(&old.source, &new.source);
    let slot = if same_place {
        KeySlot::Next
    } else {
        KeySlot::Current
    };
    new.keep(directory, slot, &key)?;
    let both = session.description.keys.iter().cloned().chain([entry.clone()]);
    session.description = session.description.with_keys(both.collect());
    session.key = key;
    session.commit()?;
    if same_place {
        new.keep(directory, KeySlot::Current, &session.key)?;
        new.forget(directory, KeySlot::Next)?;
    } else {
        session.place().forget(directory, KeySlot::Current)?;
    }
    session.description.keys = vec![entry];
    session.describe()
}

fn is_same_place(old: &KeySource, new: &KeySource) -> bool {
    match (old, new) {
        (KeySource::KeyFile, KeySource::KeyFile) => true,
        (KeySource::Vault(old), KeySource::Vault(new)) => old.location() == new.location(),
        _ => false,
    }
}
