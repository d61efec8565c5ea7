//! What is different on a terminal.

use crate::support::World;
use crate::support::terminal::Terminal;
use std::process::Stdio;
use std::time::Duration;

const CHAT: [&str; 4] = ["chat", "-m", "corp/test-model", "Where?"];

/// What a command shows on a terminal that has stdout and stderr.
async fn shown(world: &World, args: &[&str]) -> String {
    let terminal = Terminal::open();
    let mut command = world.command(args);
    command
        .stdin(terminal.stdio())
        .stdout(terminal.stdio())
        .stderr(terminal.stdio());
    let mut child = command.spawn().unwrap();
    drop(command);
    let (shown, _) = tokio::join!(terminal.shown(), child.wait());
    for secret in world.secrets() {
        secret.assert_absent("the terminal", &shown);
    }
    shown.replace("\r\n", "\n")
}

#[tokio::test]
async fn errors_have_colours_there_and_nowhere_else() {
    let mut world = World::new().await;
    world.set("TERM", "xterm-256color");
    let args = ["token", "--provider", "crop"];
    assert!(
        shown(&world, &args)
            .await
            .starts_with("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m unknown provider")
    );
    assert!(
        world
            .run(&args)
            .await
            .stderr
            .starts_with("error: unknown provider")
    );
    world.set("NO_COLOR", "1");
    assert!(shown(&world, &args).await.starts_with("error: unknown provider"));
}

#[tokio::test]
async fn a_spinner_turns_after_a_second_and_leaves_no_trace() {
    let world = World::new().await;
    world.authorization.set_delay(Duration::from_millis(2000));
    let shown = shown(&world, &CHAT).await;
    assert!(
        shown.starts_with("\r\u{1b}[2K⠋ waiting\r\u{1b}[2K⠙ waiting"),
        "{shown:?}"
    );
    assert!(
        shown.ends_with(" waiting\r\u{1b}[2KParis is the capital.\n"),
        "{shown:?}"
    );
}

#[tokio::test]
async fn who_answers_at_once_sees_no_spinner() {
    let world = World::new().await;
    assert_eq!(shown(&world, &CHAT).await, "Paris is the capital.\n");
}

#[tokio::test]
async fn a_model_cannot_drive_the_terminal_but_a_pipe_gets_every_byte() {
    let world = World::new().await;
    world.model.reply_text("a\u{1b}]0;owned\u{7}b");
    assert_eq!(shown(&world, &CHAT).await, "a\u{fffd}]0;owned\u{fffd}b\n");
    assert_eq!(world.run(&CHAT).await.stdout, "a\u{1b}]0;owned\u{7}b\n");
}

#[tokio::test]
async fn a_person_without_a_prompt_is_asked_for_one() {
    let world = World::new().await;
    let shown = shown(&world, &["chat", "-m", "corp/test-model"]).await;
    assert!(shown.contains("there is no prompt"), "{shown}");
}

#[tokio::test]
async fn a_token_is_printed_there_too() {
    let world = World::new().await;
    let terminal = Terminal::open();
    let mut command = world.command(&["token", "--provider", "corp"]);
    command.stdout(terminal.stdio()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    drop(command);
    let (shown, _) = tokio::join!(terminal.shown(), child.wait());
    assert!(world.authorization.is_active(shown.trim()), "{shown}");
}
