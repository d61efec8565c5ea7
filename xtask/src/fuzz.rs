//! `cargo xtask fuzz`: whatever bytes libFuzzer thinks of, against the readers of `fuzz/`.

use crate::{
    files,
    stop::{Done, Stop},
    tools,
    workspace::Workspace,
};

const VERSION: &str = "0.13.2";

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

/// Runs each target, or those in `wanted`, for so many seconds. A finding is a failure; its input is kept under
/// `fuzz/artifacts`. What was discovered on the way goes to `target/fuzz`, so that the committed corpora stay small.
pub(crate) fn run(workspace: &Workspace, seconds: u32, wanted: &[String]) -> Done {
    tools::ensure(workspace, "cargo-fuzz", VERSION)?;
    let mut failed = Vec::new();
    for target in TARGETS
        .iter()
        .filter(|target| wanted.is_empty() || wanted.iter().any(|name| name == *target))
    {
        let discovered = format!("target/fuzz/{target}");
        files::create_dir(&workspace.path(&discovered))?;
        // No unsafe code of ours: without the address sanitizer it is three times as fast.
        let line = format!(
            "cargo fuzz run --fuzz-dir fuzz --sanitizer none {target} {discovered} fuzz/corpus/{target} -- \
             -max_total_time={seconds} -timeout=10 -rss_limit_mb=2048 -print_final_stats=1"
        );
        // cargo-fuzz asks for options of the compiler that are unstable.
        if workspace
            .run(workspace.command(&line).env("RUSTC_BOOTSTRAP", "1"))
            .is_err()
        {
            failed.push(*target);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Stop::Failed(format!("findings in {}", failed.join(", "))))
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
}
