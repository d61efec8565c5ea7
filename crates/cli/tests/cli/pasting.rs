//! A login without a browser, by a person at a terminal who pastes the address that it leads to.

use crate::support::terminal::Terminal;
use crate::support::{By, World, led_to};
use gatepass_testkit::{eventually, visit};
use rustix::process::{Pid, Signal, kill_process};
use std::process::Stdio;
use tokio::process::Child;

const LOGIN: [&str; 3] = ["auth", "login", "--no-browser"];

/// A login that waits for what is pasted.
struct Login {
    world: World,
    terminal: Terminal,
    child: Child,
    address: String,
}

impl Login {
    async fn begin(args: &[&str]) -> Self {
        let mut world = World::new().await;
        world.give_client_secrets();
        Self::begin_in(world, &[&LOGIN, args].concat()).await
    }

    async fn begin_in(world: World, args: &[&str]) -> Self {
        let terminal = Terminal::open();
        assert!(terminal.echoes());
        let mut command = world.command(args);
        command
            .stdin(terminal.stdio())
            .stdout(terminal.stdio())
            .stderr(terminal.stdio());
        let child = command.spawn().unwrap();
        drop(command);
        let address = terminal.line(|line| line.starts_with("http")).await;
        let asked = terminal.line(|line| line.contains("paste it here")).await;
        assert!(
            asked.ends_with("paste it here (it will not be shown):"),
            "{asked}"
        );
        assert!(!terminal.echoes());
        Self {
            world,
            terminal,
            child,
            address: address.trim().to_owned(),
        }
    }

    fn signal(&self, which: Signal) {
        signal(&self.child, which);
    }

    /// Waits for its end: the terminal shows again what is typed, and what was typed before is for nobody. Tells the
    /// code, and what was shown.
    async fn ends(mut self) -> (World, Option<i32>, String) {
        let code = self.child.wait().await.unwrap().code();
        assert!(self.terminal.echoes(), "{code:?}");
        self.terminal.types("ls");
        assert_eq!(self.terminal.next_typed().await, "ls\n");
        let shown = self.terminal.shown().await;
        for secret in self.world.stored_secrets().await {
            secret.assert_absent("the terminal", &shown);
        }
        (self.world, code, shown.replace("\r\n", "\n"))
    }
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

fn code_in(address: &str) -> &str {
    let (_, code) = address.split_once("code=").unwrap();
    code.split('&').next().unwrap()
}

/// L13
#[tokio::test]
async fn nothing_of_a_pasted_address_is_shown() {
    let login = Login::begin(&[]).await;
    let pasted = led_to(&login.address).await;
    let wrong = pasted.replace("state=", "state=x");
    login.terminal.types(&wrong);
    let warning = login.terminal.line(|line| line.contains("warning:")).await;
    assert!(
        warning.contains("this address does not belong to this login"),
        "{warning}"
    );
    assert!(!login.terminal.echoes());
    login.terminal.types("");
    login.terminal.types(&pasted);
    let (_, code, shown) = login.ends().await;
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("Authentication successful"), "{shown}");
    for text in [code_in(&pasted), "code=", "state="] {
        assert!(!shown.contains(text) && !warning.contains(text), "{shown}");
    }
}

/// L13
#[tokio::test]
async fn a_terminal_that_a_login_has_silenced_is_as_it_was_however_that_ends() {
    let half = "http://127.0.0.1:1/?code=half-of-a-";
    for (signal, expected) in [
        (Signal::INT, 130),
        (Signal::TERM, 143),
        (Signal::HUP, 143),
        (Signal::QUIT, 143),
    ] {
        let login = Login::begin(&[]).await;
        login.terminal.begins(half);
        login.signal(signal);
        let (_, code, shown) = login.ends().await;
        assert_eq!(code, Some(expected), "{signal:?}: {shown}");
        assert!(!shown.contains("half"), "{shown}");
    }

    let login = Login::begin(&["--timeout", "1"]).await;
    login.terminal.begins(half);
    let (_, code, shown) = login.ends().await;
    assert_eq!(code, Some(1), "{shown}");
    assert!(
        shown.contains("nobody has logged in within 1s") && !shown.contains("half"),
        "{shown}"
    );

    let login = Login::begin(&[]).await;
    login.terminal.begins(half);
    let denied = led_to(&login.address)
        .await
        .replace("code=", "error=access_denied&was=");
    visit(&denied).await.unwrap();
    let (_, code, shown) = login.ends().await;
    assert_eq!(code, Some(1), "{shown}");
    assert!(
        shown.contains("access_denied") && !shown.contains("half"),
        "{shown}"
    );

    let login = Login::begin(&[]).await;
    login.terminal.begins(half);
    visit(&login.address).await.unwrap();
    let (_, code, shown) = login.ends().await;
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("half"), "{shown}");
}

#[tokio::test]
async fn without_a_terminal_the_system_ends_a_login() {
    let mut world = World::new().await;
    world.give_client_secrets();
    let mut child = world.command(&LOGIN).stdin(Stdio::piped()).spawn().unwrap();
    world.address(&mut child, By::Address, &LOGIN).await;
    signal(&child, Signal::TERM);
    assert_eq!(world.outcome(child).await.code, None);
}

/// L13: Ctrl-Z gives the shell a terminal that shows what is typed, and `fg` takes that back.
#[tokio::test]
async fn a_login_can_be_stopped_and_continued() {
    let login = Login::begin(&[]).await;
    let stat = format!("/proc/{}/stat", login.child.id().unwrap());
    let is_stopped = || std::fs::read_to_string(&stat).unwrap().contains(") T ");
    login.signal(Signal::TSTP);
    eventually("it stops", is_stopped).await;
    assert!(login.terminal.echoes());
    login.signal(Signal::CONT);
    eventually("it is silent again", || !login.terminal.echoes()).await;
    let pasted = led_to(&login.address).await;
    login.terminal.types(&pasted);
    let (_, code, shown) = login.ends().await;
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains(code_in(&pasted)), "{shown}");
}

/// L13: Linux gives 4,095 bytes of a line, and drops the rest: a code that was cut off would be taken, and refused.
#[tokio::test]
async fn an_address_that_the_terminal_cuts_off_is_not_taken() {
    let login = Login::begin(&[]).await;
    let pasted = led_to(&login.address).await;
    let (code, listener) = (code_in(&pasted), pasted.split('/').nth(2).unwrap());
    let port = listener.split(':').nth(1).unwrap();
    let (before, after) = pasted.split_once(code).unwrap();
    // The code is the end that gets lost.
    let (before, after) = (
        before.strip_suffix("code=").unwrap(),
        after.strip_prefix('&').unwrap(),
    );
    let begin = format!("{before}{after}&code=");
    for length in [4095, 4096, 6000] {
        let long = format!("{begin}{}", "x".repeat(length - begin.len()));
        login.terminal.types(&long);
        let warning = login.terminal.line(|line| line.contains("warning:")).await;
        assert!(
            warning.contains("the terminal has cut the address off")
                && warning.contains(&format!("ssh -L {port}:{listener}")),
            "{warning}"
        );
    }
    login.terminal.types(&pasted);
    let (world, ended, shown) = login.ends().await;
    assert_eq!(ended, Some(0), "{shown}");
    assert_eq!(world.authorization.token_requests(), 1);
}

/// L13: who has no browser is asked at the terminal.
#[tokio::test]
async fn the_terminal_is_silent_for_who_has_no_browser_too() {
    let mut world = World::new().await;
    world.give_client_secrets();
    world.set("BROWSER", "/nonexistent/browser");
    let login = Login::begin_in(world, &["auth", "login"]).await;
    let pasted = led_to(&login.address).await;
    login.terminal.types(&pasted);
    let (_, code, shown) = login.ends().await;
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains(code_in(&pasted)), "{shown}");
}
