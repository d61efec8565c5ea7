//! What is written to can be closed, or full.

use crate::support::World;
use gatepass_testkit::eventually;
use std::time::Duration;
use tokio::io::AsyncReadExt;

const CHAT: [&str; 4] = ["chat", "-m", "corp/test-model", "Where?"];

#[tokio::test]
async fn a_reader_that_has_had_enough_is_no_failure() {
    let world = World::new().await;
    world.model.reply_text("word ".repeat(40));
    world.model.set_chunk_delay(Duration::from_millis(50));
    let mut child = world.command(&CHAT).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_u8().await.unwrap();
    drop(stdout);
    let outcome = world.outcome(child).await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    eventually("the connection to the model is closed", || {
        world.model.aborted() == 1
    })
    .await;
}

#[tokio::test]
async fn nobody_reading_at_all_is_no_failure_either() {
    let world = World::new().await;
    for args in [
        &CHAT[..],
        &["chat", "-m", "corp/test-model", "--json", "Where?"],
        &["token", "--provider", "corp"],
        &["config", "check"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let outcome = world
            .outcome(world.command(args).stdout(writer).spawn().unwrap())
            .await;
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_told() {
    let world = World::new().await;
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let child = world.command(&CHAT).stdout(full).spawn().unwrap();
    let outcome = world.outcome(child).await;
    assert_eq!(outcome.code, Some(4));
    assert!(
        outcome
            .stderr
            .starts_with("error: the output can't be written\n  because: No space left"),
        "{outcome:?}"
    );
}
