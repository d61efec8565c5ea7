use super::lock;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// A server in a process of its own. It ends with this value, and also when this process is killed: then its
/// standard input closes.
pub(crate) struct ServerProcess {
    child: Child,
    _stdin: ChildStdin,
    stderr: Arc<Mutex<Vec<String>>>,
}

/// The longest that a server may take to start, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

impl ServerProcess {
    /// Starts it, and returns the line of JSON that it prints when it answers.
    pub(crate) async fn start(
        [program, script]: &[PathBuf; 2],
        variables: &[(&str, String)],
    ) -> (Self, Value) {
        let mut child = Command::new(program)
            .arg(script)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", program.display()));
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = child.stdout.take().expect("a pipe");
        let stderr = Arc::default();
        tokio::spawn(drain(child.stderr.take().expect("a pipe"), Arc::clone(&stderr)));
        let process = Self {
            child,
            _stdin: stdin,
            stderr,
        };
        let mut line = String::new();
        let reading = timeout(PATIENCE, BufReader::new(stdout).read_line(&mut line)).await;
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| {
            panic!(
                "{} didn't start ({reading:?}):\n{}",
                script.display(),
                process.stderr().join("\n")
            )
        });
        (process, ready)
    }

    /// What it has written to its standard error, as far as that was read.
    pub(crate) fn stderr(&self) -> Vec<String> {
        lock(&self.stderr).clone()
    }

    /// Kills it, as the system does when memory is short.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.expect("a process that can be killed");
    }
}

async fn drain(stderr: impl AsyncRead + Unpin, into: Arc<Mutex<Vec<String>>>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        lock(&into).push(line);
    }
}
