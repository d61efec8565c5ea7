//! The workspaces of their own, which bring what deny.toml refuses in this one.

use crate::{stop::Done, workspace::Workspace};

/// The adapter for rig.
pub(crate) const RIG: &str = "crates/integration-rig/Cargo.toml";

/// The benchmarks of the peers. Nothing but their format is checked: they take many minutes to build.
pub(crate) const PEERS: &str = "benches/peers/Cargo.toml";

const FUZZ: &str = "fuzz/Cargo.toml";

/// Their sources are formatted.
pub(crate) fn fmt(workspace: &Workspace) -> Done {
    for manifest in [RIG, PEERS, FUZZ] {
        workspace.run_line(&format!("cargo fmt --all --manifest-path {manifest} --check"))?;
    }
    Ok(())
}

/// All checks of the adapter for rig.
pub(crate) fn rig(workspace: &Workspace) -> Done {
    let options = format!("--manifest-path {RIG} --target-dir target/rig --locked");
    workspace.run_line(&format!("cargo clippy {options} --all-targets -- -D warnings"))?;
    workspace.run_line(&format!("cargo test --quiet {options}"))?;
    workspace.run_line(&format!("cargo run --quiet {options} --example rig_agent"))?;
    let mut docs = workspace.command(&format!("cargo doc --quiet {options} --no-deps"));
    workspace.run(docs.env("RUSTDOCFLAGS", "-D warnings"))
}
