//! How many reads of one store run at once in this process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// More at once would each need a thread of its own, and all of them would take longer than one after the other.
const AT_ONCE: usize = 16;
/// A file system or a vault that hangs keeps those who wait no longer than that: then they go ahead all the same.
const PATIENCE: Duration = Duration::from_secs(1);

static ALL: Mutex<BTreeMap<PathBuf, Weak<Semaphore>>> = Mutex::new(BTreeMap::new());

/// Shared by all handles of a directory, and by nothing else: a network directory that hangs holds up no other store.
#[derive(Debug)]
pub(crate) struct Readers(Arc<Semaphore>);

/// The right to read, given back on drop. It belongs to the work, not to who waits for it.
pub(crate) type Turn = Option<OwnedSemaphorePermit>;

impl Readers {
    pub(crate) fn of(directory: &Path) -> Self {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(directory).and_then(Weak::upgrade) {
            return Self(known);
        }
        all.retain(|_, readers| readers.strong_count() > 0);
        let readers = Arc::new(Semaphore::new(AT_ONCE));
        all.insert(directory.to_owned(), Arc::downgrade(&readers));
        Self(readers)
    }

    /// Waits for a turn, though not for ever. Who reads waits for no lock meanwhile, so turns come.
    pub(crate) async fn turn(&self) -> Turn {
        if let Ok(turn) = Arc::clone(&self.0).try_acquire_owned() {
            return Some(turn);
        }
        timeout(PATIENCE, Arc::clone(&self.0).acquire_owned())
            .await
            .ok()?
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_its_own_turns_until_its_last_handle_is_gone() {
        let [here, there] = [Path::new("/here"), Path::new("/there")];
        let (one, other) = (Readers::of(here), Readers::of(here));
        assert!(Arc::ptr_eq(&one.0, &other.0));
        assert!(!Arc::ptr_eq(&one.0, &Readers::of(there).0));
        assert!(Arc::ptr_eq(&one.0, &Readers::of(here).0), "still the same");
        drop((one, other));
        let _there = Readers::of(there);
        assert!(!ALL.lock().unwrap().contains_key(here), "it takes no memory");
    }
}
