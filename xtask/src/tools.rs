//! Cargo's subcommands that are installed when they are needed, into `target/tools`.

use crate::{stop::Done, workspace::Workspace};

/// Makes sure that `tool` is there; where it is missing, CI installs this version of it.
pub(crate) fn ensure(workspace: &Workspace, tool: &str, version: &str) -> Done {
    if workspace.has(tool) {
        return Ok(());
    }
    let line = format!("cargo install {tool} --version {version} --locked --root target/tools");
    if !workspace.in_ci() {
        return Err(workspace.left_out(format!("{tool} is not installed: {line}")));
    }
    // It runs for seconds: its own release profile (whole-program optimisation) would take far longer to build.
    let mut install = workspace.command(&line);
    install
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    workspace.run(&mut install)
}
