//! R07: a login is refreshed, and the disk doesn't take it.

use crate::support::{By, World, golden_in};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

const LOGIN: [&str; 4] = ["auth", "login", "--provider", "team"];
const TOKEN: [&str; 3] = ["token", "--provider", "team"];
const TOKEN_JSON: [&str; 4] = ["token", "--provider", "team", "--json"];
const CHAT: [&str; 4] = ["chat", "-m", "team/my-model", "Where?"];

/// The configuration directory on a small disk of its own; gone when dropped.
struct Disk(PathBuf);

impl Disk {
    #[expect(clippy::print_stderr, reason = "for who runs the tests")]
    fn mount(world: &World) -> Option<Self> {
        let path = world.conf("");
        std::fs::create_dir_all(&path).unwrap();
        let options = Some(c"size=64k,mode=700");
        match mount("tmpfs", &path, "tmpfs", MountFlags::empty(), options) {
            Ok(()) => Some(Self(path)),
            Err(_) => {
                eprintln!("\n*** LEFT OUT: a full disk: only root can mount one ***\n");
                None
            }
        }
    }

    /// Takes all the space that is left.
    fn fill(&self) {
        let mut size = 64 * 1024;
        for number in 0.. {
            while std::fs::write(self.0.join(format!("ballast-{number}")), vec![0; size]).is_err() {
                size /= 2;
                if size == 0 {
                    return;
                }
            }
        }
    }

    fn free(&self) {
        for entry in std::fs::read_dir(&self.0).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().contains("ballast") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(&self.0, UnmountFlags::DETACH).unwrap();
    }
}

/// Someone whose token has run out, on a full disk.
async fn full_and_run_out() -> Option<(Disk, World)> {
    let mut world = World::new().await;
    world.configure_all(&json!({ "team": world.login_entry() }));
    let disk = Disk::mount(&world)?;
    world.authorization.set_lifetime(Duration::from_secs(1));
    assert_eq!(world.log_in(&LOGIN, By::Browser).await.code, Some(0));
    world.authorization.set_lifetime(Duration::from_secs(3600));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    disk.fill();
    Some((disk, world))
}

#[tokio::test]
async fn a_token_that_could_not_be_saved_is_printed_and_the_exit_code_tells() {
    for (golden, args) in [
        ("unsaved/token", &TOKEN[..]),
        ("unsaved/token_json", &TOKEN_JSON),
        ("unsaved/chat", &CHAT),
    ] {
        let Some((disk, world)) = full_and_run_out().await else {
            return;
        };
        let outcome = golden_in(&world, golden, 3, args).await;
        if args[0] == "token" {
            assert!(world.authorization.is_active(&outcome.token().unwrap()));
        }
        // The old login is whole, and this server takes its refresh token again.
        disk.free();
        let again = world.run(&TOKEN).await;
        assert_eq!(again.code, Some(0), "{again:?}");
        assert_eq!(world.run(&TOKEN).await.token(), again.token(), "it is kept now");
    }
}
