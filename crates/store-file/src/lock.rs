//! Locks among the processes of a machine: the operating system gives them back when their holder dies.

use crate::directory::Directory;
use crate::error::{io, unavailable};
use crate::fernet::hex;
use crate::names::LOCKS;
use gatepass_core::{CredentialKey, StoreError};
use sha2::{Digest, Sha256};
use std::fs::{File, TryLockError};
use std::hint::black_box;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// An open, locked file.
#[derive(Debug)]
pub(crate) struct Held(File);

impl Held {
    /// Writes who has it, for who waits in vain. A full disk is no reason to have no lock.
    pub(crate) async fn signed(self) -> Result<Self, StoreError> {
        blocking(move || {
            let (mut file, id) = (&self.0, std::process::id().to_string());
            _ = file.set_len(0).and_then(|()| file.write_all(id.as_bytes()));
            Ok(self)
        })
        .await
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Closing alone would leave the lock with a child process that was just being started.
        _ = self.0.unlock();
    }
}

/// The lock file of the store itself.
pub(crate) fn of_store() -> String {
    "store.lock".to_owned()
}

/// The lock file of a credential. A hash, since file systems differ in which names are the same.
pub(crate) fn of_credential(key: &CredentialKey) -> String {
    format!("{}.lock", hex(&Sha256::digest(key.to_string())))
}

/// Waits without keeping a thread; when the future is dropped, nothing is held.
pub(crate) async fn acquire(
    path: PathBuf,
    name: String,
    patience: Duration,
    what: &str,
) -> Result<Held, StoreError> {
    const LONGEST_PAUSE: Duration = Duration::from_millis(20);
    let begin = Instant::now();
    let mut pause = Duration::from_millis(1);
    let lock_file = path.join(LOCKS).join(&name);
    let mut file = blocking(move || open(&path, &name)).await?;
    loop {
        let (back, tried) = blocking(move || {
            let tried = file.try_lock();
            Ok((file, tried))
        })
        .await?;
        match tried {
            Ok(()) => return Ok(Held(back)),
            Err(TryLockError::WouldBlock) => file = back,
            Err(TryLockError::Error(error)) => return Err(io("locking", &lock_file)(error)),
        }
        let left = patience.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return Err(StoreError::Locked {
                what: what.to_owned(),
                waited: patience,
                holder: Some(holder(&file, &lock_file)),
            });
        }
        sleep(pause.min(left)).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

/// Who has the lock file, as its holder wrote there.
fn holder(file: &File, path: &Path) -> String {
    let mut id = String::new();
    let read = file.take(20).read_to_string(&mut id);
    match (read, id.parse::<u32>()) {
        (Ok(_), Ok(id)) => format!("process {id} holds {}", path.display()),
        _ => format!("it holds {}", path.display()),
    }
}

fn open(path: &Path, name: &str) -> Result<File, StoreError> {
    Directory::create(path)?.create_inside(LOCKS)?.lock_file(name)
}

/// Runs file operations off the async threads, and leaves no key on the stack there.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(|| without_traces(work)).await {
        Ok(done) => done,
        Err(stopped) => Err(unavailable("the runtime is shutting down", stopped)),
    }
}

/// Runs `work`, then overwrites what it has used of the stack: ciphers and hashes leave their keys there.
pub(crate) fn without_traces<T>(work: impl FnOnce() -> T) -> T {
    const DEPTH: usize = 64 << 10;
    #[inline(never)]
    fn run<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
    #[inline(never)]
    fn overwrite() {
        black_box(&mut [0_u8; DEPTH]);
    }
    let done = run(work);
    overwrite();
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass_core::ProviderName;

    /// Another version of this program on the same machine waits for the same files.
    #[test]
    fn the_names_of_the_lock_files_stay_what_they_are() {
        let google = CredentialKey::new(ProviderName::parse("google").unwrap());
        let jane = google.with_account("jane@example.com").unwrap();
        assert_eq!(of_store(), "store.lock");
        assert_eq!(
            of_credential(&jane),
            "9153e33ac5c7e535a92306d5c635b10cac254ae19298e84d78e876adcb1ef936.lock"
        );
    }

    #[test]
    fn a_lock_that_is_given_back_is_free_though_a_child_still_has_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let lock = || {
            let file = open(&directory.path().join("store"), "x.lock").unwrap();
            file.try_lock().map(|()| Held(file))
        };
        let held = lock().unwrap();
        let childs = held.0.try_clone().unwrap();
        assert!(matches!(lock(), Err(TryLockError::WouldBlock)));
        drop(held);
        assert!(lock().is_ok());
        drop(childs);
    }
}
