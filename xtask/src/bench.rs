//! `cargo xtask bench`: the benchmarks, ours alone or side by side with the peers'.

use crate::{apart, files, stop::Done, workspace::Workspace};

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Whose {
    Ours,
    Peers,
}

impl Whose {
    fn lines(self) -> Vec<String> {
        let peers = |package| {
            let manifest = apart::PEERS;
            format!(
                "cargo run --release --manifest-path {manifest} --package {package} --target-dir target/peers --locked --"
            )
        };
        match self {
            Self::Ours => vec!["cargo bench --package gatepass-benches --locked --".to_owned()],
            Self::Peers => ["gatepass-peers-tokens", "gatepass-peers-calls"]
                .map(peers)
                .to_vec(),
        }
    }

    const fn file(self) -> &'static str {
        match self {
            Self::Ours => "target/bench/ours.md",
            Self::Peers => "target/bench/peers.md",
        }
    }
}

pub(crate) fn run(workspace: &Workspace, whose: Whose, arguments: &[String]) -> Done {
    let mut text = workspace.read(&mut workspace.command("rustc --version"))?;
    for line in whose.lines() {
        let tables = workspace.read(workspace.command(&line).args(arguments))?;
        println!("{tables}");
        text.push('\n');
        text.push_str(&tables);
    }
    files::create_dir(&workspace.path("target/bench"))?;
    files::write(&workspace.path(whose.file()), &text)?;
    println!(
        "{} has the tables; benches/README.md says how to read them.",
        whose.file()
    );
    Ok(())
}
