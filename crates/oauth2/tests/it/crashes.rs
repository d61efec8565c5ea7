//! A process is killed in the middle of a refresh. What it had stored goes on, or the loss is told once and clearly.

use crate::refresh::{key, old_token};
use gatepass_core::{
    Advice, Credential, CredentialKey, CredentialLock, CredentialStore, Exclusion, ExposeSecret,
    RefreshToken, StoreError, TokenSource, async_trait,
};
use gatepass_file_store::{FileStore, KeySource};
use gatepass_http::{HttpClient, HttpOptions, RetryPolicy, ServerUrl, Transport};
use gatepass_oauth2::{Client, RefreshTokenSource, TokenEndpoint};
use gatepass_testkit::AuthorizationServer;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::task::JoinSet;

/// When a process dies: before the nth call of that name that one of its threads makes, or by itself at the end. And
/// what must be true then.
#[derive(Debug, Clone, Copy)]
struct Moment {
    what: &'static str,
    call: &'static str,
    number: u32,
    leaves: Leaves,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaves {
    /// The server was never asked.
    Untouched,
    /// The server has rotated, and the new refresh token isn't stored: the one moment that no client can avoid.
    Lost,
    /// The new refresh token is stored.
    Stored,
}

const MOMENTS: [Moment; 11] = [
    moment("before the lock", "flock", 1, Leaves::Untouched),
    moment("before connecting", "connect", 1, Leaves::Untouched),
    moment("before asking", SENDS, 1, Leaves::Untouched),
    moment("answered, not read", "recvfrom", 1, Leaves::Lost),
    moment("answer read", "flock", 2, Leaves::Lost),
    moment("temporary file made", "fchmod", 1, Leaves::Lost),
    moment("temporary file written", "fsync", 1, Leaves::Lost),
    moment("temporary file durable", "renameat", 1, Leaves::Lost),
    moment("renamed", "fsync", 2, Leaves::Stored),
    moment("durable", "flock", 3, Leaves::Stored),
    moment("token handed out", "abort", 0, Leaves::Stored),
];

const SENDS: &str = "sendto,writev,sendmsg";

const fn moment(what: &'static str, call: &'static str, number: u32, leaves: Leaves) -> Moment {
    Moment {
        what,
        call,
        number,
        leaves,
    }
}

/// How often a process is killed at each moment; `GATEPASS_TEST_CRASHES=50` for the full run.
fn rounds() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for the long run")]
    let asked = std::env::var("GATEPASS_TEST_CRASHES").ok();
    asked.map_or(1, |number| {
        number.parse().expect("GATEPASS_TEST_CRASHES is a number")
    })
}

/// R06: outside of "the server has rotated, and it isn't stored yet" the login works; inside, the next call says that
/// a login is required, and asks the server once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_in_a_refresh_loses_no_login_but_in_the_one_moment_that_nobody_can_avoid() {
    if !can_trace() {
        return;
    }
    for round in 0..rounds() {
        let mut killed = JoinSet::new();
        for moment in MOMENTS {
            killed.spawn(async move {
                let login = Login::new().await;
                login.refresh_in_a_process(moment).await;
                login.check(moment, round).await;
            });
        }
        while let Some(done) = killed.join_next().await {
            done.unwrap();
        }
    }
    let lost = MOMENTS
        .iter()
        .filter(|moment| moment.leaves == Leaves::Lost)
        .count();
    eprintln!(
        "{} moments, {} kills each: {lost} lose the rotation and say so once, after the others the login works",
        MOMENTS.len(),
        rounds()
    );
}

/// R06: how long a rotation is at stake, from the answer on until it is durable.
#[tokio::test]
async fn a_rotation_is_at_stake_for_no_longer_than_a_save_takes() {
    let login = Login::new().await;
    let times = Arc::new(Mutex::new(Vec::new()));
    let store = Timed {
        inner: login.store(),
        times: Arc::clone(&times),
    };
    let source = RefreshTokenSource::new(endpoint(&login.server.token_url()), store, key());
    const REFRESHES: usize = 200;
    for _ in 0..REFRESHES {
        let token = source.token().await.unwrap();
        source.reject(&token);
    }
    assert_eq!(login.server.token_requests(), REFRESHES);
    let mut times = times.lock().unwrap().clone();
    assert_eq!(times.len(), REFRESHES);
    times.sort();
    let (half, most, longest) = (
        times[REFRESHES / 2],
        times[REFRESHES * 99 / 100],
        times[REFRESHES - 1],
    );
    eprintln!(
        "{REFRESHES} rotations, from the answer until it is durable: p50 {half:?}, p99 {most:?}, max {longest:?}"
    );
    // On an idle machine it is a few milliseconds; nothing in it waits for a clock.
    assert!(half < Duration::from_millis(250), "{half:?}");
}

/// A login at a server with rotation and reuse detection, in a file store; its access token has expired.
struct Login {
    server: AuthorizationServer,
    directory: TempDir,
    refresh_token: String,
}

impl Login {
    async fn new() -> Self {
        let server = AuthorizationServer::start().await;
        server.rotate_refresh_tokens(true);
        let login = Self {
            refresh_token: server.issue_refresh_token("client"),
            directory: tempfile::tempdir().unwrap(),
            server,
        };
        login.log_in(&login.refresh_token).await;
        login
    }

    async fn log_in(&self, refresh_token: &str) {
        let credential = Credential::new(self.server.token_url(), "client")
            .with_refresh_token(RefreshToken::new(refresh_token))
            .with_access_token(old_token(-10));
        CredentialStore::save(&self.store(), &key(), &credential)
            .await
            .unwrap();
    }

    fn store(&self) -> FileStore {
        store(self.directory.path())
    }

    /// Refreshes in a process of its own, which dies at that moment.
    async fn refresh_in_a_process(&self, moment: Moment) {
        let Moment { call, number, .. } = moment;
        let mut command = Command::new("strace");
        command.args(["-f", "-o", "/dev/null"]);
        if number > 0 {
            let kill = format!("inject={call}:signal=KILL:when={number}");
            command.args(["-e", &format!("trace={call}"), "-e", &kill]);
        }
        command
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "crashes::a_role_of_another_test"])
            .env(TOKEN_URL, self.server.token_url())
            .env(DIRECTORY, self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let status = tokio::task::spawn_blocking(move || command.status())
            .await
            .unwrap();
        let signal = if number > 0 { 9 } else { 6 };
        assert_eq!(status.unwrap().signal(), Some(signal), "{moment:?}");
    }

    /// What the next process finds.
    async fn check(&self, Moment { what, leaves, .. }: Moment, round: usize) {
        let asked = self.server.token_requests();
        let rotated = !self.server.is_active(&self.refresh_token);
        assert_eq!(
            (asked, rotated),
            if leaves == Leaves::Untouched {
                (0, false)
            } else {
                (1, true)
            },
            "{what}: requests, rotated"
        );
        let begin = Instant::now();
        let source = source(&self.server.token_url(), self.directory.path());
        if leaves == Leaves::Lost {
            for _ in 0..5 {
                let error = source.token().await.expect_err(what);
                assert_eq!(error.advice(), Advice::LoginRequired, "{what}: {error}");
            }
            assert_eq!(
                self.server.token_requests(),
                asked + 1,
                "{what}: asked once, and no loop"
            );
            self.log_in(&self.server.issue_refresh_token("client")).await;
        }
        let token = source.token().await.expect(what);
        assert!(
            self.server.is_active(token.expose_secret()),
            "{what}, round {round}"
        );
        let stored = CredentialStore::load(&self.store(), &key())
            .await
            .unwrap()
            .unwrap();
        let refresh_token = stored.refresh_token.unwrap();
        assert!(
            self.server.is_active(refresh_token.expose_secret()),
            "{what}, round {round}"
        );
        let waited = begin.elapsed();
        assert!(
            waited < Duration::from_secs(20),
            "{what}: the dead held a lock for {waited:?}"
        );
    }
}

fn store(directory: &Path) -> FileStore {
    FileStore::open(directory.join("store"), KeySource::KeyFile).unwrap()
}

fn endpoint(token_url: &str) -> TokenEndpoint {
    let url = ServerUrl::parse(token_url, "token_url", Transport::Encrypted).unwrap();
    let http = HttpClient::new(HttpOptions::default()).unwrap();
    TokenEndpoint::new(http, url, Client::new("client", "secret")).with_retry(RetryPolicy::never())
}

fn source(token_url: &str, directory: &Path) -> RefreshTokenSource {
    RefreshTokenSource::new(endpoint(token_url), store(directory), key())
}

const TOKEN_URL: &str = "GATEPASS_TEST_TOKEN_URL";
const DIRECTORY: &str = "GATEPASS_TEST_DIRECTORY";

#[test]
#[ignore = "a role that other tests start in a process of its own"]
#[expect(clippy::disallowed_methods, reason = "how a test tells its child what to do")]
fn a_role_of_another_test() {
    let (Ok(token_url), Some(directory)) = (std::env::var(TOKEN_URL), std::env::var_os(DIRECTORY)) else {
        return; // somebody runs all ignored tests
    };
    // One thread for files, since strace counts the calls of each thread.
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().max_blocking_threads(1).build().unwrap();
    runtime
        .block_on(source(&token_url, Path::new(&directory)).token())
        .unwrap();
    std::process::abort();
}

/// Installed, and allowed to trace: containers may forbid that.
fn can_trace() -> bool {
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    if traced.as_ref().is_ok_and(std::process::ExitStatus::success) {
        return true;
    }
    #[expect(clippy::disallowed_methods, reason = "a test may ask where it runs")]
    let in_ci = std::env::var_os("CI").is_some();
    assert!(traced.is_ok() || !in_ci, "missing in CI: strace");
    eprintln!("\n*** LEFT OUT: kills in a refresh: strace is not to be had, or may not trace here ***\n");
    false
}

/// Takes down how long each save takes.
struct Timed {
    inner: FileStore,
    times: Arc<Mutex<Vec<Duration>>>,
}

#[async_trait]
impl CredentialStore for Timed {
    async fn load(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        CredentialStore::load(&self.inner, key).await
    }

    async fn save(&self, key: &CredentialKey, credential: &Credential) -> Result<(), StoreError> {
        let begin = Instant::now();
        let saved = CredentialStore::save(&self.inner, key, credential).await;
        self.times.lock().unwrap().push(begin.elapsed());
        saved
    }

    async fn delete(&self, key: &CredentialKey) -> Result<bool, StoreError> {
        CredentialStore::delete(&self.inner, key).await
    }

    async fn list(&self) -> Result<Vec<CredentialKey>, StoreError> {
        CredentialStore::list(&self.inner).await
    }

    async fn lock(&self, key: &CredentialKey) -> Result<CredentialLock, StoreError> {
        self.inner.lock(key).await
    }

    fn exclusion(&self) -> Exclusion {
        self.inner.exclusion()
    }
}
