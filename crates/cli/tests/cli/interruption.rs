//! Ctrl-C.

use crate::support::{Outcome, World};
use gatepass_testkit::{Answer, eventually};
use rustix::process::{Pid, Signal, kill_process};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::process::Child;

const CHAT: [&str; 4] = ["chat", "-m", "corp/test-model", "Where?"];

/// Presses Ctrl-C; it must end at once.
async fn interrupt(world: &World, child: Child) -> Outcome {
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    let pressed = Instant::now();
    kill_process(pid, Signal::INT).unwrap();
    let outcome = world.outcome(child).await;
    assert!(
        pressed.elapsed() < Duration::from_secs(5),
        "it took {:?}",
        pressed.elapsed()
    );
    outcome
}

#[tokio::test]
async fn an_answer_is_given_up_with_its_connection_and_its_line_is_ended() {
    let world = World::new().await;
    world.model.set_chunk_delay(Duration::from_millis(500));
    let mut child = world.command(&CHAT).spawn().unwrap();
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut [0; 6])
        .await
        .unwrap();
    let outcome = interrupt(&world, child).await;
    assert_eq!(
        (outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()),
        (Some(130), "\n", "interrupted\n")
    );
    eventually("the connection to the model is closed", || {
        world.model.aborted() == 1
    })
    .await;
}

#[tokio::test]
async fn a_token_that_does_not_come_is_not_waited_for() {
    let world = World::new().await;
    world.authorization.always(Answer::hang());
    let child = world
        .command(&["token", "--provider", "corp", "--json"])
        .spawn()
        .unwrap();
    eventually("the token is asked for", || {
        world.authorization.token_requests() == 1
    })
    .await;
    let outcome = interrupt(&world, child).await;
    let told = r#"{"error":{"causes":[],"fix":null,"kind":"interrupted","message":"interrupted","request_id":null}}"#;
    assert_eq!((outcome.code, outcome.stderr.trim_end()), (Some(130), told));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_prompt_that_is_not_written_to_its_end_is_given_up() {
    let world = World::new().await;
    let mut command = world.command(&["chat", "-m", "corp/test-model", "-"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let _stdin = child.stdin.take();
    let pid = child.id().unwrap();
    eventually("it reads, and listens for Ctrl-C", || catches_interrupts(pid)).await;
    let outcome = interrupt(&world, child).await;
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(130), "interrupted\n")
    );
}

/// Whether a process has a handler for SIGINT, the second signal.
#[cfg(target_os = "linux")]
fn catches_interrupts(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let caught = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))
        .unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & 0b10 != 0
}
