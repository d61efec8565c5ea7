//! What the person at the terminal asked for.

use crate::{bench::Whose, checks, e2e, fuzz, mutants, release};

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
    /// All packages that have such places, or those named.
    Mutants {
        packages: Vec<String>,
    },
    /// All steps before a release, or those named.
    Release {
        steps: Vec<String>,
    },
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
        "mutants" => nothing_more(&passed_on, &[])
            .and_then(|()| known("package", own, mutants::packages()))
            .map(|packages| Habit::Mutants { packages }),
        "release" => nothing_more(&passed_on, &[])
            .and_then(|()| known("step", own, release::names()))
            .map(|steps| Habit::Release { steps }),
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
    let mut seconds = 60;
    if own.first().is_some_and(|argument| argument == "--seconds") {
        let value = own.get(1).and_then(|value| value.parse().ok());
        seconds = value.ok_or("--seconds needs a number")?;
        own.drain(..2);
    }
    let targets = known("target", own, fuzz::TARGETS.iter().copied())?;
    Ok(Habit::Fuzz { seconds, targets })
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

const HELP: &str = "\
Every habit of this repository behind one word.

  cargo xtask test    all checks, as CI runs them
  cargo xtask e2e     the end-to-end tests, against real servers
  cargo xtask deny    licences, advisories and banned crates of the dependencies
  cargo xtask bench   the benchmarks, ours alone or side by side with the peers'
  cargo xtask weigh   what a program takes on with gatepass, and with each peer
  cargo xtask fuzz    hostile bytes for everything that is read; minutes
  cargo xtask mutants bugs that a test must notice, everywhere; hours
  cargo xtask seeded  bugs that others have shipped; minutes
  cargo xtask release what must hold before a version is published; half an hour

`cargo xtask <word> --help` says more. Tools are looked for in target/tools/bin, then on PATH.
With the environment variable CI set, a tool that is missing is a failure and not left out.
";

const TEST_HELP: &str = "\
Runs all steps, or those named, and sums them up. A failed step does not stop the next.

  cargo xtask test [STEP]...

Steps, in this order:
  fmt        the sources are formatted
  clippy     no lint speaks up
  test       unit, contract and integration tests (cargo-nextest where installed)
  doctest    the examples in the documentation run
  docs       the documentation builds without a warning
  features   the facade compiles without a warning with each feature alone, and with none
  core       gatepass-core brings no HTTP client, no TLS and no OS keyring
  deny       see `cargo xtask deny --help`
  examples   the example programs run
  rig        the adapter for rig, a workspace of its own: lints, tests, example, documentation
  benches    the benchmarks run, once and without measuring
  e2e        see `cargo xtask e2e --help`

Examples:
  cargo xtask test
  cargo xtask test fmt clippy
";

const E2E_HELP: &str = "\
Installs an authorization server (Node 20+, npm) and a model server (Python 3.10+) under target/e2e
as tests/e2e/README.md says, then runs the tests of gatepass-e2e against them. An installation is kept
until its lock file changes. The tests find it through GATEPASS_E2E_TOOLS. Logins are made in a browser
where chromedriver and Chromium are installed.

  cargo xtask e2e [--keep] [-- FILTER...]

  --keep     the tests leave their working folders behind (sets GATEPASS_E2E_KEEP=1)
  FILTER     passed on to the test runner

Examples:
  cargo xtask e2e
  cargo xtask e2e --keep -- rotation
";

const DENY_HELP: &str = "\
Checks the dependencies against deny.toml with cargo-deny, which CI installs where it is missing, and their names
against crates.reviewed: nothing new comes in unseen.

  cargo xtask deny
";

const BENCH_HELP: &str = "\
Runs the benchmarks and writes their tables into target/bench. What follows `--` goes to them.

  cargo xtask bench [--peers] [-- ARGUMENT...]

  --peers    ours side by side with other crates; takes many minutes to build

Examples:
  cargo xtask bench
  cargo xtask bench -- cache --quick
  cargo xtask bench --peers -- streams
";

const WEIGH_HELP: &str = "\
Builds the least program that asks a model with gatepass, and with each peer, from nothing, and writes crates, CPU time and sizes
into target/bench/weight.md, with the time that `gatepass` takes to start. Linux alone; many minutes.

  cargo xtask weigh
";

const FUZZ_HELP: &str = "\
Runs the fuzz targets of fuzz/ with cargo-fuzz, on the stable toolchain. CI installs it where it is missing.

  cargo xtask fuzz [--seconds N] [TARGET]...

  --seconds N   for each target; 60 if nothing is said

Examples:
  cargo xtask fuzz
  cargo xtask fuzz --seconds 600 token_response
";

const MUTANTS_HELP: &str = "\
Puts bugs into the checks of logins, the lock, the cache, the classes of errors and the policy on redirects, one by one,
with cargo-mutants. A bug that no test notices is a failure. CI installs it where it is missing.

  cargo xtask mutants [PACKAGE]...

Examples:
  cargo xtask mutants
  cargo xtask mutants gatepass-core
";

const RELEASE_HELP: &str = "\
What must hold before a version is published, beside `cargo xtask test`. CI installs the tools where they are missing.

  cargo xtask release [STEP]...

Steps, in this order:
  powerset   every two features of a package compile together, each alone, none, and all (cargo-hack)
  minimal    the lowest versions of the dependencies that Cargo.toml allows will do
  semver     the public interfaces since the last tag v* (cargo-semver-checks)
  api        the public interfaces are those in docs/api; UPDATE_GOLDEN=1 writes them anew (cargo-public-api)
  package    each package builds from its archive
  sbom       target/sbom has the bill of materials of the program (CycloneDX), and it agrees with Cargo.lock

Examples:
  cargo xtask release
  cargo xtask release minimal sbom
";

const SEEDED_HELP: &str = "\
Puts each bug of xtask/src/seeded/bugs.rs into a copy of the repository, under target/seeded, and runs the test that must
notice it, with cargo-nextest. A bug that no longer fits the code is a failure, as is one that is not noticed.

  cargo xtask seeded [WORD]...

  WORD   the bugs alone whose sentence, file or test has it

Examples:
  cargo xtask seeded
  cargo xtask seeded gatepass-core redirect
";

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
            parsed("mutants gatepass-core"),
            Ok(Habit::Mutants {
                packages: words("gatepass-core")
            })
        );
        assert_eq!(
            parsed("release minimal sbom"),
            Ok(Habit::Release {
                steps: words("minimal sbom")
            })
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
