//! What a save asks of the system, in which order, and what becomes of it when the system refuses.

use crate::child::Process;
use crate::support::{Home, credential, key, left_out, loaded, missing};
use gatepass_core::CredentialStore;
use std::process::Command;

const TRACED: &str =
    "trace=openat,fchmod,write,fsync,rename,renameat,renameat2,unlink,unlinkat,ftruncate,truncate";

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

/// S02, R06: each call that a save makes fails once, with each error that it may fail with.
#[tokio::test]
async fn whatever_call_fails_old_or_new_is_there_and_the_failure_is_told() {
    if !can_trace() {
        return;
    }
    let mut cases = 0;
    for (call, errors) in [
        (
            "openat",
            &["ENOSPC", "EIO", "EDQUOT", "EROFS", "EACCES", "EMFILE", "EINTR"][..],
        ),
        ("write", &["ENOSPC", "EIO", "EDQUOT", "EINTR"]),
        ("fsync", &["EIO", "ENOSPC", "EDQUOT", "EINTR", "EINVAL"]),
        ("renameat", &["EIO", "EXDEV", "EACCES", "ENOSPC"]),
        ("fchmod", &["EPERM", "EIO"]),
    ] {
        for error in errors {
            for occurrence in 1..=2 {
                let home = Home::new();
                home.store().save(&key("jane"), &credential("0")).await.unwrap();
                let (fault, log) = (
                    format!("inject={call}:error={error}:when={occurrence}"),
                    home.path.parent().unwrap().join("strace"),
                );
                // `-P` limits the injection to calls on the store's own files.
                let paths = ["", ".gatepass.tmp", "credentials.json.enc"]
                    .map(|name| home.file(name).to_str().unwrap().trim_end_matches('/').to_owned());
                let mut command = vec![
                    "strace",
                    "-f",
                    "-o",
                    log.to_str().unwrap(),
                    "-e",
                    TRACED,
                    "-e",
                    &fault,
                ];
                for path in &paths {
                    command.extend(["-P", path]);
                }
                let mut writer = Process::start_under(&command, &home.path, "save jane 1");
                let words = writer.last_words();
                let stored = loaded(&home.store(), "jane").await.unwrap();
                assert!(
                    matches!(stored.as_deref(), Some("0" | "1")),
                    "{fault}: {stored:?}"
                );
                // Some network file systems can't sync a directory, and say so in this way.
                let is_harmless = *error == "EINVAL" && occurrence == 2;
                let injected = std::fs::read_to_string(&log).unwrap().contains("(INJECTED)");
                match words.as_slice() {
                    [word] if word == "saved" => {
                        assert!(
                            !injected || *error == "EINTR" || is_harmless,
                            "{fault} wasn't told"
                        );
                        assert_eq!(stored.as_deref(), Some("1"));
                    }
                    [word] => assert!(
                        injected && !is_harmless && word.starts_with("failed: Unavailable"),
                        "{fault}: {word}"
                    ),
                    other => panic!("{fault}: {other:?}"),
                }
                assert_eq!(home.temporaries(), 0, "{fault}");
                cases += u32::from(injected);
            }
        }
    }
    assert!(cases > 0);
    eprintln!("{cases} failing system calls: each told, old or new there, no temporary file");
}
