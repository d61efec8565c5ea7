//! H06: whatever a server calls an error, a code, a person or a scope, it drives no terminal and begins no line.
//!
//! As many rounds as `GATEPASS_TEST_WORDS` says, or a few.

use crate::support::{By, Outcome, World};
use gatepass_testkit::Answer;
use serde_json::json;

const LOGIN: [&str; 4] = ["auth", "login", "--provider", "team"];

fn rounds() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for the long run")]
    let asked = std::env::var("GATEPASS_TEST_WORDS").ok();
    asked.map_or(10, |number| {
        number.parse().expect("GATEPASS_TEST_WORDS is a number")
    })
}

/// Letters, with sequences between them that move the cursor, name a window, turn text round or end a line.
fn hostile(random: &mut fastrand::Rng) -> String {
    const PIECES: [&str; 18] = [
        "\u{1b}[2J",
        "\u{1b}]0;owned\u{7}",
        "\u{1b}",
        "\u{9b}1m",
        "\u{9d}x\u{9c}",
        "\r\n",
        "\n",
        "\r",
        "\u{8}",
        "\u{0}",
        "\u{7f}",
        "\u{85}",
        "\u{202e}",
        "\u{2028}",
        "\u{2029}",
        "\u{feff}",
        "✓ Authentication successful!",
        "error: ",
    ];
    let pieces = (0..random.usize(1..6)).map(|_| PIECES[random.usize(..PIECES.len())]);
    format!("w{}w", pieces.collect::<String>())
}

/// How many lines went to stdout and to stderr. None of them has a character that is more than text.
fn lines(outcome: &Outcome) -> (usize, usize) {
    for text in [&outcome.stdout, &outcome.stderr] {
        let drives = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{feff}')
        };
        assert!(!text.contains(drives), "{text:?}");
    }
    (outcome.stdout.lines().count(), outcome.stderr.lines().count())
}

/// What the commands show of a server's words: the outcome of each.
async fn shown(words: &str) -> Vec<Outcome> {
    let refusal = json!({ "error": words, "error_description": words });
    let mut world = World::new().await;
    let mut outcomes = Vec::new();
    world
        .authorization
        .push(Answer::json(400, &refusal).with_header("x-request-id", "req"));
    outcomes.push(world.run(&["token", "--provider", "corp"]).await);

    world.configure_all(&json!({ "team": world.login_entry() }));
    let begun = json!({
        "device_code": "device", "user_code": words, "expires_in": 60,
        "verification_uri": "https://as.example/device", "verification_uri_complete": words,
    });
    world
        .authorization
        .always_at("/device_authorization", Answer::json(200, &begun));
    let device = [&LOGIN[..], &["--device", "--timeout", "1"]].concat();
    outcomes.push(world.run(&device).await);
    world.authorization.normal();

    world
        .authorization
        .push(Answer::json(400, &refusal).with_header("x-request-id", "req"));
    outcomes.push(world.log_in(&LOGIN, By::Browser).await);

    let mut world = World::new().await;
    world.configure_all(&json!({ "team": world.login_entry() }));
    world.authorization.set_claim("email", words);
    world.authorization.set_claim("sub", words);
    outcomes.push(world.log_in(&LOGIN, By::Browser).await);
    let others = [
        &["auth", "status", "--provider", "team"][..],
        &["auth", "status", "--provider", "team", "--json"],
        &["auth", "list"],
        &["auth", "logout", "--provider", "team"],
    ];
    let revocation = Answer::json(400, &refusal).with_header("x-request-id", "req");
    world.authorization.always_at("/revoke", revocation);
    for args in others {
        outcomes.push(world.run(args).await);
    }
    outcomes
}

#[tokio::test]
async fn no_words_of_a_server_drive_the_terminal_or_begin_a_line() {
    let expected: Vec<_> = shown("words").await.iter().map(lines).collect();
    let mut random = fastrand::Rng::with_seed(6);
    let mut commands = 0;
    for _ in 0..rounds() {
        let words = hostile(&mut random);
        let outcomes = shown(&words).await;
        for (outcome, expected) in outcomes.iter().zip(&expected) {
            assert_eq!(lines(outcome), *expected, "{words:?}: {outcome:?}");
            commands += 1;
        }
    }
    println!("{commands} commands that showed a server's words: no control character, and no line too many");
}
