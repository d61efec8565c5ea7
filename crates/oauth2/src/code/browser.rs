use super::handler::{AuthorizationHandler, AuthorizationRequest};
use crate::login::LoginError;
use gatepass_http::{ServerUrl, Transport};
use std::ffi::OsString;
use std::io;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Opens an address in the person's browser, by the program that the platform has for it.
///
/// Only an https address, or http on this machine: parsed, written anew and given to the program as one argument,
/// without a shell.
#[derive(Debug, Clone)]
pub struct Browser {
    commands: Vec<Vec<OsString>>,
    hidden: Vec<OsString>,
}

/// A program that can't open the browser says so within this time; one that runs on is the browser.
const PATIENCE: Duration = Duration::from_secs(2);

impl Browser {
    /// The platform's way: `xdg-open` (or `wslview`), `open`, or `rundll32`.
    #[must_use]
    pub fn new() -> Self {
        let commands: &[&[&str]] = if cfg!(target_os = "macos") {
            &[&["open"]]
        } else if cfg!(windows) {
            &[&["rundll32.exe", "url.dll,FileProtocolHandler"]]
        } else {
            &[&["xdg-open"], &["wslview"]]
        };
        let command = |words: &&[&str]| words.iter().map(OsString::from).collect();
        Self {
            commands: commands.iter().map(command).collect(),
            hidden: Vec::new(),
        }
    }

    /// Tries these programs, one after the other, and not the platform's.
    #[must_use]
    pub fn only(programs: impl IntoIterator<Item = OsString>) -> Self {
        Self {
            commands: programs.into_iter().map(|program| vec![program]).collect(),
            hidden: Vec::new(),
        }
    }

    /// Tries this program first: that of `$BROWSER`, say.
    #[must_use]
    pub fn with_program(mut self, program: impl Into<OsString>) -> Self {
        self.commands.insert(0, vec![program.into()]);
        self
    }

    /// Keeps this environment variable from the browser: it holds a secret.
    #[must_use]
    pub fn without_variable(mut self, name: impl Into<OsString>) -> Self {
        self.hidden.push(name.into());
        self
    }

    /// Opens `url`.
    ///
    /// # Errors
    /// [`LoginError::System`] if no program could do it, [`LoginError::Token`] for an address that no browser may
    /// be given.
    pub async fn open(&self, url: &str) -> Result<(), LoginError> {
        let url = ServerUrl::parse(url, "the address of the login", Transport::Encrypted)
            .map_err(|error| LoginError::Token(error.into()))?;
        let mut why = None;
        for command in &self.commands {
            match self.start(command, url.as_str()).await {
                Ok(()) => return Ok(()),
                Err(error) => why = Some(Arc::new(error) as _),
            }
        }
        Err(LoginError::system("no browser could be started", why))
    }

    async fn start(&self, command: &[OsString], url: &str) -> io::Result<()> {
        let Some((program, arguments)) = command.split_first() else {
            return Ok(());
        };
        let mut command = Command::new(program);
        for name in &self.hidden {
            command.env_remove(name);
        }
        let mut child = command
            .args(arguments)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                let program = program.display();
                io::Error::new(error.kind(), format!("{program} can't be started: {error}"))
            })?;
        let (sender, ended) = oneshot::channel::<io::Result<ExitStatus>>();
        // A browser may run for hours: somebody has to take note of its end.
        std::thread::Builder::new()
            .name("browser".into())
            .spawn(move || sender.send(child.wait()))?;
        match tokio::time::timeout(PATIENCE, ended).await {
            Ok(Ok(Ok(status))) if !status.success() => {
                let program = program.display();
                Err(io::Error::other(format!("{program} ended with {status}")))
            }
            _ => Ok(()),
        }
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl AuthorizationHandler for Browser {
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        self.open(request.url()).await
    }
}
