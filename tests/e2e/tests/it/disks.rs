//! Disks that take no more while a login is refreshed: calls go on, and the newest token gets there in the end.

use crate::support::{Kept, Place, Setup, World, mark, say};
use crate::worker::Worker;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A small file system in memory; gone when dropped.
struct Small(PathBuf);

impl Small {
    fn mount(path: PathBuf) -> Option<Self> {
        std::fs::create_dir(&path).unwrap();
        mount(
            "tmpfs",
            &path,
            "tmpfs",
            MountFlags::empty(),
            Some(c"size=64k,mode=700"),
        )
        .ok()?;
        Some(Self(path))
    }

    /// Takes all the space that is left.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("ballast");
        let mut size = 64 * 1024;
        while size > 0 {
            let mut bytes = std::fs::read(&path).unwrap_or_default();
            bytes.resize(bytes.len() + size, 0);
            if std::fs::write(&path, &bytes).is_err() {
                bytes.truncate(bytes.len() - size);
                _ = std::fs::write(&path, &bytes);
                size /= 2;
            }
        }
        path
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        unmount(&self.0, UnmountFlags::DETACH).unwrap();
    }
}

/// R07
#[tokio::test]
async fn calls_go_on_while_the_disk_is_full_and_a_freed_one_takes_the_newest_token() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    let Some(disk) = Small::mount(world.folder().join("disk")) else {
        return say("left out: a full disk: only root can mount one");
    };
    let kept = Kept::new(&world, Place::file(&disk.0)).await;
    let worker = Worker::start(&kept).await;
    let ballast = disk.fill();
    let free = || std::fs::remove_file(ballast).unwrap();
    refreshes_go_on(&world, &kept, worker, "No space left", free).await;
}

/// R07
#[tokio::test]
async fn calls_go_on_under_a_limit_on_file_sizes_and_without_it_the_newest_token_is_saved() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    let kept = Kept::new(&world, Place::file(world.folder())).await;
    let worker = Worker::start_after(&kept, "ulimit -S -f 1").await;
    let process = Pid::from_raw(worker.id().cast_signed());
    let free = || {
        let unlimited = Rlimit {
            current: None,
            maximum: None,
        };
        prlimit(process, Resource::Fsize, unlimited).unwrap();
    };
    refreshes_go_on(&world, &kept, worker, "File too large", free).await;
}

/// Two refreshes that can't be saved, and one that can.
async fn refreshes_go_on(world: &World, kept: &Kept, mut worker: Worker, why: &str, free: impl FnOnce()) {
    let before = kept.stored().await;
    let mut newest = String::new();
    for _ in 0..2 {
        worker.ask("pass 3600").await;
        let token = worker.ask("token").await;
        assert!(!token.starts_with("failed") && token != newest, "{token}");
        newest = token;
        let saved = worker.ask("saved").await;
        assert!(saved.starts_with("no: ") && saved.contains(why), "{saved}");
        assert_eq!(kept.stored().await, before, "the old login is whole");
    }
    // Another process must not spend the refresh token that is on disk: it waits.
    let mut other = Worker::start(kept).await;
    other.ask("pass 7200").await;
    other.tell("token").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        world.authorization.granted().await,
        3,
        "the login, and two refreshes"
    );

    free();
    let freed = Instant::now();
    while worker.ask("saved").await != "yes" {
        assert!(freed.elapsed() < Duration::from_secs(30), "still not saved");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let waited = freed.elapsed();
    assert_eq!(other.hears().await, newest, "the other has it from the disk");
    let stored = kept.stored().await.access_token.unwrap();
    assert_eq!(mark(&stored), newest);
    worker.ask("pass 3600").await;
    let next = worker.ask("token").await;
    assert!(!next.starts_with("failed") && next != newest, "{next}");
    assert_eq!(worker.ask("saved").await, "yes");
    let answers = world.authorization.token_answers().await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    say(format!(
        "{why}: 2 refreshes in memory, the newest token on disk {waited:.1?} after there was room"
    ));
}
