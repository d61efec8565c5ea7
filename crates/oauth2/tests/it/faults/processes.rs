//! Other processes with a stored login: this test binary, started again.

use crate::refresh::{key, old_token};
use gatepass_core::{
    CachedTokenSource, Credential, CredentialKey, CredentialLock, CredentialStore, Exclusion, ExposeSecret,
    RefreshToken, StoreError, TokenSource, async_trait,
};
use gatepass_file_store::{FileStore, KeySource};
use gatepass_http::RetryPolicy;
use gatepass_oauth2::{Client, RefreshTokenSource, TokenEndpoint};
use gatepass_testkit::AuthorizationServer;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

const URL: &str = "GATEPASS_TEST_TOKEN_URL";
const DIRECTORY: &str = "GATEPASS_TEST_DIRECTORY";
/// How long it waits for the store's lock, in milliseconds; `none` takes no lock.
const PATIENCE: &str = "GATEPASS_TEST_PATIENCE";

/// How long a process waits for the store's lock, and for the server.
const LONG: Duration = Duration::from_secs(120);

pub(crate) fn source(
    token_url: &str,
    store: impl CredentialStore + 'static,
) -> CachedTokenSource<RefreshTokenSource> {
    let endpoint = TokenEndpoint::new(
        crate::support::http(),
        crate::support::url(token_url),
        Client::new("client", "secret"),
    )
    .with_retry(RetryPolicy::never())
    .with_timeout(LONG);
    CachedTokenSource::new(RefreshTokenSource::new(endpoint, store, key()))
}

pub(crate) fn store(directory: &Path) -> FileStore {
    FileStore::open(directory, KeySource::KeyFile).unwrap()
}

/// Hands out a token, or says why there is none, for each line.
pub(crate) struct Process {
    pub(crate) child: Child,
    says: BufReader<ChildStdout>,
    asks: ChildStdin,
}

impl Process {
    pub(crate) fn start(server: &AuthorizationServer, directory: &Path) -> Self {
        Self::with_patience(LONG, server, directory)
    }

    pub(crate) fn with_patience(patience: Duration, server: &AuthorizationServer, directory: &Path) -> Self {
        Self::with(patience.as_millis().to_string(), server, directory)
    }

    /// The store's lock excludes nobody.
    pub(crate) fn without_lock(server: &AuthorizationServer, directory: &Path) -> Self {
        Self::with("none".into(), server, directory)
    }

    fn with(patience: String, server: &AuthorizationServer, directory: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "faults::processes::a_role_of_another_test",
                "--ignored",
                "--nocapture",
            ])
            .env(URL, server.token_url())
            .env(DIRECTORY, directory)
            .env(PATIENCE, patience)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let says = BufReader::new(child.stdout.take().unwrap());
        let asks = child.stdin.take().unwrap();
        Self { child, says, asks }
    }

    pub(crate) fn ask(&mut self) {
        writeln!(self.asks, "token").unwrap();
    }

    pub(crate) fn answer(&mut self) -> Option<String> {
        self.outcome().map(Result::unwrap)
    }

    /// The token, or the error with the next step; `None` when the process is gone.
    pub(crate) fn outcome(&mut self) -> Option<Result<String, String>> {
        let mut line = String::new();
        while self.says.read_line(&mut line).unwrap() > 0 {
            if let Some((_, token)) = line.trim_end().split_once("token: ") {
                return Some(Ok(token.to_owned()));
            }
            if let Some((_, error)) = line.trim_end().split_once("error: ") {
                return Some(Err(error.to_owned()));
            }
            line.clear();
        }
        None
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[test]
#[ignore = "a process that the other tests start"]
#[expect(clippy::disallowed_methods, reason = "its parent tells it so")]
fn a_role_of_another_test() {
    let (Ok(url), Ok(directory)) = (std::env::var(URL), std::env::var(DIRECTORY)) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = store(Path::new(&directory));
    let source = match std::env::var(PATIENCE).unwrap().parse() {
        Ok(patience) => source(&url, store.with_lock_patience(Duration::from_millis(patience))),
        Err(_) => source(&url, Unlocked(store)),
    };
    for line in std::io::stdin().lines() {
        line.unwrap();
        match runtime.block_on(source.token()) {
            Ok(token) => println!("token: {}", token.expose_secret()),
            Err(error) => println!("error: {error}; {error:?}; {}", error.fix()),
        }
    }
}

pub(crate) async fn log_in(server: &AuthorizationServer, directory: &Path) {
    let refresh = RefreshToken::new(server.issue_refresh_token("client"));
    let credential = Credential::new(server.token_url(), "client")
        .with_refresh_token(refresh)
        .with_access_token(old_token(-10));
    store(directory).save(&key(), &credential).await.unwrap();
}

/// A store whose lock excludes nobody. Nothing is ever deleted from it.
struct Unlocked(FileStore);

#[async_trait]
impl CredentialStore for Unlocked {
    async fn load(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        CredentialStore::load(&self.0, key).await
    }

    async fn save(&self, key: &CredentialKey, credential: &Credential) -> Result<(), StoreError> {
        CredentialStore::save(&self.0, key, credential).await
    }

    async fn delete(&self, key: &CredentialKey) -> Result<bool, StoreError> {
        panic!("{key} is deleted")
    }

    async fn list(&self) -> Result<Vec<CredentialKey>, StoreError> {
        CredentialStore::list(&self.0).await
    }

    async fn lock(&self, _: &CredentialKey) -> Result<CredentialLock, StoreError> {
        Ok(CredentialLock::new(()))
    }

    fn exclusion(&self) -> Exclusion {
        Exclusion::Process
    }
}
