//! `cargo xtask fuzz`: whatever bytes libFuzzer thinks of, against the readers of `fuzz/`.

use crate::{
    files,
    stop::{Done, Stop},
    workspace::Workspace,
};

/// What is read from people, servers and disks.
pub(crate) const TARGETS: &[&str] = &[
    "callback_request",
    "token_response",
    "discovery_metadata",
    "device_authorization",
    "id_token",
    "client_secrets",
    "config_file",
    "store_file",
    "event_stream",
    "error_body",
];

/// How long the gate tries each target.
const BRIEFLY: u32 = 5;

/// What makes libFuzzer see which way an input went; all of it is stable. No sanitizer: there is no unsafe code of ours,
/// and it would be three times as slow.
const INSTRUMENTED: &[&str] = &[
    "--cfg fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

/// The gate's short form.
pub(crate) fn briefly(workspace: &Workspace) -> Done {
    run(workspace, BRIEFLY, &[])
}

/// Runs each target, or those in `wanted`, for so many seconds. A finding is a failure; its input is kept under
/// `fuzz/artifacts` and tried first the next time. What was discovered on the way goes to `target/fuzz`, so that the
/// committed corpora stay small.
pub(crate) fn run(workspace: &Workspace, seconds: u32, wanted: &[String]) -> Done {
    if !workspace.has("c++") {
        return Err(workspace.left_out("libFuzzer needs a C++ compiler, `c++`"));
    }
    let programs = build(workspace)?;
    let mut findings = Vec::new();
    for target in TARGETS
        .iter()
        .filter(|target| wanted.is_empty() || wanted.iter().any(|name| name == *target))
    {
        findings.extend(attack(workspace, &programs, target, seconds)?);
    }
    if findings.is_empty() {
        return Ok(());
    }
    Err(Stop::Failed(findings.join("; ")))
}

/// Builds all targets and says where they are.
fn build(workspace: &Workspace) -> Result<String, Stop> {
    let host = workspace.read(&mut workspace.command("rustc --print host-tuple"))?;
    let host = host.trim();
    // With `--target`, build scripts and macros are not instrumented.
    let line = format!(
        "cargo build --manifest-path fuzz/Cargo.toml --target {host} --target-dir target/fuzz-build --locked"
    );
    workspace.run(workspace.command(&line).env("RUSTFLAGS", INSTRUMENTED.join(" ")))?;
    Ok(format!("target/fuzz-build/{host}/debug"))
}

/// Runs one target and says what it found.
fn attack(workspace: &Workspace, programs: &str, target: &str, seconds: u32) -> Result<Option<String>, Stop> {
    let discovered = format!("target/fuzz/{target}");
    let found = format!("fuzz/artifacts/{target}");
    files::create_dir(&workspace.path(&discovered))?;
    files::create_dir(&workspace.path(&found))?;
    let line = format!(
        "{programs}/{target} {discovered} fuzz/corpus/{target} {found} -artifact_prefix={found}/ \
         -max_total_time={seconds} -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0"
    );
    let (status, said) = workspace.overhear(&mut workspace.command(&line))?;
    if let Some(executions) = executions(&said).filter(|_| status.success()) {
        println!("{executions} executions");
        return Ok(None);
    }
    print!("{said}");
    Ok(Some(finding(target, &said)))
}

/// How many inputs were tried; none where the program is not instrumented, which libFuzzer but warns of.
fn executions(said: &str) -> Option<u64> {
    if said.contains("WARNING: no interesting inputs were found") {
        return None;
    }
    let count = said
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
    count.trim().parse().ok()
}

/// What the person should know, and do next.
fn finding(target: &str, said: &str) -> String {
    let input = said
        .lines()
        .rev()
        .find_map(|line| line.split_once("Test unit written to "));
    match input {
        Some((_, input)) => {
            format!("{target} fails on {input}: `cargo xtask fuzz {target}` tries it again, first of all")
        }
        None => format!("{target} did not run as it should, see above"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, path::Path};

    #[test]
    fn every_target_is_run_and_has_a_corpus() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        let names = |folder: &str| -> BTreeSet<String> {
            let entries = std::fs::read_dir(fuzz.join(folder)).unwrap();
            entries
                .map(|entry| entry.unwrap().path().file_stem().unwrap().display().to_string())
                .collect()
        };
        let run: BTreeSet<_> = TARGETS.iter().map(|target| (*target).to_owned()).collect();
        assert_eq!(names("fuzz_targets"), run);
        assert_eq!(names("corpus"), run);
    }

    #[test]
    fn a_run_says_how_many_inputs_it_tried() {
        let said = "INFO: seed corpus\nstat::number_of_executed_units: 243132\nstat::peak_rss_mb: 29\n";
        assert_eq!(executions(said), Some(243_132));
        assert_eq!(executions("error while loading shared libraries"), None);
    }

    #[test]
    fn a_program_that_is_not_instrumented_was_not_fuzzed() {
        let said = "WARNING: no interesting inputs were found so far. Is the code instrumented for coverage?\n\
                    stat::number_of_executed_units: 243132\n";
        assert_eq!(executions(said), None);
    }

    #[test]
    fn a_finding_says_where_its_input_is_and_how_to_try_it_again() {
        let said = "artifact_prefix='fuzz/artifacts/id_token/'; Test unit written to fuzz/artifacts/id_token/slow-unit-2e\n\
                    ==7== ERROR: libFuzzer: deadly signal\n\
                    artifact_prefix='fuzz/artifacts/id_token/'; Test unit written to fuzz/artifacts/id_token/crash-1f\n";
        assert_eq!(
            finding("id_token", said),
            "id_token fails on fuzz/artifacts/id_token/crash-1f: `cargo xtask fuzz id_token` tries it again, first of all"
        );
        assert!(finding("id_token", "").contains("see above"));
    }
}
