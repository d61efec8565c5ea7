use super::{Connection, TABLE};
use crate::support::say;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A PostgreSQL server of the test's own, on a socket in a folder of its own. Gone when dropped, and also when this
/// process is killed: then its standard input closes.
pub(crate) struct Database {
    folder: TempDir,
    server: Child,
}

/// As which user it runs; PostgreSQL refuses to run as root.
#[derive(Clone, Copy)]
struct Owner(Option<u32>);

impl Database {
    /// `None`, said loudly, where PostgreSQL isn't installed.
    pub(crate) async fn start() -> Option<Self> {
        let (Some(programs), Some(owner)) = (programs(), Owner::find()) else {
            say("left out: there is no PostgreSQL, or no user for it (Debian: postgresql)");
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        chown(folder.path(), owner.0, None).expect("a folder of its own");
        let mut initdb = owner.command(&programs.join("initdb"), folder.path());
        let initdb = initdb.args([
            "-D",
            "data",
            "-A",
            "trust",
            "-U",
            Connection::USER,
            "-E",
            "UTF8",
            "--locale=C",
        ]);
        let made = initdb.arg("--no-sync").output().expect("initdb");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut server = owner.command(Path::new("sh"), folder.path());
        let server = server
            .args(["-c", "\"$@\" 2>log & read -r _; kill -QUIT $!; wait", "sh"])
            .arg(programs.join("postgres"))
            .args([
                "-D",
                "data",
                "-c",
                "listen_addresses=",
                "-c",
                "max_connections=200",
                "-p",
                "5432",
                "-k",
            ])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .spawn()
            .expect("a server");
        let database = Self { folder, server };
        let mut connection = database.wait().await;
        connection.query(TABLE, &[]).await.expect("a table");
        Some(database)
    }

    /// Where its socket is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    async fn wait(&self) -> Connection {
        const PATIENCE: Duration = Duration::from_secs(60);
        let begin = Instant::now();
        loop {
            match Connection::open(self.folder()).await {
                Ok(connection) => return connection,
                Err(failure) if begin.elapsed() > PATIENCE => {
                    let log = std::fs::read_to_string(self.folder().join("log"));
                    panic!("PostgreSQL didn't start: {failure}\n{}", log.unwrap_or_default());
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        _ = self.server.wait();
    }
}

impl Owner {
    /// The user `postgres`, which its package brings, if we are root.
    fn find() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return Some(Self(None));
        }
        let id = Command::new("id").args(["-u", "postgres"]).output().ok()?;
        let id = String::from_utf8(id.stdout).ok()?;
        Some(Self(Some(id.trim().parse().ok()?)))
    }

    fn command(self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some(user) = self.0 {
            command.uid(user);
        }
        command.current_dir(folder);
        command
    }
}

/// The folder of the newest version; Debian has them outside of `PATH`.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.flatten().map(|version| version.path().join("bin"));
    folders.filter(|folder| folder.join("initdb").is_file()).max()
}
