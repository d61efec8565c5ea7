//! Locks among the processes of a machine: the operating system gives them back when their holder dies.
//!
//! A keyring can't exclude anybody, so files in a directory of the caller's do. They name their last holder and are never removed.

use crate::error::io;
use gatepass_core::StoreError;
use sha2::{Digest, Sha256};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// An open, locked file.
#[derive(Debug)]
pub(crate) struct Held(File);

impl Drop for Held {
    fn drop(&mut self) {
        // Closing alone would leave the lock with a child process that was just being started.
        _ = self.0.unlock();
    }
}

/// The lock file that `name` stands for. A hash, since file systems differ in which names are the same.
pub(crate) fn file(directory: &Path, name: &str) -> PathBuf {
    let hash = Sha256::digest(name.as_bytes());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    directory.join("locks").join(format!("keyring-{hash}.lock"))
}

/// Waits without keeping a thread; when the future is dropped, nothing is held.
pub(crate) async fn acquire(path: PathBuf, patience: Duration, what: &str) -> Result<Held, StoreError> {
    const LONGEST_PAUSE: Duration = Duration::from_millis(20);
    let begin = Instant::now();
    let mut pause = Duration::from_millis(1);
    let mut file = blocking({
        let path = path.clone();
        move || open(&path)
    })
    .await?;
    loop {
        let (back, tried) = blocking(move || {
            let tried = file.try_lock();
            if tried.is_ok() {
                sign(&file);
            }
            Ok((file, tried))
        })
        .await?;
        match tried {
            Ok(()) => return Ok(Held(back)),
            Err(TryLockError::WouldBlock) => file = back,
            Err(TryLockError::Error(error)) => return Err(io("locking", &path)(error)),
        }
        let left = patience.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return Err(StoreError::Locked {
                what: what.to_owned(),
                waited: patience,
                holder: Some(holder(&file, &path)),
            });
        }
        sleep(pause.min(left)).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

/// Writes who has it, for who waits in vain. A full disk is no reason to have no lock.
fn sign(mut file: &File) {
    let id = std::process::id().to_string();
    _ = file.set_len(0).and_then(|()| file.write_all(id.as_bytes()));
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

fn open(path: &Path) -> Result<File, StoreError> {
    if let Some(directory) = path.parent() {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        for_this_user_alone::directory(&mut builder);
        builder
            .create(directory)
            .map_err(io("making the directory", directory))?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    for_this_user_alone::file(&mut options);
    options.open(path).map_err(io("opening the lock file", path))
}

#[cfg(unix)]
mod for_this_user_alone {
    use rustix::fs::OFlags;
    use std::fs::{DirBuilder, OpenOptions};
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

    pub(super) fn directory(builder: &mut DirBuilder) {
        builder.mode(0o700);
    }

    /// And never through a symbolic link, nor waiting for the other end of a FIFO.
    pub(super) fn file(options: &mut OpenOptions) {
        let flags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).bits();
        options.mode(0o600).custom_flags(flags.cast_signed());
    }
}

#[cfg(not(unix))]
mod for_this_user_alone {
    use std::fs::{DirBuilder, OpenOptions};

    pub(super) fn directory(_: &mut DirBuilder) {}

    pub(super) fn file(_: &mut OpenOptions) {}
}

/// Runs file operations, which are short, off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(stopped) => Err(StoreError::Unavailable {
            what: "the runtime is shutting down".to_owned(),
            source: Some(Arc::new(stopped)),
        }),
    }
}
