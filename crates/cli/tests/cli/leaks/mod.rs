//! H01, H03: no secret is seen, whatever is done and whatever goes wrong.
//!
//! Each line of a table is a command and a way to go; it runs with `RUST_LOG=trace`, for a person and as `--json`.
//! Then all secrets that [`world`](crate::support::world) knows, and those that the server made, are looked for in
//! stdout, stderr and all files that were written, and in the arguments and the environment of every child, in all the
//! shapes of a [`Canary`]. To try another way, add a line.

mod chats;
#[cfg(target_os = "linux")]
mod deaths;
mod logins;
#[cfg(target_os = "linux")]
mod proof;
mod stores;
mod tokens;

use crate::support::canaries::Canary;
use crate::support::gossip::Gossip;
use crate::support::{Outcome, World};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// A way to go: what goes on, the command, its exit code, and what makes it go that way.
type Way = (&'static str, &'static str, i32, fn(&mut World, &Gossip));

/// An exit code that is no matter here.
const ANY: i32 = -1;

/// Goes all ways, some at a time, and tells of each that leaks or ends otherwise than it should.
#[expect(clippy::print_stdout, reason = "how many there are, for who wants to know")]
async fn no_secret_is_seen(ways: impl IntoIterator<Item = Way>) {
    let few = Arc::new(Semaphore::new(6));
    let mut going = JoinSet::new();
    for (name, command, code, prepare) in ways {
        for form in ["", " --json"] {
            let few = Arc::clone(&few);
            going.spawn(async move {
                let _turn = few.acquire().await;
                let name = format!("{name}: gatepass {command}{form}");
                let going = go(format!("{command}{form}"), code, prepare);
                let gone = tokio::spawn(going).await;
                gone.map_err(|panic| format!("-- {name}\n{}", message(panic)))
            });
        }
    }
    println!("{} ways", going.len());
    let failures: Vec<String> = going
        .join_all()
        .await
        .into_iter()
        .filter_map(Result::err)
        .collect();
    assert!(
        failures.is_empty(),
        "{} ways:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

async fn go(command: String, code: i32, prepare: fn(&mut World, &Gossip)) {
    let (mut world, gossip) = (World::new().await, Gossip::start().await);
    world.set("RUST_LOG", "trace");
    prepare(&mut world, &gossip);
    let command = command.replace("GOSSIP", &gossip.url(""));
    let args: Vec<&str> = command.split(' ').collect();
    let before = files(world.directory());
    let outcome = if args.starts_with(&["auth", "login"]) && !args.contains(&"--device") {
        logins::log_in(&mut world, &args, code == 0).await
    } else {
        world.run(&args).await
    };
    assert!(outcome.code == Some(code) || code == ANY, "{outcome:?}");
    look_at_files(&world, &before);
    look_for_tokens(&world, &args, &outcome).await;
    if code != ANY && is_about(&world, &before, &gossip) {
        assert!(
            !gossip.heard().is_empty(),
            "the gossip was told nothing: {outcome:?}"
        );
    }
}

/// The seconds that an entry gives to a server which answers in this way: all that it may need, or hardly any where it
/// would be asked again and again.
fn patience(way: &str) -> u64 {
    match way.rsplit('/').next() {
        Some("429" | "500" | "503") => 1,
        _ => 20,
    }
}

/// All files but those that are there for a secret, or as they were.
fn look_at_files(world: &World, before: &HashMap<PathBuf, Vec<u8>>) {
    for (path, content) in files(world.directory()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if matches!(&*name, ".key" | "client_secrets.json" | "opened") || before.get(&path) == Some(&content)
        {
            continue;
        }
        let content = String::from_utf8_lossy(&content);
        for secret in world.secrets() {
            secret.assert_absent(&path.display().to_string(), &content);
        }
    }
}

/// The tokens of a login that was kept, where nobody knew them beforehand.
async fn look_for_tokens(world: &World, args: &[&str], outcome: &Outcome) {
    if outcome.code != Some(0) || world.has("GATEPASS_KEY") || args.first() == Some(&"token") {
        return;
    }
    for secret in world.stored_secrets().await {
        secret.assert_absent("stdout", &outcome.stdout);
        secret.assert_absent("stderr", &outcome.stderr);
    }
}

/// Whether a configuration, or a variable, leads to the gossip.
fn is_about(world: &World, before: &HashMap<PathBuf, Vec<u8>>, gossip: &Gossip) -> bool {
    let named = |text: &str| text.contains(gossip.authority());
    before
        .values()
        .any(|content| named(&String::from_utf8_lossy(content)))
        || world.variables().any(named)
}

fn files(directory: &Path) -> HashMap<PathBuf, Vec<u8>> {
    let mut found = HashMap::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&path));
        } else if let (true, Ok(content)) = (entry.file_type().unwrap().is_file(), std::fs::read(&path)) {
            found.insert(path, content);
        }
    }
    found
}

fn message(panic: tokio::task::JoinError) -> String {
    let panic = panic.into_panic();
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}

/// That a secret which only this run knows is neither on stdout nor on stderr.
fn assert_unseen(what: &str, secret: &str, outcome: &Outcome) {
    let canary = Canary::new(secret);
    canary.assert_absent(&format!("stdout ({what})"), &outcome.stdout);
    canary.assert_absent(&format!("stderr ({what})"), &outcome.stderr);
}
