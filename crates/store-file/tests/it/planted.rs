//! Things that somebody put where our files go.

use crate::support::{CREDENTIALS, Home, META, credential, key, left_out, loaded};
use gatepass_core::{CredentialStore, StoreError};
use gatepass_file_store::{FileStore, KeySource};
use rustix::fs::{CWD, FileType, Mode, chown, mknodat};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

const VICTIM: &[u8] = b"somebody else's file";

/// Everything that the store writes or locks.
const PLACES: [&str; 6] = [
    CREDENTIALS,
    ".key",
    META,
    ".gatepass.tmp",
    "locks/store.lock",
    "locks",
];

/// Puts something at a path, and says what the refusal calls it; `None` if it can't be done here.
type Plant = fn(&Path, victim: &Path) -> Option<&'static str>;

const PLANTS: [(&str, Plant); 5] = [
    ("symbolic link", |path, victim| {
        symlink(victim, path).unwrap();
        Some("symbolic link")
    }),
    ("FIFO", |path, _| {
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        Some("not a regular file")
    }),
    ("directory", |path, _| {
        std::fs::create_dir(path).unwrap();
        Some("directory")
    }),
    ("hard link", |path, victim| {
        std::fs::hard_link(victim, path).unwrap();
        Some("hard link")
    }),
    ("foreign file", |path, victim| {
        std::fs::copy(victim, path).unwrap();
        chown(path, Some(rustix::fs::Uid::from_raw(4711)), None).ok()?;
        Some("another user")
    }),
];

/// S06
#[tokio::test]
async fn whatever_is_planted_is_refused_and_nothing_outside_is_touched() {
    let mut cases = 0;
    for place in PLACES {
        for (what, plant) in PLANTS {
            if place == "locks" && what == "directory" {
                continue; // what belongs there
            }
            let home = Home::with_jane().await;
            let victim = home.path.parent().unwrap().join("victim");
            std::fs::write(&victim, VICTIM).unwrap();
            std::fs::set_permissions(&victim, std::fs::Permissions::from_mode(0o600)).unwrap();
            let path = home.file(place);
            if path.is_dir() {
                std::fs::remove_dir_all(&path).unwrap();
            } else if path.exists() {
                std::fs::remove_file(&path).unwrap();
            }
            let Some(expected) = plant(&path, &victim) else {
                left_out(&format!("{what} at {place}: only root can plant it"));
                continue;
            };
            let store = home.store();
            let (joe, new) = (key("joe"), credential("2"));
            let probed = store.probe().await.expect_err("it is found out before a login");
            let saved = tokio::time::timeout(Duration::from_secs(5), store.save(&joe, &new)).await;
            let error = saved.expect("nothing waits for ever").expect_err(place);
            assert!(
                matches!(error, StoreError::Refused { .. }),
                "{what} at {place}: {error}"
            );
            assert_eq!(probed.to_string(), error.to_string());
            let text = error.to_string();
            let told = text.contains(expected) || (place == "locks" && text.contains("not a directory"));
            assert!(told && text.contains(place), "{what} at {place}: {text}");
            assert!(!error.fix().is_empty());
            assert_eq!(std::fs::read(&victim).unwrap(), VICTIM, "{what} at {place}");
            assert!(path.symlink_metadata().is_ok(), "not silently replaced");
            if [CREDENTIALS, ".key", META].contains(&place) {
                let loaded = tokio::time::timeout(Duration::from_secs(5), loaded(&store, "jane")).await;
                assert!(
                    matches!(loaded.expect("no wait"), Err(StoreError::Refused { .. })),
                    "{what} at {place}"
                );
            } else {
                assert_eq!(
                    loaded(&store, "jane").await.unwrap().as_deref(),
                    Some("1"),
                    "still readable"
                );
            }
            cases += 1;
        }
    }
    eprintln!("{cases} things planted: all refused, nothing outside touched");
}

/// S06
#[tokio::test]
async fn a_planted_refresh_lock_is_refused() {
    let home = Home::with_jane().await;
    drop(home.store().lock(&key("jane")).await.unwrap());
    let names = crate::support::names(&home.file("locks"));
    let name = names.iter().find(|name| *name != "store.lock").unwrap();
    let path = home.file("locks").join(name);
    let victim = home.path.parent().unwrap().join("victim");
    for (_, plant) in PLANTS {
        std::fs::write(&victim, VICTIM).unwrap();
        if path.is_dir() {
            std::fs::remove_dir(&path).unwrap()
        } else {
            std::fs::remove_file(&path).unwrap()
        }
        if plant(&path, &victim).is_some() {
            let error = home.store().lock(&key("jane")).await.unwrap_err();
            assert!(matches!(error, StoreError::Refused { .. }), "{error}");
            assert_eq!(std::fs::read(&victim).unwrap(), VICTIM);
        }
    }
}

/// S06
#[tokio::test]
async fn a_directory_of_others_or_for_all_is_refused() {
    let home = Home::with_jane().await;
    for mode in [0o777, 0o1777, 0o702] {
        std::fs::set_permissions(&home.path, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = home
            .store()
            .save(&key("jane"), &credential("2"))
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{mode:o}: {error}");
        assert_eq!(
            home.path.metadata().unwrap().permissions().mode() & 0o7777,
            mode,
            "left as it is"
        );
    }
    std::fs::set_permissions(&home.path, std::fs::Permissions::from_mode(0o700)).unwrap();
    if chown(&home.path, Some(rustix::fs::Uid::from_raw(4711)), None).is_err() {
        return left_out("a directory of another user: only root can make one");
    }
    let error = home
        .store()
        .save(&key("jane"), &credential("2"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("another user"), "{error}");
}

#[tokio::test]
async fn a_file_or_a_dangling_link_in_place_of_the_directory_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let (file, link) = (root.path().join("file"), root.path().join("link"));
    std::fs::write(&file, VICTIM).unwrap();
    symlink(root.path().join("nowhere"), &link).unwrap();
    for (path, what) in [
        (&file, "it is not a directory"),
        (&link, "opening"),
        (&file.join("below"), "it is not a directory"),
    ] {
        let store = FileStore::open(path, KeySource::KeyFile).unwrap();
        let error = store.save(&key("jane"), &credential("1")).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Refused { .. } | StoreError::Unavailable { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(what), "{error}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), VICTIM);
}

/// Nobody can make a directory there, root included.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_directory_that_cannot_be_made_is_an_error_that_says_so() {
    let store = FileStore::open("/proc/gatepass", KeySource::KeyFile).unwrap();
    let error = store.save(&key("jane"), &credential("1")).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("making the directory"), "{error}");
}
