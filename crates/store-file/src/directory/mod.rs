//! The store's directory: every file operation, and nothing outside that directory.

#[cfg(unix)]
#[path = "unix.rs"]
mod platform;

#[cfg(not(unix))]
#[path = "other.rs"]
mod platform;

use crate::error::{corrupt, io, refused};
use gatepass_core::StoreError;
use platform::Handle;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Opened once; a symbolic link to it is followed at that moment, and never one inside it.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    handle: Handle,
}

/// What a file holds, wiped on drop.
pub(crate) type Bytes = Zeroizing<Vec<u8>>;

/// Written under the store lock alone, so one name does; a crash leaves at most this file.
const TEMPORARY: &str = ".gatepass.tmp";
/// No file of ours comes near it.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// What a file is, as far as safety goes, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Facts {
    kind: Kind,
    /// Belongs to the user whom this process runs as.
    ours: bool,
    /// It has more than one name.
    linked: bool,
    /// Somebody else may read or write it.
    loose: bool,
    /// In bytes.
    length: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
    SymbolicLink,
    Other,
}

impl Directory {
    /// Opens it if it is there. Changes nothing.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(handle) = Handle::open(path)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            path: path.to_owned(),
            handle,
        }))
    }

    /// Opens it, made where it is missing, and closed to others where it was open to them.
    pub(crate) fn create(path: &Path) -> Result<Self, StoreError> {
        let directory = match Self::open(path)? {
            Some(directory) => directory,
            None => {
                platform::make_directory(path)?;
                let gone = || io("opening", path)(std::io::Error::from(std::io::ErrorKind::NotFound));
                Self::open(path)?.ok_or_else(gone)?
            }
        };
        directory.handle.close_to_others(path)?;
        Ok(directory)
    }

    /// A directory in this one, made where it is missing; never through a symbolic link.
    pub(crate) fn create_inside(&self, name: &str) -> Result<Self, StoreError> {
        let path = self.path_of(name);
        let handle = self.handle.create_inside(name, &path)?;
        Ok(Self { path, handle })
    }

    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Reads a file that others may read, too: what it holds is encrypted, or no secret.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.read_with_facts(name)?.map(|(bytes, _)| bytes))
    }

    /// Reads a file that nobody else may read.
    pub(crate) fn read_secret(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        let path = self.path_of(name);
        match self.read_with_facts(name)? {
            Some((_, facts)) if facts.loose => Err(refused(
                path.display(),
                "others on this machine can read this key, so it may be known to them",
                format!(
                    "run: chmod 600 '{}'; or, if others use this machine, log out and in again: that changes the key",
                    path.display()
                ),
            )),
            found => Ok(found.map(|(bytes, _)| bytes)),
        }
    }

    fn read_with_facts(&self, name: &str) -> Result<Option<(Bytes, Facts)>, StoreError> {
        let path = self.path_of(name);
        let Some((file, facts)) = self.handle.open_file(name, &path)? else {
            return Ok(None);
        };
        // One byte more, so that the last read sees the end without the buffer growing: a copy would be left behind.
        let room = usize::try_from(facts.length.min(MOST_BYTES))
            .unwrap_or(0)
            .saturating_add(64);
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        file.take(MOST_BYTES.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(io("reading", &path))?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > MOST_BYTES) {
            return Err(corrupt(&path, "it is larger than 16 MiB"));
        }
        Ok(Some((bytes, facts)))
    }

    /// Replaces a file, whole or not at all; durable when this returns. The caller holds the store lock.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path_of(name);
        if let Some(facts) = self.inspect(name)?
            && facts.loose
        {
            let path = path.display();
            tracing::warn!(%path, "others could read {path}; from now on they can't");
        }
        self.clear_temporary()?;
        let written = self.replace(name, bytes);
        if written.is_err() {
            // What couldn't be renamed is of no use. If it can't be removed either, the next writer does.
            _ = self.handle.remove(TEMPORARY);
        }
        written.map_err(io("writing", &path))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let mut file = self.handle.create_new(TEMPORARY, bytes.len())?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        self.handle.rename(TEMPORARY, name)?;
        self.handle.sync()
    }

    /// Removes what a writer left that was killed.
    fn clear_temporary(&self) -> Result<(), StoreError> {
        if self.inspect(TEMPORARY)?.is_none() {
            return Ok(());
        }
        let path = self.path_of(TEMPORARY);
        self.handle.remove(TEMPORARY).map_err(io("removing", &path))
    }

    /// Removes a file for good; fine if it isn't there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), StoreError> {
        let path = self.path_of(name);
        let removed = match self.handle.remove(name) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            removed => removed.and_then(|()| self.handle.sync()),
        };
        removed.map_err(io("removing", &path))
    }

    /// Moves a file that can't be read out of the way, to a name that is free, and tells that name.
    pub(crate) fn set_aside(&self, name: &str) -> Result<Option<PathBuf>, StoreError> {
        let path = self.path_of(name);
        if self.inspect(name)?.is_none() {
            return Ok(None);
        }
        for number in 1..10_000 {
            let aside = format!("{name}.unreadable-{number}");
            if self
                .handle
                .facts(&aside)
                .map_err(io("looking at", &path))?
                .is_none()
            {
                let moved = self.handle.rename(name, &aside).and_then(|()| self.handle.sync());
                moved.map_err(io("moving aside", &path))?;
                return Ok(Some(self.path_of(&aside)));
            }
        }
        Err(refused(
            path.display(),
            "there are too many unreadable copies of it",
            "look through them and remove those that nobody needs",
        ))
    }

    /// Whether somebody else may read or write a file.
    pub(crate) fn is_open_to_others(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.inspect(name)?.is_some_and(|facts| facts.loose))
    }

    /// Takes from others every right to a file; fine if it isn't there.
    pub(crate) fn close_file_to_others(&self, name: &str) -> Result<(), StoreError> {
        self.handle.close_file_to_others(name, &self.path_of(name))
    }

    /// Opens a file to lock, made where it is missing. It is never removed: whoever waits must wait for the same.
    pub(crate) fn lock_file(&self, name: &str) -> Result<File, StoreError> {
        self.handle.lock_file(name, &self.path_of(name))
    }

    /// Looks at a file without opening it; what isn't a plain file of ours is refused.
    fn inspect(&self, name: &str) -> Result<Option<Facts>, StoreError> {
        let path = self.path_of(name);
        let facts = self.handle.facts(name).map_err(io("looking at", &path))?;
        facts.map(|facts| facts.plain(&path)).transpose()
    }
}

impl Facts {
    /// A plain file of ours with one name: writing it changes nothing else, and nobody else changes it.
    fn plain(self, path: &Path) -> Result<Self, StoreError> {
        let (why, fix) = match self.kind {
            Kind::File if !self.ours => (
                "it belongs to another user",
                "make it yours with chown, if you trust it, or remove it",
            ),
            Kind::File if self.linked => (
                "it has a second name (a hard link)",
                "copy it, and move the copy into its place",
            ),
            Kind::File => return Ok(self),
            Kind::Directory => ("it is a directory", "remove it"),
            Kind::SymbolicLink => (
                "it is a symbolic link",
                "replace it by the file itself, or make the whole directory the link",
            ),
            Kind::Other => ("it is not a regular file", "remove it"),
        };
        Err(refused(path.display(), why, fix))
    }
}
