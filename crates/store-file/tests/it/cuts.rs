//! Writes of which the system takes a part: a file may become no longer than so many bytes, or a call takes only a few.

use crate::child::{Process, say};
use crate::support::{CREDENTIALS, Home, credential, key, loaded, missing};
use crate::syscalls::exhaustively;
use gatepass_core::{CredentialStore, StoreError};
use gatepass_file_store::{FileStore, KeySource};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The length of marks: a file shorter than a page, and one of several.
const SHORT: usize = 1;
const LONG: usize = 9000;
/// No divisor of a page, so that cuts fall anywhere in it.
const STEP: usize = 97;

/// S02: a limit that is known beforehand, which the store doesn't even try.
#[tokio::test]
async fn a_limit_at_any_byte_of_a_file_keeps_the_old_credential() {
    for (size, step) in [(SHORT, 1), (LONG, STEP)] {
        let (home, length) = with_old(size).await;
        let role = format!("cut own old {size} {step} {}", length + 2 * step);
        let cut = judge(&Process::start(&home.path, &role).last_words(), length, "old");
        eprintln!("{cut} limits within a file of {length} bytes: each told, the old login there");
    }
}

/// S02: the kernel takes what still fits, then nothing (`EFBIG`): at each byte of each file of a save, and of a first
/// one.
#[tokio::test]
async fn a_file_that_is_cut_off_at_any_byte_keeps_the_old_credential_or_none() {
    let Some(shim) = Shim::build() else { return };
    // A first save makes and syncs several files and directories, so each byte of it takes a minute.
    let often = if exhaustively() { 1 } else { 13 };
    for (before, size, step) in [
        ("old", SHORT, 1),
        ("old", LONG, STEP),
        ("nothing", SHORT, often),
        ("nothing", LONG, STEP * often),
    ] {
        let (home, length) = with_old(size).await;
        let link = home.path.parent().unwrap().join("limit");
        let role = format!(
            "cut {} {before} {size} {step} {}",
            link.display(),
            length + 2 * step
        );
        let shimmed = shim.with(&format!("GATEPASS_TEST_LIMIT='{}'", link.display()));
        let signal_ignored = format!("{shimmed} && trap '' XFSZ");
        let words = Process::start_after(&signal_ignored, &home.path, &role).last_words();
        let cut = judge(&words, length, before);
        // At 0 the first write of all takes nothing.
        assert!(shim.tally() >= cut - 1, "{} of {cut}", shim.tally());
        eprintln!("{cut} saves cut off within a file of {length} bytes: each told, {before} there");
    }
}

/// S02, S03: the same where the signal that comes with it (SIGXFSZ) ends the process.
#[tokio::test]
async fn a_process_that_ends_in_the_middle_of_a_file_leaves_the_old_credential() {
    let Some(shim) = Shim::build() else { return };
    for size in [SHORT, LONG] {
        let (home, length) = with_old(size).await;
        let link = home.path.parent().unwrap().join("limit");
        let shimmed = shim.with(&format!("GATEPASS_TEST_LIMIT='{}'", link.display()));
        let no_core = format!("{shimmed} && ulimit -c 0");
        let role = format!("save jane 1 {}", "n".repeat(size - 1));
        for limit in [0, 1, length / 2, length - 1] {
            _ = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(limit.to_string(), &link).unwrap();
            let words = Process::start_after(&no_core, &home.path, &role).last_words();
            let rest = std::fs::metadata(home.file(".gatepass.tmp")).map(|file| file.len());
            let mark = loaded(&home.store(), "jane").await.unwrap().unwrap();
            assert_eq!(
                (words.len(), rest.unwrap(), mark),
                (0, limit as u64, "o".repeat(size))
            );
        }
        home.store().save(&key("jane"), &credential("2")).await.unwrap();
        assert_eq!(home.temporaries(), 0);
    }
}

/// S02: whoever takes little at a time gets all of it in the end.
#[tokio::test]
async fn writes_that_take_a_few_bytes_each_make_a_whole_file() {
    let Some(shim) = Shim::build() else { return };
    for most in [1, 7, 4095] {
        let home = Home::new();
        let mark = "m".repeat(LONG);
        let role = format!("save jane 2 {mark}");
        let shimmed = shim.with(&format!("GATEPASS_TEST_MOST={most}"));
        let words = Process::start_after(&shimmed, &home.path, &role).last_words();
        assert_eq!(words, ["saved", "saved"]);
        let stored = loaded(&home.store(), "jane").await.unwrap();
        assert!(stored == Some(format!("{mark}2")), "{most} bytes a call");
        assert_eq!(home.temporaries(), 0);
        let (calls, length) = (shim.tally(), home.read(CREDENTIALS).len());
        assert!(calls >= 2 * (length / most - 1), "{calls}");
        eprintln!("{most} bytes a call: {calls} calls took a part, and the file of {length} bytes is whole");
    }
}

/// A login with a mark of so many characters, and the length of its file.
async fn with_old(size: usize) -> (Home, usize) {
    let home = Home::new();
    home.store().save(&key("jane"), &old(size)).await.unwrap();
    let length = home.read(CREDENTIALS).len();
    (home, length)
}

fn old(size: usize) -> gatepass_core::Credential {
    credential(&"o".repeat(size))
}

/// Holds what the child said of each limit against what must be; tells how many saves were cut off.
fn judge(words: &[String], length: usize, before: &str) -> usize {
    let mut cut = 0;
    for word in words {
        let (limit, outcome) = word.split_once(' ').unwrap();
        let fits = limit.parse::<usize>().unwrap() >= length;
        let expected = if fits {
            "saved, new there"
        } else {
            &format!("told, {before} there")
        };
        assert_eq!(outcome, expected, "with a limit of {limit} of {length} bytes");
        cut += usize::from(!fits);
    }
    assert!(cut > 10 && words.len() > cut, "{cut} of {}", words.len());
    cut
}

/// The child's part: under each limit up to `end` it saves a login with a mark of `size` characters, over an old one or
/// where there is nothing, and says what came of it.
pub(crate) async fn act(directory: &Path, limit: &str, before: &str, [size, step, end]: [usize; 3]) {
    let limit = Limit::parse(limit);
    for bytes in (0..end).step_by(step) {
        let directory = match before {
            "old" => directory.to_owned(),
            _ => directory.join(bytes.to_string()),
        };
        let store = FileStore::open(&directory, KeySource::KeyFile).unwrap();
        limit.set(Some(bytes));
        let saved = store.save(&key("jane"), &credential(&"n".repeat(size))).await;
        limit.set(None);
        let told = match saved {
            Ok(()) => "saved".to_owned(),
            Err(StoreError::Unavailable { .. }) => "told".to_owned(),
            Err(other) => format!("{other:?}"),
        };
        let stored = match loaded(&store, "jane").await.unwrap() {
            Some(mark) if mark.starts_with('n') => "new",
            Some(_) => "old",
            None => "nothing",
        };
        let left = if directory.join(".gatepass.tmp").exists() {
            ", and a temporary file"
        } else {
            ""
        };
        say(&format!("{bytes} {told}, {stored} there{left}"));
        if stored != "old" {
            store.save(&key("jane"), &old(size)).await.unwrap();
        }
    }
}

/// How long files may become.
enum Limit {
    /// This process's own, which it may ask for.
    Own,
    /// The shim's, told by this link.
    Link(PathBuf),
}

impl Limit {
    fn parse(word: &str) -> Self {
        match word {
            "own" => Self::Own,
            link => Self::Link(link.into()),
        }
    }

    fn set(&self, bytes: Option<usize>) {
        match self {
            Self::Own => {
                let maximum = getrlimit(Resource::Fsize).maximum;
                let current = bytes.map_or(maximum, |bytes| Some(bytes as u64));
                setrlimit(Resource::Fsize, Rlimit { current, maximum }).unwrap();
            }
            Self::Link(link) => {
                _ = std::fs::remove_file(link);
                if let Some(bytes) = bytes {
                    std::os::unix::fs::symlink(bytes.to_string(), link).unwrap();
                }
            }
        }
    }
}

/// `short_write.c`, compiled.
struct Shim(TempDir);

impl Shim {
    /// `None`, said loudly, where there is no C compiler.
    fn build() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("short_write.c");
        std::fs::write(&source, include_str!("short_write.c")).unwrap();
        let mut command = Command::new("cc");
        let command = command.args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"]);
        let Ok(status) = command.arg(directory.path().join("shim.so")).arg(source).status() else {
            missing("cc");
            return None;
        };
        assert!(status.success(), "{status}");
        Some(Self(directory))
    }

    /// What a shell does before it starts a child under the shim.
    fn with(&self, variable: &str) -> String {
        let (shim, tally) = (self.0.path().join("shim.so"), self.0.path().join("tally"));
        let (shim, tally) = (shim.display(), tally.display());
        format!("export LD_PRELOAD='{shim}' GATEPASS_TEST_TALLY='{tally}' {variable}")
    }

    /// How many calls took a part in the child that ended last.
    fn tally(&self) -> usize {
        let tally = std::fs::read_to_string(self.0.path().join("tally"));
        tally.unwrap().parse().unwrap()
    }
}
