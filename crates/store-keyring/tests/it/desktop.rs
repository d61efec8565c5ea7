//! A D-Bus session of its own, in a home of its own, with or without a keyring.

use crate::support::left_out;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const ROLE: &str = "GATEPASS_TEST_ROLE";
const DIRECTORY: &str = "GATEPASS_TEST_DIRECTORY";
const KEYRING: &str = "GATEPASS_TEST_KEYRING";

/// What stands in for a person's desktop.
pub(crate) enum Keyring {
    /// GNOME Keyring, unlocked as a login does it.
    Unlocked,
    /// GNOME Keyring with an empty password: it keeps everything in plain text, as desktops that log in by themselves do.
    Plain,
    /// GNOME Keyring, unlocked, that can't write files of more than 4 KiB.
    Full,
    /// GNOME Keyring that nobody unlocks.
    Locked,
    /// A D-Bus session without a keyring.
    None,
    /// Not even a D-Bus session.
    NoSession,
}

pub(crate) struct Desktop {
    home: TempDir,
}

pub(crate) struct Done {
    pub(crate) output: Output,
    pub(crate) took: Duration,
}

impl Done {
    #[track_caller]
    pub(crate) fn well(&self) {
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&self.output.stdout),
            String::from_utf8_lossy(&self.output.stderr)
        );
        assert!(self.output.status.success(), "{}: {said}", self.output.status);
        assert!(said.contains("1 passed"), "{said}");
    }
}

impl Desktop {
    /// `None`, loudly, where the programs for it are not to be had.
    pub(crate) fn new() -> Option<Self> {
        let programs = [
            ("dbus-run-session", "--version"),
            ("gnome-keyring-daemon", "--version"),
        ];
        for (program, argument) in programs {
            let mut command = Command::new(program);
            let command = command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
            if !command.status().is_ok_and(|status| status.success()) {
                left_out(program);
                return None;
            }
        }
        Some(Self {
            home: tempfile::tempdir().unwrap(),
        })
    }

    /// Without any program.
    pub(crate) fn bare() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where GNOME Keyring keeps everything.
    pub(crate) fn keyring_file(&self) -> std::path::PathBuf {
        self.home().join("data/keyrings/login.keyring")
    }

    /// This test binary again, in one of the [roles](crate::roles), on that desktop.
    pub(crate) fn run(&self, keyring: &Keyring, role: &str) -> Done {
        let mut command = self.command(keyring);
        let begin = Instant::now();
        let output = command
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "--ignored",
                "--nocapture",
                "roles::a_role_of_another_test",
            ])
            .env(ROLE, role)
            .output()
            .unwrap();
        let took = begin.elapsed();
        Done { output, took }
    }

    /// An environment with nothing of the real desktop in it.
    fn command(&self, keyring: &Keyring) -> Command {
        const UNLOCK: &str = "printf secret | gnome-keyring-daemon --unlock --components=secrets >/dev/null";
        const START: &str = "gnome-keyring-daemon --start --components=secrets >/dev/null";
        let script = match keyring {
            Keyring::Unlocked => format!("{UNLOCK} && \"$@\""),
            Keyring::Full => format!("(trap '' XFSZ; ulimit -f 8; {UNLOCK}) && \"$@\""),
            Keyring::Plain | Keyring::Locked => format!("{START} && \"$@\""),
            Keyring::None | Keyring::NoSession => "exec \"$@\"".to_owned(),
        };
        if matches!(keyring, Keyring::Plain) && !self.keyring_file().exists() {
            std::fs::create_dir_all(self.keyring_file().parent().unwrap()).unwrap();
            std::fs::write(self.keyring_file(), "[keyring]\ndisplay-name=Login\n").unwrap();
        }
        let runtime = self.home().join("run");
        std::fs::create_dir_all(&runtime).unwrap();
        let mut command = match keyring {
            Keyring::NoSession => Command::new("sh"),
            _ => {
                let mut command = Command::new("dbus-run-session");
                command.args(["--config-file".as_ref(), self.session_file().as_os_str()]);
                command.args(["--", "sh"]);
                command
            }
        };
        command
            .args(["-c", &script, "sh"])
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("GNOME_KEYRING_CONTROL")
            .env("HOME", self.home())
            .env("XDG_DATA_HOME", self.home().join("data"))
            .env("XDG_CONFIG_HOME", self.home().join("config"))
            .env("XDG_CACHE_HOME", self.home().join("cache"))
            .env("XDG_RUNTIME_DIR", runtime)
            .env(DIRECTORY, self.home().join("state"));
        match keyring {
            Keyring::None | Keyring::NoSession => command.env_remove(KEYRING),
            _ => command.env(KEYRING, "comes"),
        };
        command
    }

    /// A bus that starts no service by itself.
    fn session_file(&self) -> std::path::PathBuf {
        let path = self.home().join("session.conf");
        let text = "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \
             \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n\
             <busconfig><type>session</type><keep_umask/><listen>unix:tmpdir=/tmp</listen>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>\n";
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// What a role was told: what to do, and where.
#[expect(clippy::disallowed_methods, reason = "how a test tells its child what to do")]
pub(crate) fn told() -> Option<(String, std::path::PathBuf)> {
    let role = std::env::var(ROLE).ok()?;
    if std::env::var_os(KEYRING).is_some() {
        wait_for_keyring();
    }
    Some((role, std::env::var_os(DIRECTORY)?.into()))
}

/// The daemon goes into the background before it can be reached.
fn wait_for_keyring() {
    let session = zbus::blocking::Connection::session().unwrap();
    let bus = zbus::blocking::fdo::DBusProxy::new(&session).unwrap();
    let name = "org.freedesktop.secrets".try_into().unwrap();
    let begin = Instant::now();
    while !bus.name_has_owner(zbus::names::BusName::clone(&name)).unwrap() {
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "the keyring doesn't start"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
