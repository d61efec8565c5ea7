//! Many processes at once.

use crate::child::Process;
use crate::support::{Home, credential, key, loaded};
use gatepass_core::CredentialStore;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[tokio::test]
async fn twenty_processes_that_write_twenty_profiles_lose_nothing() {
    let home = Home::new();
    let mut writers: Vec<_> = (0..20)
        .map(|number| Process::start(&home.path, &format!("save account-{number} 50")))
        .collect();
    for writer in &mut writers {
        assert_eq!(writer.last_words(), vec!["saved"; 50]);
    }
    let store = home.store();
    assert_eq!(store.list().await.unwrap().len(), 20);
    for number in 0..20 {
        let stored = loaded(&store, &format!("account-{number}")).await.unwrap();
        assert_eq!(stored.as_deref(), Some("50"));
    }
    assert_eq!(home.temporaries(), 0);
}

#[tokio::test]
async fn processes_that_make_the_first_key_at_once_agree_on_one() {
    const ROUNDS: usize = 50;
    for _ in 0..ROUNDS {
        let home = Home::new();
        let mut writers: Vec<_> = (0..6)
            .map(|number| Process::start(&home.path, &format!("save account-{number} 1")))
            .collect();
        for writer in &mut writers {
            assert_eq!(writer.last_words(), ["saved"]);
        }
        let store = home.store();
        for number in 0..6 {
            let stored = loaded(&store, &format!("account-{number}")).await.unwrap();
            assert_eq!(stored.as_deref(), Some("1"), "encrypted with the key that won");
        }
    }
    eprintln!("{ROUNDS} rounds of 6 processes: one key each, nothing lost");
}

/// R04
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_readers_wait_for_no_writer() {
    let home = Home::with_jane().await;
    let mut holder = Process::start(&home.path, "hold jane");
    assert_eq!(holder.says().as_deref(), Some("held"));
    let mut writer = Process::start(&home.path, "count");
    assert!(writer.says().is_some());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let store = home.store();
        tasks.spawn(async move {
            let mut times = Vec::new();
            for _ in 0..100 {
                let begin = Instant::now();
                assert!(loaded(&store, "jane").await.unwrap().is_some());
                times.push(begin.elapsed());
            }
            times
        });
    }
    let mut times = tasks.join_all().await.concat();
    times.sort();
    let (half, most, longest) = (times[499], times[989], times[999]);
    eprintln!(
        "1,000 loads while a writer writes and a lock is held: p50 {half:?}, p99 {most:?}, max {longest:?}"
    );
    assert!(most < Duration::from_secs(1), "{most:?}");
}

/// Looks at all files a thousand times a second, from the first one on.
#[tokio::test]
async fn nothing_is_ever_open_to_others_whatever_the_umask_says() {
    for umask in ["000", "022", "077"] {
        let home = Home::new();
        let done = Arc::new(AtomicBool::new(false));
        let sampler = std::thread::spawn({
            let (path, done) = (home.path.clone(), Arc::clone(&done));
            move || {
                let mut looks = 0_u64;
                while !done.load(Ordering::Relaxed) {
                    looks += assert_closed(&path);
                    std::thread::sleep(Duration::from_micros(100));
                }
                looks
            }
        });
        let mut writer = Process::start_after(&format!("umask {umask}"), &home.path, "save jane 200");
        assert_eq!(writer.last_words().len(), 200);
        done.store(true, Ordering::Relaxed);
        let looks = sampler.join().expect("nothing was open to others");
        let mode = |name: &str| home.file(name).metadata().unwrap().permissions().mode() & 0o777;
        for name in [
            ".key",
            "credentials.json.enc",
            "credentials.meta.json",
            "locks/store.lock",
        ] {
            assert_eq!(mode(name), 0o600, "{name} under umask {umask}");
        }
        for name in ["", "locks"] {
            assert_eq!(mode(name), 0o700, "{name} under umask {umask}");
        }
        eprintln!("umask {umask}: {looks} looks at files, none open to others");
    }
}

fn assert_closed(directory: &Path) -> u64 {
    let mut looks = 0;
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).chain([directory.to_owned()]) {
        if let Ok(metadata) = path.symlink_metadata() {
            let mode = metadata.permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} is {mode:o}", path.display());
            looks += 1;
        }
    }
    looks
}

#[tokio::test]
async fn loose_files_are_tightened_by_the_next_save_and_a_loose_key_is_refused() {
    let home = Home::with_jane().await;
    let set = |name: &str, mode| {
        std::fs::set_permissions(home.file(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let mode = |name: &str| home.file(name).metadata().unwrap().permissions().mode() & 0o777;
    set("credentials.json.enc", 0o644);
    set("", 0o755);
    assert_eq!(loaded(&home.store(), "jane").await.unwrap().as_deref(), Some("1"));
    home.store().save(&key("jane"), &credential("2")).await.unwrap();
    assert_eq!((mode("credentials.json.enc"), mode("")), (0o600, 0o700));
    for loose in [0o640, 0o604, 0o644, 0o666] {
        set(".key", loose);
        let before = home.read("credentials.json.enc");
        let errors = [
            loaded(&home.store(), "jane").await.unwrap_err(),
            home.store()
                .save(&key("jane"), &credential("3"))
                .await
                .unwrap_err(),
            home.store().delete(&key("jane")).await.unwrap_err(),
        ];
        for error in errors {
            assert!(
                matches!(error, gatepass_core::StoreError::Refused { .. }),
                "{error}"
            );
            assert!(
                error.to_string().contains(".key") && error.fix().contains("chmod 600"),
                "{error}"
            );
        }
        assert_eq!(home.read("credentials.json.enc"), before);
        assert_eq!(
            mode(".key"),
            loose,
            "left as it is, so that the next look still tells"
        );
    }
}
