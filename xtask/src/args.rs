//! What the person at the terminal asked for.

mod help;

use std::num::NonZeroU32;

use crate::{bench::Whose, checks, e2e, fuzz, mutants, release};
use help::{
    BENCH_HELP, DENY_HELP, E2E_HELP, FUZZ_HELP, HELP, MUTANTS_HELP, RELEASE_HELP, SEEDED_HELP, TEST_HELP,
    WEIGH_HELP,
};

/// One habit of the repository, ready to be performed.
#[derive(Debug, PartialEq)]
pub(crate) enum Habit {
    Help(&'static str),
    /// All steps, or those named.
    Test {
        steps: Vec<String>,
    },
    E2e(e2e::Options),
    Deny,
    Bench {
        whose: Whose,
        arguments: Vec<String>,
    },
    Weigh,
    /// All targets, or those named, each for so long.
    Fuzz {
        seconds: u32,
        targets: Vec<String>,
    },
    Mutants(mutants::Options),
    Release(release::Options),
    /// All bugs of the list, or those that one of the words is about.
    Seeded {
        words: Vec<String>,
    },
}

/// Reads the arguments that follow `cargo xtask`.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Habit, String> {
    let mut arguments = arguments.into_iter();
    let Some(word) = arguments.next() else {
        return Ok(Habit::Help(HELP));
    };
    let (own, passed_on) = split(arguments);
    let help = own.iter().any(|argument| is_help(argument));
    match word.as_str() {
        "test" if help => Ok(Habit::Help(TEST_HELP)),
        "e2e" if help => Ok(Habit::Help(E2E_HELP)),
        "deny" if help => Ok(Habit::Help(DENY_HELP)),
        "bench" if help => Ok(Habit::Help(BENCH_HELP)),
        "weigh" if help => Ok(Habit::Help(WEIGH_HELP)),
        "fuzz" if help => Ok(Habit::Help(FUZZ_HELP)),
        "mutants" if help => Ok(Habit::Help(MUTANTS_HELP)),
        "release" if help => Ok(Habit::Help(RELEASE_HELP)),
        "seeded" if help => Ok(Habit::Help(SEEDED_HELP)),
        "test" => parse_test(own, &passed_on),
        "e2e" => parse_e2e(&own, passed_on),
        "deny" => nothing_more(&own, &passed_on).map(|()| Habit::Deny),
        "bench" => parse_bench(&own, passed_on),
        "weigh" => nothing_more(&own, &passed_on).map(|()| Habit::Weigh),
        "fuzz" => nothing_more(&passed_on, &[]).and_then(|()| parse_fuzz(own)),
        "mutants" => nothing_more(&passed_on, &[]).and_then(|()| parse_mutants(own)),
        "release" => nothing_more(&passed_on, &[]).and_then(|()| parse_release(own)),
        "seeded" => nothing_more(&passed_on, &[]).map(|()| Habit::Seeded { words: own }),
        "help" => Ok(Habit::Help(HELP)),
        word if is_help(word) => Ok(Habit::Help(HELP)),
        _ => Err(format!(
            "there is no `cargo xtask {word}`; `cargo xtask --help` lists what there is"
        )),
    }
}

fn parse_test(steps: Vec<String>, passed_on: &[String]) -> Result<Habit, String> {
    nothing_more(passed_on, &[])?;
    known("step", steps, checks::names()).map(|steps| Habit::Test { steps })
}

fn parse_fuzz(mut own: Vec<String>) -> Result<Habit, String> {
    let seconds = match first_option(&mut own, "--seconds", "number")? {
        // 0 would be for ever.
        Some(value) => value
            .parse::<NonZeroU32>()
            .map_err(|_| "--seconds needs a number, 1 or more")?
            .get(),
        None => 60,
    };
    let targets = known("target", own, fuzz::TARGETS.iter().copied())?;
    Ok(Habit::Fuzz { seconds, targets })
}

fn parse_mutants(mut own: Vec<String>) -> Result<Habit, String> {
    let since = first_option(&mut own, "--since", "revision")?;
    let packages = known("package", own, mutants::packages())?;
    Ok(Habit::Mutants(mutants::Options { since, packages }))
}

fn parse_release(mut own: Vec<String>) -> Result<Habit, String> {
    let since = first_option(&mut own, "--since", "revision")?;
    let steps = known("step", own, release::names())?;
    Ok(Habit::Release(release::Options { since, steps }))
}

/// Takes `name` and its value from the front, if they are there.
fn first_option(own: &mut Vec<String>, name: &str, what: &str) -> Result<Option<String>, String> {
    if own.first().is_none_or(|argument| argument != name) {
        return Ok(None);
    }
    let mut taken = own.drain(..own.len().min(2));
    match taken.nth(1) {
        Some(value) => Ok(Some(value)),
        None => Err(format!("{name} needs a {what}")),
    }
}

/// The names that somebody asked for, if there are such.
fn known(
    what: &str,
    wanted: Vec<String>,
    names: impl Iterator<Item = &'static str>,
) -> Result<Vec<String>, String> {
    let names: Vec<_> = names.collect();
    match wanted.iter().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!(
            "there is no {what} `{name}`; there are: {}",
            names.join(" ")
        )),
        None => Ok(wanted),
    }
}

fn parse_e2e(own: &[String], arguments: Vec<String>) -> Result<Habit, String> {
    let (keep, rest): (Vec<_>, Vec<_>) = own.iter().cloned().partition(|argument| argument == "--keep");
    nothing_more(&rest, &[])?;
    Ok(Habit::E2e(e2e::Options {
        keep: !keep.is_empty(),
        arguments,
    }))
}

fn parse_bench(own: &[String], arguments: Vec<String>) -> Result<Habit, String> {
    let (peers, rest): (Vec<_>, Vec<_>) = own.iter().cloned().partition(|argument| argument == "--peers");
    nothing_more(&rest, &[])?;
    let whose = if peers.is_empty() {
        Whose::Ours
    } else {
        Whose::Peers
    };
    Ok(Habit::Bench { whose, arguments })
}

fn nothing_more(own: &[String], passed_on: &[String]) -> Result<(), String> {
    match own.iter().chain(passed_on).next() {
        Some(argument) => Err(format!("unexpected argument `{argument}`; see --help")),
        None => Ok(()),
    }
}

/// Splits the arguments before `--`, which are ours, from those after it.
fn split(mut arguments: impl Iterator<Item = String>) -> (Vec<String>, Vec<String>) {
    let own = arguments
        .by_ref()
        .take_while(|argument| argument != "--")
        .collect();
    (own, arguments.collect())
}

fn is_help(argument: &str) -> bool {
    matches!(argument, "--help" | "-h")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Habit, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn every_word_is_understood() {
        assert_eq!(parsed("test"), Ok(Habit::Test { steps: Vec::new() }));
        assert_eq!(
            parsed("test fmt docs"),
            Ok(Habit::Test {
                steps: words("fmt docs")
            })
        );
        assert_eq!(parsed("deny"), Ok(Habit::Deny));
        assert_eq!(parsed("weigh"), Ok(Habit::Weigh));
        assert_eq!(
            parsed("bench"),
            Ok(Habit::Bench {
                whose: Whose::Ours,
                arguments: Vec::new()
            })
        );
        assert_eq!(
            parsed("fuzz --seconds 5 store_file"),
            Ok(Habit::Fuzz {
                seconds: 5,
                targets: words("store_file")
            })
        );
        assert_eq!(
            parsed("mutants --since main gatepass-core"),
            Ok(Habit::Mutants(mutants::Options {
                since: Some("main".to_owned()),
                packages: words("gatepass-core")
            }))
        );
        assert_eq!(
            parsed("release --since v0.1.0 minimal sbom"),
            Ok(Habit::Release(release::Options {
                since: Some("v0.1.0".to_owned()),
                steps: words("minimal sbom")
            }))
        );
        assert_eq!(
            parsed("seeded redirect"),
            Ok(Habit::Seeded {
                words: words("redirect")
            })
        );
        assert_eq!(
            parsed("bench --peers -- cache --quick"),
            Ok(Habit::Bench {
                whose: Whose::Peers,
                arguments: words("cache --quick")
            })
        );
    }

    #[test]
    fn what_follows_two_dashes_is_the_test_runners() {
        let options = e2e::Options {
            keep: true,
            arguments: words("-E test(login) --help"),
        };
        assert_eq!(
            parsed("e2e --keep -- -E test(login) --help"),
            Ok(Habit::E2e(options))
        );
        assert_eq!(parsed("e2e"), Ok(Habit::E2e(e2e::Options::default())));
    }

    #[test]
    fn help_is_given_wherever_it_is_asked_for() {
        for line in ["", "help", "--help", "-h"] {
            assert_eq!(parsed(line), Ok(Habit::Help(HELP)), "{line}");
        }
        assert_eq!(parsed("test --help"), Ok(Habit::Help(TEST_HELP)));
        assert_eq!(parsed("e2e --keep -h"), Ok(Habit::Help(E2E_HELP)));
        assert_eq!(parsed("deny -h"), Ok(Habit::Help(DENY_HELP)));
        assert_eq!(parsed("bench --help"), Ok(Habit::Help(BENCH_HELP)));
    }

    #[test]
    fn a_mistake_is_named() {
        for (line, mistake) in [
            ("tets", "tets"),
            ("test lint", "lint"),
            ("test -- x", "`x`"),
            ("e2e --kep", "--kep"),
            ("deny now", "now"),
            ("deny -- now", "now"),
            ("bench cache", "cache"),
            ("fuzz --seconds", "number"),
            ("fuzz strings", "strings"),
            ("mutants -- x", "`x`"),
            ("mutants gatepass", "gatepass"),
            ("release now", "now"),
            ("release --since", "revision"),
            ("mutants --since", "revision"),
            ("fuzz --seconds soon", "number"),
            ("fuzz --seconds 0", "1 or more"),
            ("weigh it", "it"),
            ("seeded -- x", "`x`"),
        ] {
            let message = parsed(line).expect_err(line);
            assert!(message.contains(mistake), "{line}: {message}");
        }
    }

    #[test]
    fn the_help_lists_the_steps_in_their_order() {
        assert_eq!(listed(TEST_HELP), checks::names().collect::<Vec<_>>());
        assert_eq!(listed(RELEASE_HELP), release::names().collect::<Vec<_>>());
    }

    fn listed(help: &'static str) -> Vec<&'static str> {
        help.lines()
            .skip_while(|line| !line.starts_with("Steps"))
            .skip(1)
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.split_whitespace().next())
            .collect()
    }
}
