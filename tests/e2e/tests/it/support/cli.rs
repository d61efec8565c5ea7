use super::{World, tools};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How a run of the `gatepass` program ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
}

/// No run takes longer, whatever its servers do.
const LIMIT: Duration = Duration::from_secs(60);

impl World {
    /// Runs `gatepass` to its end, in an environment without anything of the machine's.
    ///
    /// Whatever happens, it shows no secret: neither a client's, nor a token that came to the gateway (which
    /// `gatepass token` alone prints, and those don't come to it).
    pub(crate) async fn gatepass<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        self.gatepass_with(&[], arguments).await
    }

    /// The same with these variables.
    pub(crate) async fn gatepass_with<S: AsRef<OsStr>>(
        &self,
        variables: &[(&str, &str)],
        arguments: impl IntoIterator<Item = S>,
    ) -> Ran {
        let started = Instant::now();
        self.ended(self.spawn_gatepass(variables, arguments), started)
            .await
    }

    /// Starts `gatepass`; killed when dropped.
    pub(crate) fn spawn_gatepass<S: AsRef<OsStr>>(
        &self,
        variables: &[(&str, &str)],
        arguments: impl IntoIterator<Item = S>,
    ) -> Child {
        self.command(variables, arguments)
            .spawn()
            .expect("a program that can be started")
    }

    pub(super) fn command<S: AsRef<OsStr>>(
        &self,
        variables: &[(&str, &str)],
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(tools::gatepass());
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder())
            .envs(variables.iter().copied())
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Waits for its end, and reads what it has written since.
    pub(crate) async fn ended(&self, child: Child, started: Instant) -> Ran {
        let ended = tokio::time::timeout(LIMIT, child.wait_with_output()).await;
        let output = ended.expect("a program that ends in time").expect("its output");
        let ran = Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
            elapsed: started.elapsed(),
        };
        self.assert_shows_no_secret(&ran);
        ran
    }

    pub(super) fn assert_shows_no_secret(&self, ran: &Ran) {
        for text in [&ran.stdout, &ran.stderr] {
            let secret = self.secrets().into_iter().find(|secret| text.contains(secret));
            assert!(secret.is_none(), "it shows the secret {secret:?}: {ran:?}");
            let mut words = text.split(|c: char| c.is_whitespace() || "\"'`,;".contains(c));
            let token = words.find(|word| self.gateway.has_seen(word));
            assert!(token.is_none(), "it shows a token: {ran:?}");
        }
    }
}

impl Ran {
    /// The run, which must have succeeded.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// Its standard output, which must be JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// `gatepass token` for a provider of the configuration at `config`.
pub(crate) fn token<'a>(provider: &'a str, config: &'a Path) -> [&'a OsStr; 5] {
    [
        "token".as_ref(),
        "--provider".as_ref(),
        provider.as_ref(),
        "--config".as_ref(),
        config.as_ref(),
    ]
}

/// `gatepass chat` with the model of `corp`.
pub(crate) fn chat<'a>(config: &'a Path, question: &'a str) -> [&'a OsStr; 5] {
    let model = "--model=corp/smollm2-135m-instruct";
    [
        "chat".as_ref(),
        model.as_ref(),
        "--config".as_ref(),
        config.as_ref(),
        question.as_ref(),
    ]
}
