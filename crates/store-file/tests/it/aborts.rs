//! A change of the key that ends in the middle.

use crate::child::Process;
use crate::support::{CREDENTIALS, Home, META, credential, key, loaded};
use crate::syscalls::can_trace;
use gatepass_core::CredentialStore;
use gatepass_file_store::KeySource;

/// The calls that change something on the disk: between two of them nothing happens.
const CALLS: [&str; 5] = ["openat", "write", "fsync", "renameat", "unlinkat"];

/// S10: the process is killed at each of its steps; the old key or the new one opens the store, and a change of the key
/// works.
#[tokio::test]
async fn a_change_of_the_key_that_is_killed_at_any_step_leaves_a_store_that_opens() {
    if !can_trace() {
        return;
    }
    let (mut steps, mut kills) = (0, 0);
    for call in CALLS {
        for occurrence in 1.. {
            let killed = kills_at(&format!("{call}:signal=KILL:when={occurrence}")).await;
            if killed == 0 {
                assert!(occurrence > 1, "there is no {call}");
                break;
            }
            (steps, kills) = (steps + 1, kills + killed);
        }
    }
    assert!(steps > 20, "{steps} steps");
    eprintln!("{kills} kills at {steps} steps of a change of the key: each store opened, with both logins");
}

/// How many processes had such a step.
async fn kills_at(step: &str) -> usize {
    let mut killed = 0;
    for _ in 0..times() {
        let home = Home::with_jane().await;
        home.store().save(&key("joe"), &credential("2")).await.unwrap();
        let said = change_the_key(&home, step);
        killed += usize::from(said.is_empty());
        for (account, mark) in [("jane", "1"), ("joe", "2")] {
            let found = loaded(&home.store(), account).await;
            assert!(found.is_ok(), "{step}, {said:?}: {found:?}");
            let found = found.unwrap();
            assert_eq!(found.as_deref(), Some(mark), "{step}, {said:?}");
        }
        home.store().save(&key("joe"), &credential("3")).await.unwrap();
        home.store().rotate_key(KeySource::KeyFile).await.unwrap();
        for (account, mark) in [("jane", "1"), ("joe", "3")] {
            let found = loaded(&home.store(), account).await.unwrap();
            assert_eq!(found.as_deref(), Some(mark), "{step}");
        }
        let names = home.names();
        assert_eq!(home.temporaries(), 0, "{step}: {names:?}");
        assert!(!home.file(".key.next").exists(), "{step}: a key is left behind");
    }
    killed
}

/// How often at each step: as a variable says, or once.
fn times() -> usize {
    #[expect(clippy::disallowed_methods, reason = "a person may want more of them")]
    let wanted = std::env::var("GATEPASS_TEST_ABORTS").ok();
    wanted.map_or(1, |number| number.parse().expect("a number of kills"))
}

/// What the process has said before it was killed.
fn change_the_key(home: &Home, step: &str) -> Vec<String> {
    let inject = format!("inject={step}");
    let names = [
        "",
        "locks",
        ".gatepass.tmp",
        ".key",
        ".key.next",
        CREDENTIALS,
        META,
    ];
    let paths = names.map(|name| home.file(name).to_str().unwrap().trim_end_matches('/').to_owned());
    let mut command = vec!["strace", "-f", "-o", "/dev/null", "-e", &inject];
    for path in &paths {
        command.extend(["-P", path]);
    }
    Process::start_under(&command, &home.path, "rotate once").last_words()
}
