//! Other processes that use a kept login: this test binary, started again.

use crate::support::{Kept, cached, mark};
use gatepass_core::{CachedTokenSource, Clock, Moment, SystemClock, TokenSource};
use gatepass_oauth2::RefreshTokenSource;
use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

const KEPT: &str = "GATEPASS_E2E_KEPT";
/// What a worker says stands behind this, since the test runner talks, too.
const SAYS: &str = "worker: ";
/// Nothing that a worker is told takes longer.
const LIMIT: Duration = Duration::from_secs(90);

/// A process with a source of its own. Killed when dropped.
pub(crate) struct Worker {
    child: Child,
    stdin: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    pub(crate) async fn start(kept: &Kept) -> Self {
        Self::start_after(kept, ":").await
    }

    /// In a shell that first does something to itself: `ulimit -f 1`.
    pub(crate) async fn start_after(kept: &Kept, preparation: &str) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", &format!("{preparation} && exec \"$@\""), "sh"])
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "worker::a_worker_of_another_test",
                "--ignored",
                "--nocapture",
            ])
            .env(KEPT, serde_json::to_string(kept).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut worker = Self {
            stdin: child.stdin.take().unwrap(),
            says: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        };
        assert_eq!(worker.hears().await, "ready");
        worker
    }

    /// Several at once.
    pub(crate) async fn crowd(kept: &Kept, size: usize) -> Vec<Self> {
        let mut crowd = Vec::new();
        for _ in 0..size {
            crowd.push(Self::start(kept).await);
        }
        crowd
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("a process that runs")
    }

    /// Tells it to do something; see [`Role::does`].
    pub(crate) async fn tell(&mut self, what: &str) {
        self.stdin
            .write_all(format!("{what}\n").as_bytes())
            .await
            .unwrap();
    }

    /// What it says to that.
    pub(crate) async fn hears(&mut self) -> String {
        let hearing = async {
            while let Some(line) = self.says.next_line().await.unwrap() {
                if let Some((_, said)) = line.split_once(SAYS) {
                    return said.to_owned();
                }
            }
            panic!("a worker is gone");
        };
        timeout(LIMIT, hearing).await.expect("a worker that answers")
    }

    pub(crate) async fn ask(&mut self, what: &str) -> String {
        self.tell(what).await;
        self.hears().await
    }

    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Tells all of them the same at once, and returns what they say.
pub(crate) async fn ask_all(workers: &mut [Worker], what: &str) -> Vec<String> {
    for worker in &mut *workers {
        worker.tell(what).await;
    }
    let mut answers = Vec::new();
    for worker in workers {
        answers.push(worker.hears().await);
    }
    answers
}

#[tokio::test]
#[ignore = "a worker that other tests start in a process of its own"]
#[expect(clippy::disallowed_methods, reason = "how a test tells its child what to do")]
async fn a_worker_of_another_test() {
    let Ok(kept) = std::env::var(KEPT) else {
        return; // somebody runs all ignored tests
    };
    let kept: Kept = serde_json::from_str(&kept).unwrap();
    let clock = Arc::new(Ahead::default());
    let source = kept.source(clock.clone()).await;
    let role = Role {
        cached: cached(source.clone(), clock.clone()),
        source,
        clock,
    };
    say("ready");
    let mut told = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = told.next_line().await.unwrap() {
        say(&role.does(&line).await);
    }
}

struct Role {
    source: RefreshTokenSource,
    cached: CachedTokenSource<RefreshTokenSource>,
    clock: Arc<Ahead>,
}

impl Role {
    async fn does(&self, what: &str) -> String {
        let words: Vec<_> = what.split(' ').collect();
        match words.as_slice() {
            // The mark of the token in use, or why there is none.
            ["token"] => self.token().await,
            // So many seconds pass at once.
            ["pass", seconds] => self.clock.pass(seconds.parse().unwrap()),
            // Calls without a break for so many seconds.
            ["call", seconds] => self.call(Duration::from_secs(seconds.parse().unwrap())).await,
            // Whether the newest login is on disk.
            ["saved"] => match self.source.persist_error() {
                None => "yes".to_owned(),
                Some(error) => format!("no: {error:?}"),
            },
            _ => panic!("{what}?"),
        }
    }

    async fn token(&self) -> String {
        match self.cached.token().await {
            Ok(token) => mark(&token),
            Err(error) => format!("failed: {error:?}"),
        }
    }

    /// Says how many calls there were, and how many failed.
    async fn call(&self, time: Duration) -> String {
        let (mut calls, mut failures) = (0, 0);
        let begin = Instant::now();
        while begin.elapsed() < time {
            calls += 1;
            failures += usize::from(self.token().await.starts_with("failed"));
            sleep(Duration::from_millis(10)).await;
        }
        format!("{calls} {failures}")
    }
}

/// The machine's clock, and ahead of it.
#[derive(Debug, Default)]
struct Ahead(AtomicU64);

impl Ahead {
    fn pass(&self, seconds: u64) -> String {
        self.0.fetch_add(seconds, Ordering::SeqCst);
        "passed".to_owned()
    }
}

impl Clock for Ahead {
    fn now(&self) -> Moment {
        SystemClock
            .now()
            .after(Duration::from_secs(self.0.load(Ordering::SeqCst)))
    }
}

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{SAYS}{what}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}
