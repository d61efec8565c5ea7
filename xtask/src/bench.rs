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

    const fn lock(self) -> &'static str {
        match self {
            Self::Ours => "Cargo.lock",
            Self::Peers => "benches/peers/Cargo.lock",
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
    text.push_str(&versions(&files::read(&workspace.path(whose.lock()))?));
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

/// The crates that the figures depend on, each with its version.
fn versions(lock: &str) -> String {
    const MEASURED: [&str; 13] = [
        "arc-swap",
        "async-openai",
        "azure_identity",
        "gcp_auth",
        "genai",
        "google-cloud-auth",
        "huskarl",
        "hyper",
        "reqwest",
        "rig-core",
        "serde_json",
        "tokio",
        "yup-oauth2",
    ];
    let packages = lock.split("[[package]]").filter_map(|package| {
        let member = |start| {
            package
                .lines()
                .find_map(|line| line.strip_prefix(start)?.strip_suffix('"'))
        };
        Some((member("name = \"")?, member("version = \"")?))
    });
    let measured = packages.filter(|(name, _)| MEASURED.contains(name));
    let measured: Vec<_> = measured
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    measured.join(", ") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_told_with_its_version() {
        let lock = "version = 4\n\n[[package]]\nname = \"reqwest\"\nversion = \"0.13.5\"\ndependencies = [\n \"tokio\",\n]\n\n\
            [[package]]\nname = \"other\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"tokio\"\nversion = \"1.54.1\"\n";
        assert_eq!(versions(lock), "reqwest 0.13.5, tokio 1.54.1\n");
    }
}
