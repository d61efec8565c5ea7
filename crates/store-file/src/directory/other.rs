//! Systems without Unix permissions: files inherit the rights of the user's profile directory. Owner, mode and hard
//! links are not judged, and a rename is as durable as the file system makes it.

use super::{Facts, Kind};
use crate::error::{io, refused};
use gatepass_core::StoreError;
use std::fs::{File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) struct Handle(PathBuf);

pub(super) fn make_directory(path: &Path) -> Result<(), StoreError> {
    std::fs::create_dir_all(path).map_err(io("making the directory", path))
}

impl Handle {
    pub(super) fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        match path.metadata() {
            // Resolved once, so that a link to the directory that changes later changes nothing.
            Ok(found) if found.is_dir() => match path.canonicalize() {
                Ok(path) => Ok(Some(Self(path))),
                Err(error) => Err(io("opening", path)(error)),
            },
            Ok(_) => Err(refused(
                path.display(),
                "it is not a directory",
                "choose another directory",
            )),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io("opening", path)(error)),
        }
    }

    pub(super) fn create_inside(&self, name: &str, path: &Path) -> Result<Self, StoreError> {
        let inside = self.0.join(name);
        match std::fs::create_dir(&inside) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(io("making the directory", path)(error));
            }
            _ => {}
        }
        match inside.symlink_metadata() {
            Ok(found) if found.is_dir() => Ok(Self(inside)),
            Ok(_) => Err(refused(path.display(), "it is not a directory", "remove it")),
            Err(error) => Err(io("opening", path)(error)),
        }
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the shape of Unix")]
    pub(super) fn close_to_others(&self, _: &Path) -> Result<(), StoreError> {
        Ok(())
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the shape of Unix")]
    pub(super) fn close_file_to_others(&self, _: &str, _: &Path) -> Result<(), StoreError> {
        Ok(())
    }

    pub(super) fn open_file(&self, name: &str, path: &Path) -> Result<Option<(File, Facts)>, StoreError> {
        let Some(facts) = self.facts(name).map_err(io("looking at", path))? else {
            return Ok(None);
        };
        let facts = facts.plain(path)?;
        match File::open(self.0.join(name)) {
            Ok(file) => {
                // Another file may have taken its place since.
                let length = file.metadata().map_or(facts.length, |metadata| metadata.len());
                Ok(Some((file, Facts { length, ..facts })))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io("opening", path)(error)),
        }
    }

    pub(super) fn lock_file(&self, name: &str, path: &Path) -> Result<File, StoreError> {
        if let Some(facts) = self.facts(name).map_err(io("looking at", path))? {
            facts.plain(path)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        options.open(self.0.join(name)).map_err(io("opening", path))
    }

    pub(super) fn facts(&self, name: &str) -> std::io::Result<Option<Facts>> {
        match self.0.join(name).symlink_metadata() {
            Ok(metadata) => Ok(Some(facts(&metadata))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn create_new(&self, name: &str, _: usize) -> std::io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(self.0.join(name))
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
        std::fs::rename(self.0.join(from), self.0.join(to))
    }

    pub(super) fn remove(&self, name: &str) -> std::io::Result<()> {
        std::fs::remove_file(self.0.join(name))
    }

    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "a directory can't be synced here"
    )]
    pub(super) fn sync(&self) -> std::io::Result<()> {
        Ok(())
    }
}

fn facts(metadata: &Metadata) -> Facts {
    let kind = match metadata.file_type() {
        kind if kind.is_symlink() => Kind::SymbolicLink,
        kind if kind.is_dir() => Kind::Directory,
        kind if kind.is_file() => Kind::File,
        _ => Kind::Other,
    };
    Facts {
        kind,
        ours: true,
        linked: false,
        loose: false,
        length: metadata.len(),
    }
}
