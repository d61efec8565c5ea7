//! Other processes: this test binary, started again in a role.

use crate::support::{credential, key};
use gatepass_core::CredentialStore;
use gatepass_file_store::{FileStore, KeySource};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const ROLE: &str = "GATEPASS_TEST_ROLE";
const DIRECTORY: &str = "GATEPASS_TEST_DIRECTORY";
/// What a child says stands behind this, since the test runner talks, too.
const SAYS: &str = "child: ";

/// A process that acts in `directory`. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    says: BufReader<ChildStdout>,
}

impl Process {
    /// Roles: `count`, `history`, `save ACCOUNT TIMES [SECRET]`, `hold ACCOUNT`, `rotate`,
    /// `rotate once`, `unlock`, `cut own|LINK old|nothing SIZE STEP END`.
    pub(crate) fn start(directory: &Path, role: &str) -> Self {
        Self::start_under(&[], directory, role)
    }

    /// Behind another command, such as `strace`.
    pub(crate) fn start_under(command: &[&str], directory: &Path, role: &str) -> Self {
        let this = std::env::current_exe().unwrap();
        let this = this.to_str().unwrap();
        let line = [
            command,
            &[
                this,
                "--exact",
                "child::a_role_of_another_test",
                "--ignored",
                "--nocapture",
            ],
        ]
        .concat();
        let mut child = Command::new(line[0])
            .args(&line[1..])
            .env(ROLE, role)
            .env(DIRECTORY, directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let says = BufReader::new(child.stdout.take().unwrap());
        Self { child, says }
    }

    /// In a shell that first does something to itself: `umask 000`, `ulimit -f 8`.
    pub(crate) fn start_after(preparation: &str, directory: &Path, role: &str) -> Self {
        let script = format!("{preparation} && exec \"$@\"");
        Self::start_under(&["sh", "-c", &script, "sh"], directory, role)
    }

    /// What it says next; `None` when it is gone.
    pub(crate) fn says(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.says.read_line(&mut line).ok()? == 0 {
                return None;
            }
            // Without a line end, the process was killed while it was speaking.
            if let Some((_, said)) = line.strip_suffix('\n').and_then(|line| line.split_once(SAYS)) {
                return Some(said.to_owned());
            }
        }
    }

    /// Waits until it has said all that it had to say.
    pub(crate) fn last_words(&mut self) -> Vec<String> {
        let words = std::iter::from_fn(|| self.says()).collect();
        self.child.wait().unwrap();
        words
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[test]
#[ignore = "a role that other tests start in a process of its own"]
#[expect(clippy::disallowed_methods, reason = "how a test tells its child what to do")]
fn a_role_of_another_test() {
    let (Ok(role), Ok(directory)) = (std::env::var(ROLE), std::env::var(DIRECTORY)) else {
        return; // somebody runs all ignored tests
    };
    let store = FileStore::open(&directory, KeySource::KeyFile).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let words: Vec<_> = role.split(' ').collect();
    runtime.block_on(async {
        match words.as_slice() {
            ["count"] => count(&store).await,
            ["history"] => history(&store).await,
            ["save", account, times] => save(&store, account, times.parse().unwrap(), "").await,
            ["save", account, times, secret] => save(&store, account, times.parse().unwrap(), secret).await,
            ["hold", account] => hold(&store, account).await,
            ["rotate"] => rotate(&store).await,
            #[cfg(target_os = "linux")]
            ["unlock"] => unlock(Path::new(&directory)).await,
            #[cfg(target_os = "linux")]
            ["cut", limit, before, size, step, end] => {
                let numbers = [size, step, end].map(|number| number.parse().unwrap());
                crate::cuts::act(Path::new(&directory), limit, before, numbers).await;
            }
            ["rotate", "once"] => {
                store.rotate_key(KeySource::KeyFile).await.unwrap();
                say("rotated");
            }
            _ => panic!("unknown role {role}"),
        }
    });
}

pub(crate) fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{SAYS}{what}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Saves 1, 2, 3 … on from what is there, and says each number when its save has returned.
async fn count(store: &FileStore) {
    let there = crate::support::loaded(store, "jane").await.unwrap();
    let mut number: u64 = there.map_or(0, |mark| mark.parse().unwrap());
    loop {
        number += 1;
        store
            .save(&key("jane"), &credential(&number.to_string()))
            .await
            .unwrap();
        say(&number.to_string());
    }
}

/// Saves from nothing at all, changes the key, saves again, and says each step when it is done.
async fn history(store: &FileStore) {
    for number in ["1", "2", "3"] {
        if number == "3" {
            store.rotate_key(KeySource::KeyFile).await.unwrap();
            say("rotated");
        }
        store.save(&key("jane"), &credential(number)).await.unwrap();
        say(&format!("saved {number}"));
    }
}

/// Marks each credential with `secret` and its number.
async fn save(store: &FileStore, account: &str, times: usize, secret: &str) {
    for number in 1..=times {
        let saved = credential(&format!("{secret}{number}"));
        match store.save(&key(account), &saved).await {
            Ok(()) => say("saved"),
            Err(error) => say(&format!("failed: {error:?}")),
        }
    }
}

async fn hold(store: &FileStore, account: &str) {
    let _held = store.lock(&key(account)).await.unwrap();
    say("held");
    tokio::time::sleep(Duration::from_secs(600)).await;
}

/// Changes the key again and again.
async fn rotate(store: &FileStore) {
    loop {
        store.rotate_key(KeySource::KeyFile).await.unwrap();
        say("rotated");
    }
}

pub(crate) const PASSPHRASE: &str = "correct horse";

/// Opens a store by its passphrase, and says whether that went well, and the milliseconds and KiB that it took: time
/// that it was computing, since this machine may have other things to do, and memory at its highest.
#[cfg(target_os = "linux")]
async fn unlock(directory: &Path) {
    use rustix::time::{ClockId, clock_gettime};
    let computed = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap();
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let store = FileStore::open(directory, KeySource::Passphrase(PASSPHRASE.into())).unwrap();
    let (time, memory) = (computed(), peak());
    let outcome = crate::support::loaded(&store, "jane").await;
    let (time, memory) = (computed() - time, peak() - memory);
    say(&format!(
        "{} {} {memory}",
        if outcome.is_ok() { "open" } else { "refused" },
        time.as_millis()
    ));
}
