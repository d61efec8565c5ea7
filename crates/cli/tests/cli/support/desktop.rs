//! A D-Bus session of its own, with GNOME Keyring in it.

use super::world::World;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// Ends with its processes when it is dropped.
pub(crate) struct Desktop {
    bus: Child,
    keyring: Option<Child>,
    address: String,
}

/// A bus that starts no service by itself.
const SESSION: &str = "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \
    \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n\
    <busconfig><type>session</type><keep_umask/><listen>unix:tmpdir=/tmp</listen>\
    <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
    <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>\n";

impl Desktop {
    /// A session with a keyring that is unlocked, as a login to the desktop does it; the commands of `world` find it.
    /// `None`, loudly, where the programs for it are not to be had.
    pub(crate) async fn with_keyring(world: &mut World) -> Option<Self> {
        let mut desktop = Self::without_keyring(world).await?;
        let mut keyring = desktop.program(world, "gnome-keyring-daemon");
        keyring.args(["--unlock", "--foreground", "--components=secrets"]);
        let Ok(mut keyring) = keyring.stdin(Stdio::piped()).spawn() else {
            left_out("gnome-keyring-daemon");
            return None;
        };
        let mut password = keyring.stdin.take().unwrap();
        password.write_all(b"secret").await.unwrap();
        drop(password);
        desktop.keyring = Some(keyring);
        desktop.wait_for_keyring(world).await;
        Some(desktop)
    }

    /// A session in which nobody keeps secrets.
    pub(crate) async fn without_keyring(world: &mut World) -> Option<Self> {
        world.leave_desktop();
        std::fs::create_dir_all(world.path("run")).unwrap();
        world.write("session.conf", SESSION);
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--nofork", "--print-address"]);
        bus.arg(format!("--config-file={}", world.path("session.conf").display()));
        bus.stdout(Stdio::piped()).kill_on_drop(true);
        let Ok(mut bus) = bus.spawn() else {
            left_out("dbus-daemon");
            return None;
        };
        let mut address = String::new();
        let mut told = BufReader::new(bus.stdout.take().unwrap());
        told.read_line(&mut address).await.unwrap();
        let address = address.trim().to_owned();
        assert!(address.starts_with("unix:"), "{address}");
        world.set("DBUS_SESSION_BUS_ADDRESS", address.clone());
        Some(Self {
            bus,
            keyring: None,
            address,
        })
    }

    /// A keyring that takes every call and never answers, until it is dropped.
    pub(crate) async fn dumb_keyring(&self) -> zbus::blocking::Connection {
        let address = self.address.clone();
        let connect = move || {
            let bus = zbus::blocking::connection::Builder::address(address.as_str())?;
            bus.name("org.freedesktop.secrets")?.build()
        };
        tokio::task::spawn_blocking(connect).await.unwrap().unwrap()
    }

    /// A program of that session, in the home of that world.
    fn program(&self, world: &World, name: &str) -> Command {
        let mut command = Command::new(name);
        for name in [
            "DISPLAY",
            "WAYLAND_DISPLAY",
            "GNOME_KEYRING_CONTROL",
            "XDG_DATA_HOME",
        ] {
            command.env_remove(name);
        }
        command
            .env("HOME", world.directory())
            .env("XDG_RUNTIME_DIR", world.path("run"))
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        command
    }

    async fn wait_for_keyring(&self, world: &World) {
        for _ in 0..1000 {
            let mut ask = self.program(world, "dbus-send");
            ask.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"]);
            ask.args([
                "org.freedesktop.DBus.NameHasOwner",
                "string:org.freedesktop.secrets",
            ]);
            let answer = ask.output().await.expect("dbus-send comes with dbus-daemon");
            if String::from_utf8_lossy(&answer.stdout).contains("boolean true") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the keyring doesn't start");
    }

    /// Ends it, so that nothing of it is written any more.
    pub(crate) async fn end(mut self) {
        for child in self.keyring.iter_mut().chain([&mut self.bus]) {
            child.kill().await.unwrap();
        }
    }
}

impl World {
    /// Leaves the commands no way to the desktop of the person who runs the tests.
    pub(crate) fn leave_desktop(&mut self) {
        let run = self.path("run").display().to_string();
        self.set("XDG_RUNTIME_DIR", run);
    }
}

/// In CI, which installs what is missing, that is a failure.
#[expect(clippy::print_stderr, reason = "for who runs the tests")]
fn left_out(program: &str) {
    #[expect(clippy::disallowed_methods, reason = "a test may ask where it runs")]
    let in_ci = std::env::var_os("CI").is_some();
    assert!(!in_ci, "missing in CI: {program}");
    eprintln!("\n*** LEFT OUT: {program} is not to be had ***\n");
}
