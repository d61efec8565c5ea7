use super::{Ran, World};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

/// `gatepass auth login` at a terminal, while it waits for its person.
pub(crate) struct Prompt {
    child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    said: String,
    /// What stands on a line of its own.
    pub(crate) url: String,
}

const PATIENCE: Duration = Duration::from_secs(30);

impl World {
    /// Starts a login, and reads as far as the address to open.
    pub(crate) async fn log_in(&self, arguments: &[&str]) -> Prompt {
        let mut child = self
            .command(&[], [&["auth", "login"], arguments].concat())
            .stdin(Stdio::piped())
            .spawn()
            .expect("a program that can be started");
        let mut prompt = Prompt {
            stdin: child.stdin.take().expect("a pipe"),
            stdout: BufReader::new(child.stdout.take().expect("a pipe")).lines(),
            child,
            said: String::new(),
            url: String::new(),
        };
        prompt.url = prompt.hears(|line| line.starts_with("http://127.0.0.1:")).await;
        prompt
    }

    /// What it has printed and how it ended. Its terminal stays open until then.
    pub(crate) async fn log_in_ends(&self, mut prompt: Prompt, since: Instant) -> Ran {
        let rest = async { while prompt.line().await.is_some() {} };
        timeout(PATIENCE, rest).await.expect("a program that ends");
        let mut ran = self.ended(prompt.child, since).await;
        ran.stdout = prompt.said;
        self.assert_shows_no_secret(&ran);
        ran
    }
}

impl Prompt {
    /// The next line of its output that is meant.
    pub(crate) async fn hears(&mut self, is_meant: fn(&str) -> bool) -> String {
        let hearing = async {
            while let Some(line) = self.line().await {
                if is_meant(&line) {
                    return line;
                }
            }
            panic!("it has ended: {}", self.said);
        };
        timeout(PATIENCE, hearing).await.expect("a program that speaks")
    }

    async fn line(&mut self) -> Option<String> {
        let line = self.stdout.next_line().await.expect("UTF-8")?;
        self.said.push_str(&line);
        self.said.push('\n');
        Some(line)
    }

    /// Types a line.
    pub(crate) async fn types(&mut self, line: &str) {
        self.stdin
            .write_all(format!("{line}\n").as_bytes())
            .await
            .expect("a terminal");
    }

    /// `127.0.0.1:PORT`, where it listens.
    pub(crate) fn listener(&self) -> String {
        let query = self.url.split_once('?').expect("a query").1;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let (_, redirect_uri) = pairs
            .find(|(name, _)| name == "redirect_uri")
            .expect("a redirect address");
        redirect_uri.split('/').nth(2).expect("a host").to_owned()
    }
}
