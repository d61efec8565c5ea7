//! Everything goes through the directory's descriptor, so that nobody can swap the directory under us.

use super::{Facts, Kind};
use crate::error::{io, refused};
use gatepass_core::StoreError;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Stat, fchmod, fstat, mkdirat, openat, renameat, statat, unlinkat,
};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Resource, getrlimit};
use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

#[derive(Debug)]
pub(super) struct Handle(File);

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const SAFELY: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const OWNER_ONLY: Mode = Mode::RUSR.union(Mode::WUSR);
const OTHERS: Mode = Mode::RWXG.union(Mode::RWXO);

/// Makes a directory and its missing parents, for this user alone, and durably.
pub(super) fn make_directory(path: &Path) -> Result<(), StoreError> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    if !parent.as_os_str().is_empty() && !parent.exists() {
        make_directory(parent)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        made => made.map_err(io("making the directory", path))?,
    }
    // Best effort: a parent that we may not open was not made by us.
    _ = File::open(parent).and_then(|parent| parent.sync_all());
    Ok(())
}

impl Handle {
    pub(super) fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        match retry_on_intr(|| rustix::fs::open(path, DIRECTORY, Mode::empty())) {
            Ok(descriptor) => Self(File::from(descriptor)).checked(path).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::NOTDIR) => Err(refused(
                path.display(),
                "it is not a directory",
                "choose another directory",
            )),
            Err(error) => Err(io("opening", path)(error)),
        }
    }

    pub(super) fn create_inside(&self, name: &str, path: &Path) -> Result<Self, StoreError> {
        match mkdirat(&self.0, name, Mode::RWXU) {
            Err(Errno::EXIST) | Ok(()) => {}
            Err(error) => return Err(io("making the directory", path)(error)),
        }
        match retry_on_intr(|| openat(&self.0, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())) {
            Ok(descriptor) => Self(File::from(descriptor)).checked(path),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                Err(refused(path.display(), "it is not a directory", "remove it"))
            }
            Err(error) => Err(io("opening", path)(error)),
        }
    }

    /// Ours, and nobody else may put files into it.
    fn checked(self, path: &Path) -> Result<Self, StoreError> {
        let stat = fstat(&self.0).map_err(io("looking at", path))?;
        let mode = Mode::from_raw_mode(stat.st_mode);
        if !is_ours(&stat) {
            return Err(refused(
                path.display(),
                "it belongs to another user",
                "choose a directory of your own, or run as its owner",
            ));
        }
        if mode.intersects(Mode::WOTH | Mode::SVTX) {
            return Err(refused(
                path.display(),
                "everybody may write to it",
                format!(
                    "choose a directory of your own, or run: chmod 700 '{}'",
                    path.display()
                ),
            ));
        }
        Ok(self)
    }

    pub(super) fn close_to_others(&self, path: &Path) -> Result<(), StoreError> {
        let stat = fstat(&self.0).map_err(io("looking at", path))?;
        if Mode::from_raw_mode(stat.st_mode).intersects(OTHERS) {
            fchmod(&self.0, Mode::RWXU).map_err(io("closing to others", path))?;
            let path = path.display();
            tracing::warn!(%path, "others could look into the directory {path}; from now on they can't");
        }
        Ok(())
    }

    /// Opens a plain file to read.
    pub(super) fn open_file(&self, name: &str, path: &Path) -> Result<Option<(File, Facts)>, StoreError> {
        match retry_on_intr(|| openat(&self.0, name, OFlags::RDONLY | SAFELY, Mode::empty())) {
            Ok(descriptor) => judged(File::from(descriptor), path).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.explained(name, path, error)),
        }
    }

    pub(super) fn close_file_to_others(&self, name: &str, path: &Path) -> Result<(), StoreError> {
        match self.open_file(name, path)? {
            Some((file, _)) => fchmod(&file, OWNER_ONLY).map_err(io("closing to others", path)),
            None => Ok(()),
        }
    }

    pub(super) fn lock_file(&self, name: &str, path: &Path) -> Result<File, StoreError> {
        let flags = OFlags::RDWR | OFlags::CREATE | SAFELY;
        match retry_on_intr(|| openat(&self.0, name, flags, OWNER_ONLY)) {
            Ok(descriptor) => judged(File::from(descriptor), path).map(|(file, _)| file),
            Err(error) => Err(self.explained(name, path, error)),
        }
    }

    /// Says what is in the way, rather than "too many levels of symbolic links".
    fn explained(&self, name: &str, path: &Path, error: Errno) -> StoreError {
        let refusal = match self.facts(name) {
            Ok(Some(facts)) => facts.plain(path).err(),
            Ok(None) | Err(_) => None,
        };
        refusal.unwrap_or_else(|| io("opening", path)(error))
    }

    pub(super) fn facts(&self, name: &str) -> std::io::Result<Option<Facts>> {
        match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(facts(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A new file for so many bytes, readable by this user alone from the first one on.
    pub(super) fn create_new(&self, name: &str, length: usize) -> std::io::Result<File> {
        check_limit(length)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | SAFELY;
        let descriptor = retry_on_intr(|| openat(&self.0, name, flags, OWNER_ONLY))?;
        fchmod(&descriptor, OWNER_ONLY)?; // a umask may have taken our own right to read it
        Ok(File::from(descriptor))
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
        Ok(renameat(&self.0, from, &self.0, to)?)
    }

    pub(super) fn remove(&self, name: &str) -> std::io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Makes renames and removals durable. Some network file systems can't, and say so with `EINVAL`.
    pub(super) fn sync(&self) -> std::io::Result<()> {
        match self.0.sync_all() {
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    }
}

fn judged(file: File, path: &Path) -> Result<(File, Facts), StoreError> {
    let stat = fstat(&file).map_err(io("looking at", path))?;
    Ok((file, facts(&stat).plain(path)?))
}

fn facts(stat: &Stat) -> Facts {
    Facts {
        kind: match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::SymbolicLink,
            _ => Kind::Other,
        },
        ours: is_ours(stat),
        // No name at all: replaced while we read it, which is as good as any other moment.
        linked: stat.st_nlink > 1,
        loose: Mode::from_raw_mode(stat.st_mode).intersects(OTHERS),
        length: stat.st_size.try_into().unwrap_or(0),
    }
}

fn is_ours(stat: &Stat) -> bool {
    stat.st_uid == rustix::process::geteuid().as_raw()
}

/// A limit on file sizes (`ulimit -f`) is an error, as a full disk is. Writing past it would bring a signal, SIGXFSZ,
/// that ends most programs: in the middle of a refresh, with the new refresh token.
fn check_limit(length: usize) -> std::io::Result<()> {
    match getrlimit(Resource::Fsize).current {
        Some(limit) if length as u64 > limit => Err(Errno::FBIG.into()),
        _ => Ok(()),
    }
}
