//! Many processes at once.

use crate::child::Process;
use crate::support::{Home, credential, key, loaded};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use gatepass_core::CredentialStore;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often each of twenty processes saves; `GATEPASS_TEST_SAVES=100` for the full run.
fn saves() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for the long run")]
    let asked = std::env::var("GATEPASS_TEST_SAVES").ok();
    asked.map_or(50, |number| {
        number.parse().expect("GATEPASS_TEST_SAVES is a number")
    })
}

/// S12: the newest of each is there, and nowhere on this machine lies a secret in plain text.
#[tokio::test]
async fn twenty_processes_that_write_twenty_profiles_lose_nothing_and_leave_no_plain_text() {
    let home = Home::new();
    let secret = format!("canary{:016x}-", crate::crashes::random(u64::MAX));
    let elsewhere = tempfile::tempdir().unwrap();
    let places = ["home", "temporary"].map(|name| elsewhere.path().join(name));
    places
        .iter()
        .for_each(|place| std::fs::create_dir(place).unwrap());
    let surroundings = format!(
        "export HOME={} TMPDIR={}",
        places[0].display(),
        places[1].display()
    );
    let mut writers: Vec<_> = (0..20)
        .map(|number| {
            let role = format!("save account-{number} {} {secret}", saves());
            Process::start_after(&surroundings, &home.path, &role)
        })
        .collect();
    for writer in &mut writers {
        assert_eq!(writer.last_words(), vec!["saved"; saves()]);
    }
    let store = home.store();
    assert_eq!(store.list().await.unwrap().len(), 20);
    for number in 0..20 {
        let stored = loaded(&store, &format!("account-{number}")).await.unwrap();
        assert_eq!(stored, Some(format!("{secret}{}", saves())));
    }
    assert_eq!(home.temporaries(), 0);
    let mut looked_at = 0;
    for place in [&home.path, elsewhere.path(), Path::new("/dev/shm")] {
        let (files, found) = search(place, &secret);
        assert_eq!(found, 0, "{secret} lies in {}", place.display());
        looked_at += files;
    }
    eprintln!(
        "20 processes, {} saves each: the newest of each is there, 0 secrets in {looked_at} files",
        saves()
    );
    // The search would have found it, as it is and in base64.
    for (number, text) in [secret.clone(), URL_SAFE.encode(format!("x{secret}x"))]
        .iter()
        .enumerate()
    {
        std::fs::write(places[1].join("planted"), text).unwrap();
        assert_eq!(search(elsewhere.path(), &secret), (1, 1), "planted {number}");
    }
}

/// How many files there are below a directory, and how many of them hold `secret`, as it is or in base64.
fn search(directory: &Path, secret: &str) -> (usize, usize) {
    let encoded = (0..3).flat_map(|shift| {
        let text = URL_SAFE_NO_PAD.encode([&" ".repeat(shift), secret].concat());
        // The characters at either end depend on what stands beside the secret.
        let url_safe = text[4.min(shift * 4)..text.len() - 4].to_owned();
        [url_safe.replace('-', "+").replace('_', "/"), url_safe]
    });
    let wanted: Vec<_> = encoded.chain([secret.to_owned()]).collect();
    let holds = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        wanted.iter().any(|wanted| text.contains(wanted))
    };
    let (mut files, mut found) = (0, 0);
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let kind = entry.file_type();
        if kind.as_ref().is_ok_and(std::fs::FileType::is_dir) {
            let (more, held) = search(&entry.path(), secret);
            (files, found) = (files + more, found + held);
        } else if kind.is_ok_and(|kind| kind.is_file()) {
            files += 1;
            found += usize::from(std::fs::read(entry.path()).is_ok_and(|bytes| holds(&bytes)));
        }
    }
    (files, found)
}

/// How often the first key is made; `GATEPASS_TEST_FIRST_KEYS=200` for the full run.
fn first_keys() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for the long run")]
    let asked = std::env::var("GATEPASS_TEST_FIRST_KEYS").ok();
    asked.map_or(50, |number| {
        number.parse().expect("GATEPASS_TEST_FIRST_KEYS is a number")
    })
}

/// S10
#[tokio::test]
async fn processes_that_make_the_first_key_at_once_agree_on_one() {
    for _ in 0..first_keys() {
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
    eprintln!(
        "{} rounds of 6 processes: one key each, nothing lost",
        first_keys()
    );
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

/// S05: looks at all files a thousand times a second, from the first one on.
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

/// S05
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
