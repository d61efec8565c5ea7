//! Golden files: what a command says, without what differs from run to run.

use super::world::{Outcome, World};
use std::path::{Path, PathBuf};

/// Runs a command in two worlds that `prepare` has prepared alike, the second one with `RUST_LOG=trace`; compares
/// the exit code, and what the first one says with `golden/NAME.txt`.
pub(crate) async fn golden(name: &str, code: i32, args: &[&str], prepare: impl Fn(&mut World)) {
    let (mut plain, mut tracing) = (World::new().await, World::new().await);
    prepare(&mut plain);
    prepare(&mut tracing);
    tracing.set("RUST_LOG", "trace");
    let (_, traced) = tokio::join!(golden_in(&plain, name, code, args), tracing.run(args));
    assert_eq!(traced.code, Some(code), "{traced:?}");
}

/// Runs a command in this world alone.
pub(crate) async fn golden_in(world: &World, name: &str, code: i32, args: &[&str]) -> Outcome {
    let outcome = world.run(args).await;
    compare(name, &transcript(world, args, &outcome));
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    outcome
}

pub(crate) fn compare(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(format!("{name}.txt"));
    if updating() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == actual,
        "{}:\n{expected}\n-- but now:\n{actual}",
        PathBuf::from(name).display()
    );
}

#[expect(clippy::disallowed_methods, reason = "a person sets it to rewrite the files")]
fn updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

pub(crate) fn transcript(world: &World, args: &[&str], outcome: &Outcome) -> String {
    let code = outcome
        .code
        .map_or_else(|| "by a signal".to_owned(), |code| code.to_string());
    let args: Vec<_> = args.iter().map(|arg| quoted(arg)).collect();
    let text = format!(
        "$ gatepass {}\n-- stdout\n{}-- stderr\n{}-- exit {code}\n",
        args.join(" "),
        outcome.stdout,
        outcome.stderr,
    );
    let text = text.replace(&*world.directory().to_string_lossy(), "DIR");
    let digits: fn(char) -> bool = |c| c.is_ascii_digit();
    let parameter: fn(char) -> bool = |c| !matches!(c, '&' | '\n');
    let moment: fn(char) -> bool = |c| c.is_ascii_digit() || matches!(c, '-' | ':' | ' ');
    let word: fn(char) -> bool = |c| !matches!(c, '"' | '\n');
    [
        ("127.0.0.1:", digits, "PORT"),
        ("127.0.0.1%3A", digits, "PORT"),
        ("error: port ", digits, "PORT"),
        ("&state=", parameter, "STATE"),
        ("&nonce=", parameter, "NONCE"),
        ("&code_challenge=", parameter, "CHALLENGE"),
        ("Token expires: ", moment, "TIME "),
        ("Token expired: ", moment, "TIME "),
        ("os error ", digits, "N"),
        ("answers after ", digits, "N"),
        ("this machine is ", digits, "N"),
        ("trying again in ", |c| !c.is_whitespace(), "PAUSE"),
        ("\"expires_in\":", digits, "SECONDS"),
        ("\"expires_at\":\"", word, "TIME"),
        ("\"fingerprint\":\"", word, "FINGERPRINT"),
        ("\"access_token\":\"", word, "ACCESS_TOKEN"),
        ("\nat-", word, "ACCESS_TOKEN"),
        // Two clocks run out at the same moment, and each has its own words.
        ("no answer ", word, "IN TIME"),
    ]
    .iter()
    .fold(text, |text, (before, is_part, name)| {
        redact(&text, before, *is_part, name)
    })
}

fn quoted(arg: &str) -> String {
    if arg.contains(|c: char| c.is_whitespace()) || arg.is_empty() {
        format!("'{arg}'")
    } else {
        arg.to_owned()
    }
}

/// Puts `name` in the place of what follows `before`.
fn redact(text: &str, before: &str, is_part: fn(char) -> bool, name: &str) -> String {
    let mut pieces = text.split(before);
    let mut redacted = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = piece.trim_start_matches(is_part);
        let part = if rest.len() == piece.len() { "" } else { name };
        redacted.extend([before, part, rest]);
    }
    redacted
}
