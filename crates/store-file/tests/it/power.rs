//! The power fails.

use crate::child::Process;
use crate::disk::{Disk, Inode, Operation, Remains};
use crate::support::{Home, credential, key, loaded};
use crate::syscalls::can_trace;
use gatepass_core::CredentialStore;
use std::collections::BTreeMap;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// S04: after a power loss at any moment the old credential or the new one is there, and never less than what a save
/// has acknowledged, whatever of the unsynced writes and names has reached the disk.
#[tokio::test]
async fn after_a_power_loss_old_or_new_is_there_and_nothing_acknowledged_is_lost() {
    if !can_trace() {
        return;
    }
    let Recorded { home, log } = record();
    let (verdict, states) = replay(&log, &home).await;
    verdict.unwrap();
    let operations = log.len();
    eprintln!("{operations} operations, {states} states of the disk: old or new, nothing acknowledged lost");
    assert!(
        operations > 40 && states > 40,
        "{operations} operations, {states} states"
    );
}

/// S04: the replay can tell; without the one sync or the other it finds a loss.
#[tokio::test]
async fn a_save_without_a_sync_would_be_found_out() {
    if !can_trace() {
        return;
    }
    let Recorded { home, log } = record();
    type Kept = fn(&Operation) -> bool;
    let spoilt: [(&str, Kept); 3] = [
        ("no sync of files", |it| !matches!(it, Operation::SyncFile(_))),
        ("no sync of directories", |it| {
            !matches!(it, Operation::SyncDirectory(_))
        }),
        ("no sync", |it| {
            !matches!(it, Operation::SyncFile(_) | Operation::SyncDirectory(_))
        }),
    ];
    let said = |wanted: &str| {
        let found = log
            .iter()
            .position(|it| matches!(it, Operation::Said(said) if said == wanted));
        found.unwrap()
    };
    let (first, second) = (said("saved 1"), said("saved 2"));
    for (what, kept) in spoilt {
        // The first save is as it should be, the second is spoilt.
        let spoilt = log[first..=second].iter().filter(|it| kept(it));
        let log: Vec<_> = log[..first].iter().chain(spoilt).cloned().collect();
        let (verdict, _) = replay(&log, &home).await;
        let loss = verdict.expect_err(what);
        eprintln!("{what}: {loss}");
    }
}

struct Recorded {
    /// Where the process had its store.
    home: PathBuf,
    log: Vec<Operation>,
}

/// A process saves, changes the key and saves again, from nothing at all.
fn record() -> Recorded {
    const TRACED: &str = "trace=open,openat,close,write,pwrite64,writev,fsync,fdatasync,sync_file_range,rename,renameat,\
                          renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,ftruncate,truncate";
    let home = Home::new();
    let trace = home.path.parent().unwrap().with_file_name("strace");
    let command = [
        "strace",
        "-f",
        "-xx",
        "-s",
        "65536",
        "-e",
        TRACED,
        "-o",
        trace.to_str().unwrap(),
    ];
    let mut writer = Process::start_under(&command, &home.path, "history");
    let words = writer.last_words();
    assert_eq!(words, ["saved 1", "saved 2", "rotated", "saved 3"]);
    let log = parse(
        &std::fs::read_to_string(trace).unwrap(),
        home.path.parent().unwrap().parent().unwrap(),
    );
    Recorded { home: home.path, log }
}

/// The operations on files under `root` and what the process said, from strace's log.
fn parse(trace: &str, root: &Path) -> Vec<Operation> {
    let mut unfinished = BTreeMap::new();
    let mut open = Open::default();
    let mut log = Vec::new();
    for line in trace.lines() {
        let (process, line) = line.split_once(' ').unwrap();
        let mut line = line.trim_start().to_owned();
        if let Some(begin) = line.strip_suffix(" <unfinished ...>") {
            unfinished.insert(process, begin.to_owned());
            continue;
        }
        if let Some((_, end)) = line.split_once(" resumed>") {
            line = unfinished.remove(process).unwrap() + end;
        }
        let Some((call, result)) = line.rsplit_once(") = ").or_else(|| line.rsplit_once(" = ")) else {
            continue; // an exit, or a signal
        };
        let Ok(result) = result.split(' ').next().unwrap().parse::<usize>() else {
            continue; // it failed: nothing has changed
        };
        let (call, arguments) = call.split_once('(').unwrap();
        let arguments: Vec<_> = arguments.trim_end().trim_end_matches(')').split(", ").collect();
        log.extend(open.operation(call, &arguments, result, root));
    }
    log
}

/// The open files of the process.
#[derive(Default)]
struct Open {
    files: BTreeMap<String, Descriptor>,
    last: Inode,
}

enum Descriptor {
    Directory(PathBuf),
    /// A file that it made; others are only read or locked.
    New(Inode),
}

impl Open {
    fn operation(&mut self, call: &str, arguments: &[&str], result: usize, root: &Path) -> Option<Operation> {
        let ours = |path: PathBuf| path.starts_with(root).then_some(path);
        match (call, arguments) {
            ("open", arguments) => {
                self.operation("openat", &[&["AT_FDCWD"], arguments].concat(), result, root)
            }
            ("openat", [directory, name, flags, ..]) => {
                let path = ours(self.path(directory, name)?)?;
                let number = result.to_string();
                if flags.contains("O_CREAT") && flags.contains("O_EXCL") {
                    self.last += 1;
                    self.files.insert(number, Descriptor::New(self.last));
                    return Some(Operation::Create(path, self.last));
                }
                assert!(!flags.contains("O_TRUNC"), "a file is cut off: {path:?}");
                if flags.contains("O_DIRECTORY") || path.is_dir() {
                    self.files.insert(number, Descriptor::Directory(path));
                }
                None
            }
            ("close", [file]) => {
                self.files.remove(*file);
                None
            }
            ("write", ["1", bytes, _]) => {
                let said = String::from_utf8(bytes_of(bytes)).unwrap();
                let (_, said) = said.trim_end().split_once("child: ")?;
                Some(Operation::Said(said.to_owned()))
            }
            ("write", [file, bytes, _]) => match self.files.get(*file)? {
                Descriptor::New(inode) => Some(Operation::Write(*inode, bytes_of(bytes))),
                Descriptor::Directory(_) => None,
            },
            ("fsync" | "fdatasync", [file]) => Some(match self.files.get(*file)? {
                Descriptor::New(inode) => Operation::SyncFile(*inode),
                Descriptor::Directory(path) => Operation::SyncDirectory(path.clone()),
            }),
            ("renameat" | "renameat2", [from, old, to, new, ..]) => {
                let (from, to) = (ours(self.path(from, old)?)?, ours(self.path(to, new)?)?);
                Some(Operation::Rename(from, to))
            }
            ("unlinkat", [directory, name, _]) => ours(self.path(directory, name)?).map(Operation::Remove),
            ("mkdirat", [directory, name, _]) => {
                ours(self.path(directory, name)?).map(Operation::MakeDirectory)
            }
            ("mkdir", [name, _]) => ours(self.path("AT_FDCWD", name)?).map(Operation::MakeDirectory),
            // Elsewhere they are somebody else's; in a store they would be news to this test.
            (_, [file, ..]) => {
                assert!(
                    !self.files.contains_key(*file),
                    "{call}({arguments:?}) on a store"
                );
                None
            }
            (_, []) => None,
        }
    }

    /// `None` for what lies in a directory that isn't ours.
    fn path(&self, directory: &str, name: &str) -> Option<PathBuf> {
        let name = PathBuf::from(String::from_utf8(bytes_of(name)).unwrap());
        match self.files.get(directory) {
            _ if name.is_absolute() => Some(name),
            Some(Descriptor::Directory(path)) => Some(path.join(name)),
            _ => None,
        }
    }
}

/// A string as `strace -xx` writes it: `"\x61\x62"`.
fn bytes_of(text: &str) -> Vec<u8> {
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let text = text.expect("a string that is not cut off");
    text.split("\\x")
        .skip(1)
        .map(|digits| u8::from_str_radix(digits, 16).unwrap())
        .collect()
}

/// Lets the power fail after each operation, in every way, and looks at what is left; the first loss, and how many
/// states of the disk were looked at.
async fn replay(log: &[Operation], home: &Path) -> (Result<(), String>, usize) {
    let mut disk = Disk::default();
    let (mut acknowledged, mut states) = (0, 0);
    let mut known = std::collections::BTreeSet::new();
    for number in 0..=log.len() {
        if let Some(operation) = number.checked_sub(1).map(|last| log[last].clone()) {
            if let Operation::Said(said) = &operation
                && let Some(saved) = said.strip_prefix("saved ")
            {
                acknowledged = saved.parse().unwrap();
            }
            disk.take(operation);
        }
        for remains in disk.remains() {
            if known.insert((acknowledged, remains.clone())) {
                states += 1;
                if let Err(loss) = judge(&remains, home, acknowledged).await {
                    return (Err(format!("after operation {number}: {loss}")), states);
                }
            }
        }
    }
    (Ok(()), states)
}

/// Old or new is there, and the next save works.
async fn judge(remains: &Remains, home: &Path, acknowledged: u64) -> Result<(), String> {
    let after = Home::new();
    for path in &remains.directories {
        if let Ok(inside) = path.strip_prefix(home) {
            let mut builder = std::fs::DirBuilder::new();
            builder
                .recursive(true)
                .mode(0o700)
                .create(after.path.join(inside))
                .unwrap();
        }
    }
    for (path, bytes) in &remains.files {
        let path = after.path.join(path.strip_prefix(home).unwrap());
        let mut options = std::fs::File::options();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
    }
    let found = loaded(&after.store(), "jane").await;
    let found = found.map_err(|error| format!("{error:?}"))?;
    let found = found.map_or(0, |mark| mark.parse().unwrap());
    if found != acknowledged && found != acknowledged + 1 {
        return Err(format!("{acknowledged} was acknowledged, {found} is there"));
    }
    let saved = after.store().save(&key("jane"), &credential("9")).await;
    saved.map_err(|error| format!("the next save: {error:?}"))?;
    assert_eq!(
        loaded(&after.store(), "jane").await.unwrap().as_deref(),
        Some("9")
    );
    assert_eq!(after.temporaries(), 0, "{:?}", after.names());
    Ok(())
}
