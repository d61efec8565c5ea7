//! Disks that are full, small or read-only.

use crate::child::Process;
use crate::support::{CREDENTIALS, Home, credential, key, left_out, loaded};
use gatepass_core::{Advice, CredentialStore, StoreError};
use gatepass_file_store::{FileStore, KeySource};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A small file system in memory; gone when dropped.
struct Small(PathBuf);

impl Small {
    fn mount(path: &Path) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        mount(
            "tmpfs",
            path,
            "tmpfs",
            MountFlags::empty(),
            Some(c"size=64k,mode=700"),
        )
        .ok()?;
        Some(Self(path.to_owned()))
    }

    fn remount_read_only(&self) {
        rustix::mount::mount_remount(&self.0, MountFlags::RDONLY, c"").unwrap();
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

/// S02, R07
#[tokio::test]
async fn a_full_disk_keeps_the_old_credential_and_a_freed_one_takes_the_new() {
    let home = Home::new();
    let Some(disk) = Small::mount(&home.path) else {
        return left_out("a full disk: only root can mount one");
    };
    let store = home.store();
    store.save(&key("jane"), &credential("1")).await.unwrap();
    let ballast = disk.fill();
    let before = home.read(CREDENTIALS);
    for _ in 0..3 {
        let error = store
            .save(&key("jane"), &credential(&"2".repeat(9000)))
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert_eq!(error.advice(), Advice::Fail);
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("No space left"), "{cause}");
        assert_eq!(home.read(CREDENTIALS), before);
        assert_eq!(home.temporaries(), 0);
        assert_eq!(loaded(&store, "jane").await.unwrap().as_deref(), Some("1"));
    }
    std::fs::remove_file(ballast).unwrap();
    store.save(&key("jane"), &credential("2")).await.unwrap();
    assert_eq!(loaded(&store, "jane").await.unwrap().as_deref(), Some("2"));
}

/// S02: the kernel takes as many pages of the file as there are left, then nothing.
#[tokio::test]
async fn a_disk_that_fills_up_in_the_middle_of_a_file_keeps_the_old_credential() {
    let home = Home::new();
    let Some(disk) = Small::mount(&home.path) else {
        return left_out("a full disk: only root can mount one");
    };
    let (store, long) = (home.store(), "2".repeat(9000));
    store.save(&key("jane"), &credential(&long)).await.unwrap();
    let length = home.read(CREDENTIALS).len();
    store.save(&key("jane"), &credential("1")).await.unwrap();
    let ballast = std::fs::File::options().write(true).open(disk.fill()).unwrap();
    let mut in_the_middle = 0;
    loop {
        // What a save will meet.
        let probe = home.file("probe");
        let taken = std::fs::File::create(&probe).unwrap().write(&vec![0; length]);
        std::fs::remove_file(probe).unwrap();
        in_the_middle += usize::from(matches!(taken, Ok(bytes) if bytes > 0 && bytes < length));
        let saved = store.save(&key("jane"), &credential(&long)).await;
        let stored = loaded(&store, "jane").await.unwrap();
        assert_eq!(home.temporaries(), 0);
        if matches!(taken, Ok(bytes) if bytes == length) {
            saved.unwrap();
            assert!(stored == Some(long), "all of it is there");
            break;
        }
        let error = saved.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert_eq!(stored.as_deref(), Some("1"));
        let left = ballast.metadata().unwrap().len() - 4096;
        ballast.set_len(left).unwrap();
    }
    assert!(in_the_middle > 2, "{in_the_middle}");
    eprintln!(
        "{in_the_middle} times the disk took a part of {length} bytes: each told, old there, no temporary file"
    );
}

#[tokio::test]
async fn a_read_only_disk_can_be_read_and_says_so_when_written() {
    let home = Home::new();
    let Some(disk) = Small::mount(&home.path) else {
        return left_out("a read-only disk: only root can mount one");
    };
    let store = home.store();
    store.save(&key("jane"), &credential("1")).await.unwrap();
    disk.remount_read_only();
    for error in [
        store.save(&key("jane"), &credential("2")).await.unwrap_err(),
        store.delete(&key("jane")).await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("Read-only"), "{cause}");
    }
    assert_eq!(loaded(&store, "jane").await.unwrap().as_deref(), Some("1"));
}

/// S02
#[tokio::test]
async fn a_limit_on_file_sizes_keeps_the_old_credential() {
    // In blocks of 512 or 1,024 bytes, by shell: at most 1 KiB, and the token is longer. Whether the process ignores
    // the signal that comes with it or not, it goes on.
    let long = "x".repeat(50);
    for preparation in ["trap '' XFSZ && ulimit -f 1", "ulimit -f 1"] {
        let home = Home::new();
        let store = home.store();
        for account in ["jane", "joe", &long] {
            store.save(&key(account), &credential("1")).await.unwrap();
        }
        let before = home.read(CREDENTIALS);
        assert!(before.len() > 1024);
        let mut writer = Process::start_after(preparation, &home.path, "save jane 2");
        let words = writer.last_words();
        assert!(words.len() == 2 && words[0].contains("Unavailable"), "{words:?}");
        assert_eq!(home.temporaries(), 0);
        assert_eq!(home.read(CREDENTIALS), before);
        let mut writer = Process::start_after("ulimit -f 100", &home.path, "save jane 2");
        assert_eq!(
            writer.last_words(),
            ["saved", "saved"],
            "a limit that is far away"
        );
        let store = FileStore::open(&home.path, KeySource::KeyFile).unwrap();
        store.save(&key("jane"), &credential("3")).await.unwrap();
        assert_eq!(loaded(&store, "jane").await.unwrap().as_deref(), Some("3"));
        assert_eq!(home.temporaries(), 0);
    }
}
