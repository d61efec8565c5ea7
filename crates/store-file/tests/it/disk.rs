//! A disk as POSIX promises it and no better: what isn't synced may be there after a power loss, or not, or in part.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What a process asked of the system.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    MakeDirectory(PathBuf),
    /// A new, empty file under a name.
    Create(PathBuf, Inode),
    Write(Inode, Vec<u8>),
    SyncFile(Inode),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncDirectory(PathBuf),
    /// What the process said meanwhile.
    Said(String),
}

/// A file, whatever it is called.
pub(crate) type Inode = usize;

/// What may lie on a disk: the directories, and the files with what is in them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Remains {
    pub(crate) directories: BTreeSet<PathBuf>,
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
}

/// The disk while it is written to.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    safe: Names,
    /// Changes of names, each in its directory, that no sync has followed.
    names: Vec<Change>,
    files: BTreeMap<Inode, File>,
}

#[derive(Debug, Clone, Default)]
struct Names {
    directories: BTreeSet<PathBuf>,
    files: BTreeMap<PathBuf, Inode>,
}

#[derive(Debug, Clone)]
enum Change {
    Directory(PathBuf),
    File(PathBuf, Inode),
    Rename(PathBuf, PathBuf, Inode),
    Remove(PathBuf),
}

#[derive(Debug, Default)]
struct File {
    safe: Vec<u8>,
    /// Appended, and not synced.
    writes: Vec<Vec<u8>>,
}

impl Disk {
    pub(crate) fn take(&mut self, operation: Operation) {
        match operation {
            Operation::MakeDirectory(path) => self.names.push(Change::Directory(path)),
            Operation::Create(path, inode) => {
                self.files.insert(inode, File::default());
                self.names.push(Change::File(path, inode));
            }
            Operation::Write(inode, bytes) => self.files.get_mut(&inode).unwrap().writes.push(bytes),
            Operation::SyncFile(inode) => {
                let file = self.files.get_mut(&inode).unwrap();
                file.safe.extend(file.writes.drain(..).flatten());
            }
            Operation::Rename(from, to) => {
                let inode = self.seen().files[&from];
                self.names.push(Change::Rename(from, to, inode));
            }
            Operation::Remove(path) => self.names.push(Change::Remove(path)),
            Operation::SyncDirectory(path) => {
                let (safe, rest) = std::mem::take(&mut self.names)
                    .into_iter()
                    .partition(|change| change.directory() == Some(&path));
                self.names = rest;
                let safe: Vec<_> = safe;
                safe.iter().for_each(|change| self.safe.apply(change));
            }
            Operation::Said(_) => {}
        }
    }

    /// The names as processes see them.
    fn seen(&self) -> Names {
        let mut names = self.safe.clone();
        self.names.iter().for_each(|change| names.apply(change));
        names
    }

    /// All that may be left if the power fails now: each subset of the changes of names, and of each file's writes,
    /// where a write may also be torn, or have made room without filling it.
    pub(crate) fn remains(&self) -> BTreeSet<Remains> {
        let mut all = BTreeSet::new();
        assert!(self.names.len() < 8, "too much at stake: {:?}", self.names);
        for chosen in 0..1_u32 << self.names.len() {
            let mut names = self.safe.clone();
            for (number, change) in self.names.iter().enumerate() {
                if chosen & (1 << number) != 0 {
                    names.apply(change);
                }
            }
            let directories = names.directories.clone();
            let mut found = vec![BTreeMap::new()];
            for (path, inode) in &names.files {
                // Nothing is found in a directory that isn't there.
                if !path.ancestors().skip(1).all(|above| names.is_there(above, self)) {
                    continue;
                }
                let contents = self.files[inode].remains();
                found = found
                    .iter()
                    .flat_map(|files: &BTreeMap<_, _>| {
                        contents.iter().map(|bytes| {
                            let mut files = files.clone();
                            files.insert(path.clone(), bytes.clone());
                            files
                        })
                    })
                    .collect();
            }
            all.extend(found.into_iter().map(|files| Remains {
                directories: directories.clone(),
                files,
            }));
        }
        all
    }

    /// Whether a directory was made under the eyes of this disk.
    fn made(&self, path: &Path) -> bool {
        let made = |change: &Change| matches!(change, Change::Directory(made) if made == path);
        self.safe.directories.contains(path) || self.names.iter().any(made)
    }
}

impl Names {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Directory(path) => {
                self.directories.insert(path.clone());
            }
            Change::File(path, inode) => {
                self.files.insert(path.clone(), *inode);
            }
            Change::Rename(from, to, inode) => {
                if self.files.get(from) == Some(inode) {
                    self.files.remove(from);
                }
                self.files.insert(to.clone(), *inode);
            }
            Change::Remove(path) => {
                self.files.remove(path);
            }
        }
    }

    /// Directories that were there from the start don't vanish.
    fn is_there(&self, directory: &Path, disk: &Disk) -> bool {
        self.directories.contains(directory) || !disk.made(directory)
    }
}

impl Change {
    fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(path) | Self::File(path, _) | Self::Remove(path) | Self::Rename(_, path, _) => {
                path.parent()
            }
        }
    }
}

impl File {
    fn remains(&self) -> BTreeSet<Vec<u8>> {
        let mut all = BTreeSet::from([self.safe.clone()]);
        for write in &self.writes {
            let (half, _) = write.split_at(write.len() / 2);
            let zeros = vec![0; write.len()];
            let after = |before: &Vec<u8>| [&write[..], half, &zeros].map(|more| [before, more].concat());
            let with: Vec<_> = all.iter().flat_map(after).collect();
            all.extend(with);
        }
        all
    }
}
