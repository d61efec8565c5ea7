use crate::support::World;
use std::io::Write;
use std::process::{Command, Stdio};

async fn completions(shell: &str) -> String {
    let outcome = World::new().await.run(&["completions", shell]).await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    outcome.stdout
}

#[tokio::test]
async fn each_shell_gets_the_commands_and_their_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = completions(shell).await;
        for word in [
            "chat",
            "token",
            "config",
            "completions",
            "base-url",
            "provider",
            "no-stream",
        ] {
            assert!(script.contains(word), "{shell} knows no {word}");
        }
    }
}

#[tokio::test]
async fn bash_understands_its_completions() {
    let script = completions("bash").await;
    let mut bash = Command::new("bash")
        .arg("-n")
        .stdin(Stdio::piped())
        .spawn()
        .expect("bash is installed");
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success());
}
