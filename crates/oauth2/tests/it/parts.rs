//! Parts of tests that need a process of their own: this test binary, started again by another program.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Output};

/// Runs an ignored test; `None`, loudly, where the program that it runs by is not to be had or not allowed.
pub(crate) fn run(mut by: Command, part: &str) -> Option<Output> {
    let program = by.get_program().to_string_lossy().into_owned();
    if is_missing(&program) {
        return None;
    }
    by.arg(std::env::current_exe().unwrap());
    let output = by
        .args(["--exact", "--ignored", "--nocapture", part])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if program == "strace" && said.contains("PTRACE") {
        left_out("strace, which may not trace here,");
        return None;
    }
    let passed = String::from_utf8_lossy(&output.stdout).contains("1 passed");
    assert!(output.status.success() && passed, "{part}: {output:?}");
    Some(output)
}

pub(crate) fn is_missing(program: &str) -> bool {
    let directories = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
    let missing = !directories
        .iter()
        .any(|directory| Path::new(directory).join(program).exists());
    if missing {
        left_out(program);
    }
    missing
}

/// Says that a test can't be run here, in a way that nobody overlooks; in CI, which installs what is missing, that is a
/// failure.
#[expect(clippy::print_stderr, reason = "for who runs the tests")]
pub(crate) fn left_out(what: &str) {
    #[expect(clippy::disallowed_methods, reason = "a test may ask where it runs")]
    let in_ci = std::env::var_os("CI").is_some();
    assert!(!in_ci, "missing in CI: {what}");
    eprintln!("\n*** LEFT OUT: {what} is not to be had ***\n");
}
