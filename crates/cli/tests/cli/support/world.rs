use super::canaries::{self, Canary};
use gatepass_testkit::{AuthorizationServer, ModelServer};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

/// A machine of its own: a home that is also the working directory, an environment, two servers.
///
/// `./litellm_config.json` has the provider `corp`; the model server admits its tokens.
pub(crate) struct World {
    pub(crate) authorization: AuthorizationServer,
    pub(crate) model: ModelServer,
    directory: tempfile::TempDir,
    environment: Vec<(String, String)>,
    stdin: Option<Vec<u8>>,
    limits: Option<String>,
}

pub(crate) const CLIENT_SECRET: &str = "cs canary:7QbX/+&=%~é";
pub(crate) const REFRESH_TOKEN: &str = "rt-canary+9wKd/=~";
pub(crate) const API_KEY: &str = "sk-canary-3vTm+/=~";
pub(crate) const ACCESS_TOKEN: &str = "at-Tz1K~canary+/8Rq=";
/// The signature of an ID token: the rest of one is known to whoever knows the person.
pub(crate) const ID_TOKEN: &str = "id-J5xN_canary-2Wm";
pub(crate) const CODE: &str = "co/4Pd canary+&=7Lk";
pub(crate) const DEVICE_CODE: &str = "dc+6Gs/canary=&%0Vb";
pub(crate) const STORE_KEY: &str = "Q2FuYXJ5LXN0b3JlLWtleS1vZi0zMi1ieXRlcy0hIT8=";
pub(crate) const PASSPHRASE: &str = "pp horse/canary+&staple=%5";
pub(crate) const PROXY_PASSWORD: &str = "px-9HcY_canary.1Fu";

/// Those with a value that tests know beforehand.
const SECRETS: [&str; 10] = [
    CLIENT_SECRET,
    REFRESH_TOKEN,
    API_KEY,
    ACCESS_TOKEN,
    ID_TOKEN,
    CODE,
    DEVICE_CODE,
    STORE_KEY,
    PASSPHRASE,
    PROXY_PASSWORD,
];

/// How it went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        let world = Self {
            authorization: AuthorizationServer::start().await,
            model: ModelServer::start().await,
            directory: tempfile::tempdir().unwrap(),
            environment: Vec::new(),
            stdin: None,
            limits: None,
        };
        world
            .authorization
            .add_client(AuthorizationServer::CLIENT_ID, CLIENT_SECRET);
        world.model.require_token(&world.authorization);
        world.model.reply_text("Paris is the capital.");
        world.configure(|_| {});
        world
    }

    /// The entry of `corp`.
    pub(crate) fn entry(&self) -> Value {
        json!({
            "client_id": AuthorizationServer::CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "token_url": self.authorization.token_url(),
            "scope": "llm.read",
            "base_url": self.model.base_url(),
        })
    }

    /// Changes the entry of `corp`.
    pub(crate) fn configure(&self, change: impl FnOnce(&mut Value)) {
        let mut entry = self.entry();
        change(&mut entry);
        self.configure_all(&json!({ "corp": entry }));
    }

    pub(crate) fn configure_all(&self, providers: &Value) {
        self.write(
            "litellm_config.json",
            json!({ "oauth2_providers": providers }).to_string(),
        );
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn set(&mut self, variable: &str, value: impl Into<String>) {
        self.environment.push((variable.into(), value.into()));
    }

    pub(crate) fn pipe_in(&mut self, stdin: impl Into<Vec<u8>>) {
        self.stdin = Some(stdin.into());
    }

    /// Runs each command in a shell that has run these words before.
    pub(crate) fn limit(&mut self, words: impl Into<String>) {
        self.limits = Some(words.into());
    }

    /// Whether a variable of this name was set.
    pub(crate) fn has(&self, variable: &str) -> bool {
        self.environment.iter().any(|(name, _)| name == variable)
    }

    /// The values of all variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.environment.iter().map(|(_, value)| value.as_str())
    }

    /// The binary in this world, with nothing but this world's environment. `MODEL_URL` among the arguments is
    /// the model server's address.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let binary = env!("CARGO_BIN_EXE_gatepass");
        let mut command = Command::new(self.limits.as_ref().map_or(binary, |_| "/bin/sh"));
        if let Some(limits) = &self.limits {
            command.args(["-c", &format!("{limits}; exec \"$0\" \"$@\""), binary]);
        }
        command.args(
            args.iter()
                .map(|arg| arg.replace("MODEL_URL", &self.model.base_url())),
        );
        command
            .env_clear()
            .env("HOME", self.directory())
            .current_dir(self.directory());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs it to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Outcome {
        let mut command = self.command(args);
        if self.stdin.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().unwrap();
        if let (Some(content), Some(mut stdin)) = (&self.stdin, child.stdin.take()) {
            // A child that doesn't want it all closes its end.
            _ = stdin.write_all(content).await;
        }
        let outcome = self.outcome_of(child, args).await;
        if let (["token", ..], Some(token)) = (args, outcome.token()) {
            Canary::new(&token).assert_absent("stderr", &outcome.stderr);
        }
        outcome
    }

    /// Waits for its end, and looks for secrets in all that it has shown, its arguments included.
    pub(crate) async fn outcome(&self, child: Child) -> Outcome {
        self.outcome_of(child, &[]).await
    }

    /// As [`outcome`](Self::outcome); `gatepass token` may print its token.
    async fn outcome_of(&self, child: Child, args: &[&str]) -> Outcome {
        // It has no id any more if it has been waited for.
        let watch = child
            .id()
            .map(|pid| canaries::watch_processes(pid, self.secrets()));
        let output = tokio::time::timeout(Duration::from_secs(60), child.wait_with_output());
        let output = output.await.expect("gatepass hangs").unwrap();
        if let Some(watch) = watch {
            watch.abort();
            assert!(
                !watch.await.is_err_and(|error| error.is_panic()),
                "a process was given a secret: in its arguments, or in a child's environment"
            );
        }
        let outcome = Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        let answer = match (args, outcome.token()) {
            (["token", ..], Some(token)) => outcome.stdout.replace(&token, ""),
            _ => outcome.stdout.clone(),
        };
        for secret in self.secrets() {
            secret.assert_absent("stdout", &answer);
            secret.assert_absent("stderr", &outcome.stderr);
        }
        outcome
    }

    /// All secrets of this world: those that it was made with, and the tokens that reached the model server.
    pub(crate) fn secrets(&self) -> Vec<Canary> {
        let mut secrets = SECRETS.map(Canary::new).to_vec();
        let requests = self.model.requests();
        secrets.extend(
            requests
                .iter()
                .filter_map(|request| request.bearer())
                .map(Canary::new),
        );
        secrets
    }
}

impl Outcome {
    /// What `gatepass token` printed.
    pub(crate) fn token(&self) -> Option<String> {
        let token = match serde_json::from_str::<Value>(&self.stdout) {
            Ok(object) => object["access_token"].as_str()?.to_owned(),
            Err(_) => self.stdout.trim_end().to_owned(),
        };
        Some(token).filter(|token| !token.is_empty())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("stdout is one line of JSON")
    }
}
