//! What a save asks of the system, in which order, and what becomes of it when the system refuses.

use crate::child::Process;
use crate::support::{CREDENTIALS, Home, META, credential, key, left_out, loaded, missing};
use gatepass_core::CredentialStore;
use std::path::Path;
use std::process::Command;

const TRACED: &str = "trace=openat,mkdir,mkdirat,fchmod,write,fsync,rename,renameat,renameat2,unlink,unlinkat,ftruncate,truncate";

/// Installed, and allowed to trace: containers may forbid that.
pub(crate) fn can_trace() -> bool {
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    match traced {
        Ok(status) if status.success() => return true,
        Ok(_) => left_out("system calls: strace may not trace here"),
        Err(_) => missing("strace"),
    }
    false
}

/// S01
#[tokio::test]
async fn a_save_opens_a_new_file_writes_syncs_renames_and_syncs_the_directory() {
    if !can_trace() {
        return;
    }
    let home = Home::with_jane().await;
    let log = home.path.parent().unwrap().join("strace");
    let command = ["strace", "-f", "-y", "-e", TRACED, "-o", log.to_str().unwrap()];
    let mut writer = Process::start_under(&command, &home.path, "save jane 1");
    assert_eq!(writer.last_words(), ["saved"]);
    let log = std::fs::read_to_string(log).unwrap();
    let ours: Vec<_> = log.lines().filter(|line| line.contains("gatepass")).collect();
    let temporary = |line: &&str| line.contains(".gatepass.tmp");
    let steps = [
        ("openat(", "O_CREAT|O_EXCL"),
        ("fchmod(", "0600"),
        ("write(", "gAAAAA"),
        ("fsync(", ".gatepass.tmp"),
        ("renameat", "\"credentials.json.enc\""),
        ("fsync(", "/gatepass>"),
    ];
    let mut rest = ours.iter();
    for (call, argument) in steps {
        let found = rest.find(|line| line.contains(call) && line.contains(argument));
        assert!(
            found.is_some(),
            "{call} … {argument} is missing or out of order in\n{}",
            ours.join("\n")
        );
    }
    let opened: Vec<_> = ours
        .iter()
        .filter(|line| line.contains("openat(") && temporary(line))
        .collect();
    assert!(
        opened
            .iter()
            .all(|line| line.contains("O_NOFOLLOW") && line.contains("0600")),
        "{opened:?}"
    );
    assert!(
        !log.contains("O_TRUNC") || !ours.iter().any(|line| line.contains("O_TRUNC")),
        "nothing is cut off in place"
    );
    assert!(
        !ours.iter().any(|line| line.contains("truncate(")),
        "nothing is cut off in place"
    );
}

/// The calls of a save and how each may fail; `retval=0` is a write that writes nothing.
const FAULTS: [(&str, &[&str]); 7] = [
    (
        "openat",
        &[
            "error=ENOSPC",
            "error=EIO",
            "error=EDQUOT",
            "error=EROFS",
            "error=EACCES",
            "error=EMFILE",
            "error=EINTR",
        ],
    ),
    (
        "write",
        &[
            "error=ENOSPC",
            "error=EIO",
            "error=EDQUOT",
            "error=EROFS",
            "error=EINTR",
            "retval=0",
        ],
    ),
    (
        "fsync",
        &[
            "error=EIO",
            "error=ENOSPC",
            "error=EDQUOT",
            "error=EROFS",
            "error=EACCES",
            "error=EINTR",
            "error=EINVAL",
        ],
    ),
    (
        "renameat",
        &[
            "error=EIO",
            "error=EXDEV",
            "error=EACCES",
            "error=ENOSPC",
            "error=EDQUOT",
            "error=EROFS",
        ],
    ),
    ("fchmod", &["error=EPERM", "error=EIO", "error=EROFS"]),
    ("mkdir", &["error=ENOSPC", "error=EACCES", "error=EROFS"]),
    (
        "mkdirat",
        &["error=ENOSPC", "error=EACCES", "error=EROFS", "error=EDQUOT"],
    ),
];

/// S02, R06: each call that a save makes fails once, with each error that it may fail with.
#[tokio::test]
async fn whatever_call_fails_old_or_new_is_there_and_the_failure_is_told() {
    if !can_trace() {
        return;
    }
    let mut cases = 0;
    for (call, faults) in FAULTS {
        for (number, fault) in faults.iter().enumerate() {
            // Each fault at each call takes minutes; in turns they meet all calls with all kinds of them.
            let first = if exhaustively() { 1 } else { 1 + number % 2 };
            for occurrence in (first..).step_by(if exhaustively() { 1 } else { 2 }) {
                let home = Home::new();
                home.store().save(&key("jane"), &credential("0")).await.unwrap();
                if !fails_cleanly(&home, "0", call, fault, occurrence).await {
                    break;
                }
                cases += 1;
            }
        }
    }
    assert!(cases > 30, "{cases}");
    eprintln!("{cases} failing system calls: each told, old or new there, no temporary file");
}

/// S02: the same for the first save of all, which makes the directories, the key, the description and the lock.
#[tokio::test]
async fn whatever_call_of_a_first_save_fails_there_is_nothing_or_all_and_the_next_one_works() {
    if !can_trace() {
        return;
    }
    let mut cases = 0;
    for (call, faults) in FAULTS {
        for occurrence in 1.. {
            // Without end: after the last call nothing fails any more.
            let in_turn = [faults[occurrence % faults.len()]];
            let mut failed = 0;
            for fault in if exhaustively() { faults } else { &in_turn } {
                let home = Home::new();
                std::fs::create_dir_all(home.path.parent().unwrap()).unwrap();
                failed += usize::from(fails_cleanly(&home, "", call, fault, occurrence).await);
                home.store().save(&key("jane"), &credential("2")).await.unwrap();
                let stored = loaded(&home.store(), "jane").await.unwrap();
                assert_eq!(stored.as_deref(), Some("2"), "{call} {fault}");
                assert_eq!(home.temporaries(), 0, "{:?}", home.names());
            }
            if failed == 0 {
                break;
            }
            cases += failed;
        }
    }
    assert!(cases > 20, "{cases}");
    eprintln!(
        "{cases} failing system calls of a first save: each told, nothing or all there, the next save works"
    );
}

/// Whether each fault meets each call, as a variable says.
pub(crate) fn exhaustively() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a person may want more of them")]
    std::env::var_os("GATEPASS_TEST_ALL_FAULTS").is_some()
}

/// Saves "1" over `before`, and lets a call fail; whether there was such a call.
async fn fails_cleanly(home: &Home, before: &str, call: &str, fault: &str, occurrence: usize) -> bool {
    let (inject, log) = (
        format!("inject={call}:{fault}:when={occurrence}"),
        home.path.parent().unwrap().join("strace"),
    );
    // `-P` limits the injection to calls on the store's own files.
    let names = [
        "",
        ".gatepass.tmp",
        CREDENTIALS,
        META,
        ".key",
        "locks",
        "locks/store.lock",
    ];
    let paths = names.map(|name| home.file(name).to_str().unwrap().trim_end_matches('/').to_owned());
    let mut command = vec![
        "strace",
        "-f",
        "-y",
        "-o",
        log.to_str().unwrap(),
        "-e",
        TRACED,
        "-e",
        &inject,
    ];
    for path in &paths {
        command.extend(["-P", path]);
    }
    let mut writer = Process::start_under(&command, &home.path, "save jane 1");
    let words = writer.last_words();
    let stored = loaded(&home.store(), "jane").await.unwrap().unwrap_or_default();
    assert!(stored == before || stored == "1", "{inject}: {stored:?}");
    let log = std::fs::read_to_string(&log).unwrap();
    let line = log.lines().find(|line| line.contains("(INJECTED)"));
    let injected = line.is_some();
    // Some network file systems can't sync a directory, and say so in this way.
    let is_harmless = fault == "error=EINVAL" && line.is_some_and(is_about_a_directory);
    match words.as_slice() {
        [word] if word == "saved" => {
            assert!(
                !injected || is_harmless || fault == "error=EINTR",
                "{inject} wasn't told"
            );
            assert_eq!(stored, "1");
        }
        [word] => assert!(
            injected && !is_harmless && word.starts_with("failed: Unavailable"),
            "{inject}: {word}"
        ),
        other => assert_eq!(other.len(), 1, "{inject}: {other:?}"),
    }
    assert!(!home.path.exists() || home.temporaries() == 0, "{inject}");
    injected
}

/// Whether a line of strace, `fsync(9</path>) = …`, names a directory.
fn is_about_a_directory(line: &str) -> bool {
    let path = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    path.is_some_and(|(path, _)| Path::new(path).is_dir())
}
