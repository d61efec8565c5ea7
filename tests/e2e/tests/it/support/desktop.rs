use super::say;
use gatepass_keyring_store::Keyring;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::process::Command;

/// Set for a test that runs on a desktop of its own.
const HERE: &str = "GATEPASS_E2E_DESKTOP";

/// A bus that starts no service by itself.
const SESSION: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><keep_umask/><listen>unix:tmpdir=/tmp</listen><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"#;

/// Whether this process has a keyring, unlocked as by a person's login: GNOME's, in a D-Bus session and a home of
/// its own. If not, the test of this name is run once more where there is one; what it says is passed on.
pub(crate) async fn has_keyring(test: &str) -> bool {
    if is_here() {
        wait_for_keyring().await;
        return true;
    }
    if missing("dbus-run-session") || missing("gnome-keyring-daemon") {
        say(
            "left out: there is no dbus-run-session, or no gnome-keyring-daemon (Debian: dbus, gnome-keyring)",
        );
        return false;
    }
    let home = tempfile::tempdir().expect("a temporary folder");
    let status = command(&home, test).status().await.expect("a D-Bus session");
    assert!(status.success(), "on a desktop of its own: {status}");
    false
}

fn command(home: &TempDir, test: &str) -> Command {
    let session = home.path().join("session.conf");
    std::fs::write(&session, SESSION).expect("a file");
    let runtime = home.path().join("run");
    std::fs::create_dir(&runtime).expect("a folder");
    let script = "printf secret | gnome-keyring-daemon --unlock --components=secrets >/dev/null && \"$@\"";
    let mut command = Command::new("dbus-run-session");
    command
        .arg("--config-file")
        .arg(session)
        .args(["--", "sh", "-c", script, "sh"])
        .arg(std::env::current_exe().expect("the test's own path"))
        .args(["--exact", "--nocapture", test])
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("GNOME_KEYRING_CONTROL")
        .env("HOME", home.path())
        .env("XDG_DATA_HOME", home.path().join("data"))
        .env("XDG_CONFIG_HOME", home.path().join("config"))
        .env("XDG_CACHE_HOME", home.path().join("cache"))
        .env("XDG_RUNTIME_DIR", runtime)
        .env(HERE, "1")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// The daemon goes into the background before it can be reached.
async fn wait_for_keyring() {
    const PATIENCE: Duration = Duration::from_secs(20);
    let begin = Instant::now();
    while let Err(error) = Keyring::new().probe().await {
        assert!(begin.elapsed() < PATIENCE, "{error:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn missing(program: &str) -> bool {
    let mut command = std::process::Command::new(program);
    let command = command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    !command.status().is_ok_and(|status| status.success())
}

#[expect(clippy::disallowed_methods, reason = "how a test tells its child where it is")]
fn is_here() -> bool {
    std::env::var_os(HERE).is_some()
}
