//! What `--help` says.

pub(super) const HELP: &str = "\
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

pub(super) const TEST_HELP: &str = "\
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
  fuzz       hostile bytes for everything that is read, 5 s each; see `cargo xtask fuzz --help`
  benches    the benchmarks run, once and without measuring
  e2e        see `cargo xtask e2e --help`

Examples:
  cargo xtask test
  cargo xtask test fmt clippy
";

pub(super) const E2E_HELP: &str = "\
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

pub(super) const DENY_HELP: &str = "\
Checks the dependencies against deny.toml with cargo-deny, which CI installs where it is missing, and their names
against crates.reviewed: nothing new comes in unseen.

  cargo xtask deny
";

pub(super) const BENCH_HELP: &str = "\
Runs the benchmarks and writes their tables into target/bench. What follows `--` goes to them.

  cargo xtask bench [--peers] [-- ARGUMENT...]

  --peers    ours side by side with other crates; takes many minutes to build

Examples:
  cargo xtask bench
  cargo xtask bench -- cache --quick
  cargo xtask bench --peers -- streams
";

pub(super) const WEIGH_HELP: &str = "\
Builds the least program that asks a model with gatepass, and with each peer, from nothing, and writes crates, CPU time and sizes
into target/bench/weight.md, with the time that `gatepass` takes to start. Linux alone; many minutes.

  cargo xtask weigh
";

pub(super) const FUZZ_HELP: &str = "\
Runs the fuzz targets of fuzz/ with libFuzzer, on the stable toolchain; it needs a C++ compiler. An input that a target fails on
is kept in fuzz/artifacts/TARGET and tried first the next time.

  cargo xtask fuzz [--seconds N] [TARGET]...

  --seconds N   for each target, 1 or more; 60 if nothing is said

Examples:
  cargo xtask fuzz
  cargo xtask fuzz --seconds 600 token_response
";

pub(super) const MUTANTS_HELP: &str = "\
Puts bugs into the checks of logins, the lock, the cache, the classes of errors and the policy on redirects, one by one,
with cargo-mutants. A bug that no test notices is a failure. CI installs it where it is missing.

  cargo xtask mutants [--since REVISION] [PACKAGE]...

  --since REVISION   only where something has changed since

Examples:
  cargo xtask mutants
  cargo xtask mutants --since main
  cargo xtask mutants gatepass-core
";

pub(super) const RELEASE_HELP: &str = "\
What must hold before a version is published, beside `cargo xtask test`. CI installs the tools where they are missing.

  cargo xtask release [--since REVISION] [STEP]...

  --since REVISION   what semver compares with

Steps, in this order:
  powerset   every two features of a package compile together, each alone, none, and all (cargo-hack)
  minimal    the lowest versions of the dependencies that Cargo.toml allows will do
  semver     no public interface breaks the last tag's (v*), or without one what docs/api last said (cargo-semver-checks)
  api        the public interfaces are those in docs/api; UPDATE_GOLDEN=1 writes them anew (cargo-public-api)
  package    each package builds from its archive
  sbom       target/sbom has the bill of materials of the program (CycloneDX), and it agrees with Cargo.lock
  embedded   the program names its packages within itself, and that agrees with Cargo.lock (cargo-auditable)

Examples:
  cargo xtask release
  cargo xtask release minimal sbom
  cargo xtask release --since v0.1.0 semver
";

pub(super) const SEEDED_HELP: &str = "\
Puts each bug of xtask/src/seeded/bugs into a copy of the repository, under target/seeded, and runs the test that must
notice it, with cargo-nextest. A bug that no longer fits the code is a failure, as is one that is not noticed.

  cargo xtask seeded [WORD]...

  WORD   the bugs alone whose sentence, file or test has it

Examples:
  cargo xtask seeded
  cargo xtask seeded gatepass-core redirect
";
