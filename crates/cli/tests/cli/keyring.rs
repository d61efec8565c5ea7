//! `--store keyring`: GNOME Keyring in a D-Bus session of its own, and no keyring at all.

#![cfg(target_os = "linux")]

use crate::support::canaries::Canary;
use crate::support::desktop::Desktop;
use crate::support::{By, World, golden, golden_in};
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const LOGIN: [&str; 6] = ["auth", "login", "--provider", "google", "--store", "keyring"];
const STATUS: [&str; 4] = ["auth", "status", "--store", "keyring"];
const STATUS_JSON: [&str; 5] = ["auth", "status", "--store", "keyring", "--json"];
const LIST: [&str; 4] = ["auth", "list", "--store", "keyring"];
const LOGOUT: [&str; 4] = ["auth", "logout", "--store", "keyring"];
const TOKEN: [&str; 5] = ["token", "--provider", "google", "--store", "keyring"];

/// B3, K01: the keyring has the login and no file has it, until the logout.
#[tokio::test]
async fn a_login_lives_in_the_keyring_until_the_logout() {
    let mut world = World::new().await;
    world.give_client_secrets();
    let Some(desktop) = Desktop::with_keyring(&mut world).await else {
        return;
    };
    let outcome = world.log_in(&LOGIN, By::Browser).await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let login = crate::support::golden::transcript(&world, &LOGIN, &outcome);
    crate::support::golden::compare("keyring/login", &login);

    golden_in(&world, "keyring/status", 0, &STATUS).await;
    let status = golden_in(&world, "keyring/status_json", 0, &STATUS_JSON)
        .await
        .json();
    assert_eq!(status["key"]["kind"], "keyring");
    golden_in(&world, "keyring/list", 0, &LIST).await;
    let token = world.run(&TOKEN).await.token().unwrap();
    assert!(world.authorization.is_active(&token));
    assert_eq!(world.run(&TOKEN).await.token(), Some(token.clone()), "it is kept");

    // The other store knows nothing of it, and the variable means the same as the option.
    let elsewhere = world.run(&["auth", "status"]).await;
    assert_eq!(elsewhere.code, Some(1), "{elsewhere:?}");
    world.set("GATEPASS_STORE", "keyring");
    let status = world.run(&["auth", "status"]).await;
    assert_eq!(status.code, Some(0), "{status:?}");
    let canary = Canary::new(&token);
    canary.assert_absent("stdout", &outcome.stdout);
    for path in files(world.directory()) {
        let content = std::fs::read(&path).unwrap();
        canary.assert_absent(&path.display().to_string(), &String::from_utf8_lossy(&content));
    }
    assert!(!world.conf("credentials.json.enc").exists() && !world.conf(".key").exists());

    let out = world.run(&LOGOUT).await;
    assert_eq!(out.code, Some(0), "{out:?}");
    golden_in(&world, "keyring/status_after_logout", 1, &STATUS).await;
    desktop.end().await;
}

/// G6: the file has the login, and the keyring has its key.
#[tokio::test]
async fn the_key_of_the_file_lives_in_the_keyring() {
    let mut world = World::new().await;
    world.give_client_secrets();
    let Some(desktop) = Desktop::with_keyring(&mut world).await else {
        return;
    };
    world.set("GATEPASS_KEY", "keyring");
    let outcome = world.log_in(&LOGIN[..4], By::Browser).await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(world.conf("credentials.json.enc").exists() && !world.conf(".key").exists());
    let status = world.run(&["auth", "status", "--json"]).await;
    assert_eq!(status.json()["key"]["kind"], "keyring", "{status:?}");
    let token = world.run(&TOKEN[..3]).await.token().unwrap();
    assert!(world.authorization.is_active(&token));

    // Without the keyring nobody reads the file, and it stays as it is.
    let stored = std::fs::read(world.conf("credentials.json.enc")).unwrap();
    desktop.end().await;
    let status = world.run(&["auth", "status"]).await;
    assert_eq!(status.code, Some(3), "{status:?}");
    assert_eq!(std::fs::read(world.conf("credentials.json.enc")).unwrap(), stored);
}

/// K01: with the log of all that goes through the bus.
#[tokio::test]
async fn no_log_shows_what_goes_to_the_keyring() {
    let mut world = World::new().await;
    world.give_client_secrets();
    let Some(desktop) = Desktop::with_keyring(&mut world).await else {
        return;
    };
    world.set("RUST_LOG", "trace");
    let login = world.log_in(&LOGIN, By::Browser).await;
    let status = world.run(&STATUS).await;
    let token = world.run(&TOKEN).await;
    let (secret, out) = (token.token().unwrap(), world.run(&LOGOUT).await);
    let bytes = format!("{:?}", secret.as_bytes());
    let bytes = bytes.trim_matches(['[', ']']);
    for outcome in [&login, &status, &token, &out] {
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(
            outcome.stderr.contains("zbus"),
            "else this test is of no use: {outcome:?}"
        );
        Canary::new(&secret).assert_absent("stderr", &outcome.stderr);
        assert!(
            !outcome.stderr.contains(bytes),
            "stderr shows the bytes: {outcome:?}"
        );
    }
    desktop.end().await;
}

/// K01: no other store stands in, and nothing is written; the error says how to choose another one.
#[tokio::test]
async fn without_a_keyring_every_command_says_how_to_choose_the_file() {
    let alone = |world: &mut World| {
        world.give_client_secrets();
        world.leave_desktop();
    };
    for (name, args) in [
        ("keyring/absent_login", &LOGIN[..]),
        ("keyring/absent_status", &STATUS),
        ("keyring/absent_status_json", &STATUS_JSON),
        ("keyring/absent_list", &LIST),
        ("keyring/absent_token", &TOKEN),
        ("keyring/absent_logout", &LOGOUT),
    ] {
        golden(name, UNAVAILABLE, args, alone).await;
    }
    let mut world = World::new().await;
    alone(&mut world);
    assert_nothing_is_kept(&world).await;

    let mut world = World::new().await;
    world.give_client_secrets();
    let Some(desktop) = Desktop::without_keyring(&mut world).await else {
        return;
    };
    assert_nothing_is_kept(&world).await;
    desktop.end().await;
}

/// K02: a keyring that takes every call and never answers costs its own commands ten seconds, and others nothing.
#[tokio::test]
async fn a_keyring_that_never_answers_is_given_up_and_keeps_no_process() {
    let mut world = World::new().await;
    world.give_client_secrets();
    let login = world.log_in(&LOGIN[..4], By::Browser).await;
    assert_eq!(login.code, Some(0), "{login:?}");
    let Some(desktop) = Desktop::without_keyring(&mut world).await else {
        return;
    };
    let dumb = desktop.dumb_keyring().await;
    let given_up = async |args: &[&str]| {
        let begin = Instant::now();
        let outcome = world.run(args).await;
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(11), "{took:?}: {outcome:?}");
        assert_eq!(outcome.code, Some(UNAVAILABLE), "{outcome:?}");
        let told = outcome.stderr.contains("didn't answer within 10s");
        assert!(told && outcome.stderr.contains("--store file"), "{outcome:?}");
        took
    };
    let ended = async |signal: Signal| {
        let child = world.command(&STATUS).spawn().unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
        kill_process(pid, signal).expect("it waits for the keyring");
        let begin = Instant::now();
        let outcome = world.outcome(child).await;
        assert!(begin.elapsed() < Duration::from_secs(1), "{outcome:?}");
        (outcome.code, begin.elapsed())
    };
    let others = async {
        for args in [&["auth", "status"][..], &["auth", "list"], &TOKEN[..3]] {
            let begin = Instant::now();
            let outcome = world.run(args).await;
            assert_eq!(outcome.code, Some(0), "{outcome:?}");
            assert!(begin.elapsed() < Duration::from_secs(5), "{outcome:?}");
        }
    };
    let (status, list, token, login, logout, term, int, ()) = tokio::join!(
        given_up(&STATUS),
        given_up(&LIST),
        given_up(&TOKEN),
        given_up(&LOGIN),
        given_up(&LOGOUT),
        ended(Signal::TERM),
        ended(Signal::INT),
        others,
    );
    assert_eq!((term.0, int.0), (None, Some(130)));
    let slowest = [status, list, token, login, logout].into_iter().max().unwrap();
    println!(
        "a keyring that never answers: given up after {slowest:?} at the latest; gone {:?} after SIGTERM, {:?} after Ctrl-C",
        term.1, int.1
    );
    tokio::task::spawn_blocking(|| drop(dumb)).await.unwrap();
    desktop.end().await;
}

/// The exit code of a store that can't be used.
const UNAVAILABLE: i32 = 3;

async fn assert_nothing_is_kept(world: &World) {
    let before = files(world.directory());
    for args in [&LOGIN[..], &STATUS, &LIST, &TOKEN, &LOGOUT] {
        let outcome = world.run(args).await;
        assert_eq!(outcome.code, Some(UNAVAILABLE), "{outcome:?}");
        assert!(outcome.stderr.contains("--store file"), "{outcome:?}");
        assert_eq!(outcome.stdout, "");
    }
    assert_eq!(files(world.directory()), before);
    assert!(
        world.authorization.requests().is_empty(),
        "nobody was sent to log in"
    );
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}
