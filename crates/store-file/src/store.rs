use crate::directory::Directory;
use crate::error::io;
use crate::keys::Place;
use crate::lock::{self, Held, blocking};
use crate::names::{CREDENTIALS, KEY, NEXT_KEY};
use crate::rotation;
use crate::session::{Session, read, set_aside};
use crate::source::{KeyLocation, KeySource};
use gatepass_core::{
    Credential, CredentialKey, CredentialLock, CredentialStore, Exclusion, StoreError, async_trait,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Remembers credentials in an encrypted file that all processes of this machine may share.
///
/// * **Loading** never waits for a lock, and changes nothing on disk. In one process sixteen loads of a directory
///   run at once; the others wait for a turn, though no longer than a second.
/// * **Saving** replaces the file: whole or not at all, and durable when it returns. It reads the file again under a
///   lock, so that nobody's change is lost. A caller that goes away while the file is being written doesn't cut
///   that off.
/// * **What can't be read** is an error, and stays as it is until somebody saves or deletes; then it is moved to
///   `credentials.json.enc.unreadable-1` (or the next free number), provided that nobody could have read it: a
///   damaged file, or one whose key is lost. A wrong passphrase or given key moves nothing.
/// * **Locks** ([`Exclusion::Host`]) die with their holder, `kill -9` included.
///
/// The directory may be a symbolic link, which is followed when it is opened; nothing in it may be one. The file
/// system must know locks and atomic renames: local ones do, NFS from version 4 on.
///
/// Clones share the key that was derived from a passphrase. Needs a tokio runtime with its timer enabled.
///
/// ```
/// use gatepass_core::{Credential, CredentialKey, CredentialStore, ProviderName};
/// use gatepass_file_store::{FileStore, KeySource};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let directory = directory.path().join("gatepass");
/// let store = FileStore::open(directory, KeySource::KeyFile)?;
/// let key = CredentialKey::new(ProviderName::parse("google")?);
/// store.save(&key, &Credential::new("https://as.example/token", "client")).await?;
/// assert!(store.load(&key).await?.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct FileStore {
    place: Arc<Place>,
    patience: Duration,
}

impl FileStore {
    /// How long a lock is waited for, unless [`with_lock_patience`](Self::with_lock_patience) says otherwise.
    pub const LOCK_PATIENCE: Duration = Duration::from_secs(60);

    /// The store in `directory`. Touches no file: the directory is made at the first save or lock.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for an empty passphrase or a given key that is none.
    pub fn open(directory: impl AsRef<Path>, key: KeySource) -> Result<Self, StoreError> {
        let directory = directory.as_ref();
        // A relative path means the same directory even when the process moves on.
        let path = std::path::absolute(directory).map_err(io("finding", directory))?;
        Ok(Self {
            place: Arc::new(Place::new(path, key)?),
            patience: Self::LOCK_PATIENCE,
        })
    }

    /// Sets how long a lock is waited for before [`StoreError::Locked`].
    #[must_use]
    pub fn with_lock_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The file with the credentials, whether it is there or not.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.place.path.join(CREDENTIALS)
    }

    /// Where the key is.
    #[must_use]
    pub fn key_location(&self) -> KeyLocation {
        self.place.location()
    }

    /// Encrypts everything with a new key of `key`, and hands out the store that uses it.
    ///
    /// May be cut off at any moment: the old key or the new one opens the store, and the next save tidies up. Other
    /// handles go on with a key file or a vault; those with a passphrase or a given key must be opened anew, as
    /// must those of another kind of key.
    ///
    /// # Errors
    /// [`StoreError`]; the old key is then still in use, or the new one already.
    pub async fn rotate_key(&self, key: KeySource) -> Result<Self, StoreError> {
        let new = Arc::new(Place::new(self.place.path.clone(), key)?);
        let held = self.lock_store().await?;
        let (old, rotated) = (Arc::clone(&self.place), Arc::clone(&new));
        blocking(move || {
            let _held = held;
            rotation::rotate(&old, &rotated, &Directory::create(&old.path)?)
        })
        .await?;
        Ok(Self {
            place: new,
            patience: self.patience,
        })
    }

    /// Takes the key file back from others who can read it: closes it to them, and encrypts everything with a new key, as
    /// they may know the old one. Tells whether that was so; any other key is left as it is.
    ///
    /// Everything else refuses such a key, so this is for a person who has been told of it. A store that can't be read
    /// keeps its key.
    ///
    /// # Errors
    /// [`StoreError`]; if it is cut off, the key is closed at least, or nothing has changed.
    pub async fn renew_exposed_key(&self) -> Result<bool, StoreError> {
        let is_exposed = |place: &Place, directory: &Directory| match place.source {
            KeySource::KeyFile => Ok(directory.is_open_to_others(KEY)?),
            _ => Ok(false),
        };
        if self.reading(is_exposed).await? != Some(true) {
            return Ok(false);
        }
        self.writing(|place, directory| {
            for name in [KEY, NEXT_KEY] {
                directory.close_file_to_others(name)?;
            }
            if read(place, directory).is_ok() {
                rotation::rotate(place, place, directory)?;
            }
            Ok(true)
        })
        .await
    }

    /// Tries whether a credential could be saved, before anybody goes to the trouble of getting one: whether what is
    /// there can be read, or may be moved aside, and whether the disk has room. Leaves nothing
    /// behind but the directory with its locks.
    ///
    /// # Errors
    /// The [`StoreError`] that saving would have.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.writing(|place, directory| match read(place, directory) {
            Err(failure) if failure.aside.is_empty() => Err(failure.error),
            _ => directory.probe(CREDENTIALS),
        })
        .await
    }

    async fn lock_store(&self) -> Result<Held, StoreError> {
        let what = self.path().display().to_string();
        lock::acquire(self.place.path.clone(), lock::of_store(), self.patience, &what).await
    }

    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Place, &Directory) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        let place = Arc::clone(&self.place);
        let read = move || match Directory::open(&place.path)? {
            Some(directory) => read(&place, &directory).map(Some),
            None => Ok(None),
        };
        self.place.readers.read(read).await
    }

    async fn writing<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Place, &Directory) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let held = self.lock_store().await?;
        let place = Arc::clone(&self.place);
        blocking(move || {
            let _held = held;
            write(&place, &Directory::create(&place.path)?)
        })
        .await
    }

    async fn load(&self, key: CredentialKey) -> Result<Option<Credential>, StoreError> {
        let load = move |place: &Place, directory: &Directory| match read(place, directory)?.document {
            Some(document) => document.credential(&key),
            None => Ok(None),
        };
        self.reading(load).await.map(Option::flatten)
    }

    async fn save(&self, key: CredentialKey, credential: Credential) -> Result<(), StoreError> {
        self.writing(move |place, directory| {
            let mut session = Session::begin(place, directory)?;
            session.document.put(&key, &credential)?;
            session.commit()
        })
        .await
    }

    async fn delete(&self, key: CredentialKey) -> Result<bool, StoreError> {
        // Nothing is made on disk only to find that there is nothing.
        let there = |_: &Place, directory: &Directory| Ok(directory.read(CREDENTIALS)?.is_some());
        if self.reading(there).await? != Some(true) {
            return Ok(false);
        }
        self.writing(move |place, directory| {
            loop {
                match read(place, directory) {
                    Ok(found) => {
                        let mut session = Session::of(place, directory, found)?;
                        return Ok(session.document.remove(&key) && session.commit().map(|()| true)?);
                    }
                    Err(failure) => {
                        if set_aside(directory, failure)? {
                            return Ok(true);
                        }
                    }
                }
            }
        })
        .await
    }

    async fn list(&self) -> Result<Vec<CredentialKey>, StoreError> {
        let list = |place: &Place, directory: &Directory| {
            let document = read(place, directory)?.document;
            Ok(document.map(|document| document.keys()).unwrap_or_default())
        };
        Ok(self.reading(list).await?.unwrap_or_default())
    }
}

#[async_trait]
impl CredentialStore for FileStore {
    async fn load(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        self.load(key.clone()).await
    }

    async fn save(&self, key: &CredentialKey, credential: &Credential) -> Result<(), StoreError> {
        self.save(key.clone(), credential.clone()).await
    }

    async fn delete(&self, key: &CredentialKey) -> Result<bool, StoreError> {
        self.delete(key.clone()).await
    }

    async fn list(&self) -> Result<Vec<CredentialKey>, StoreError> {
        self.list().await
    }

    async fn lock(&self, key: &CredentialKey) -> Result<CredentialLock, StoreError> {
        let (path, name) = (self.place.path.clone(), lock::of_credential(key));
        let held = lock::acquire(path, name, self.patience, &key.to_string()).await?;
        Ok(CredentialLock::new(held.signed().await?))
    }

    fn exclusion(&self) -> Exclusion {
        Exclusion::Host
    }
}
