//! `cargo xtask bench`: the benchmarks, ours and the peers' side by side.

use crate::{stop::Done, workspace::Workspace};

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Done {
    let mut bench = workspace.command("cargo bench --package gatepass-benches --locked --");
    workspace.run(bench.args(arguments))?;
    println!("The tables above are the results; benches/README.md says how to read them.");
    Ok(())
}
