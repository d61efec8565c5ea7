//! `cargo xtask bench`: the benchmarks, ours alone or side by side with the peers'.

use crate::{apart, files, stop::Done, workspace::Workspace};

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Whose {
    Ours,
    Peers,
}

pub(crate) fn run(workspace: &Workspace, whose: Whose, arguments: &[String]) -> Done {
    let (line, file) = match whose {
        Whose::Ours => (
            "cargo bench --package gatepass-benches --locked --".to_owned(),
            "ours.md",
        ),
        Whose::Peers => (
            format!(
                "cargo run --release --manifest-path {} --target-dir target/peers --locked --",
                apart::PEERS
            ),
            "peers.md",
        ),
    };
    let compiler = workspace.read(&mut workspace.command("rustc --version"))?;
    let tables = workspace.read(workspace.command(&line).args(arguments))?;
    println!("{tables}");
    let folder = workspace.path("target/bench");
    files::create_dir(&folder)?;
    let file = folder.join(file);
    files::write(&file, &format!("{compiler}\n{tables}"))?;
    println!("{}: benches/README.md says how to read it.", file.display());
    Ok(())
}
