//! The facade compiles without a warning with each feature alone, and with none.

use crate::{
    files,
    stop::{Done, Stop},
    workspace::Workspace,
};

pub(crate) fn run(workspace: &Workspace) -> Done {
    let manifest = files::read(&workspace.path("crates/gatepass/Cargo.toml"))?;
    let mut broken = Vec::new();
    for feature in [""].into_iter().chain(features(&manifest)) {
        if compile(workspace, feature).is_err() {
            broken.push(if feature.is_empty() { "none" } else { feature });
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(Stop::Failed(format!(
        "gatepass does not compile cleanly with these features alone: {}",
        broken.join(", ")
    )))
}

/// Without a warning too: code that a feature leaves without use belongs behind that feature.
fn compile(workspace: &Workspace, feature: &str) -> Done {
    let mut check =
        workspace.command("cargo clippy --quiet --package gatepass --no-default-features --locked");
    if !feature.is_empty() {
        check.args(["--features", feature]);
    }
    workspace.run(check.args(["--", "-D", "warnings"]))
}

/// The keys of the table `[features]`; enough TOML for our own manifest, so that xtask needs no crate.
fn features(manifest: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut open_brackets = 0;
    let table = manifest
        .lines()
        .skip_while(|line| line.trim() != "[features]")
        .skip(1);
    for line in table.map(without_comment) {
        if open_brackets == 0 {
            match line.split_once('=') {
                Some((name, _)) => names.push(name.trim().trim_matches('"')),
                None if line.starts_with('[') => break,
                None => {}
            }
        }
        open_brackets += line.matches('[').count();
        open_brackets -= line.matches(']').count().min(open_brackets);
    }
    names
}

fn without_comment(line: &str) -> &str {
    line.split_once('#').map_or(line, |(before, _)| before).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_read_over_comments_and_broken_lines() {
        let manifest = r#"
[package]
name = "gatepass"

[features]
default = ["google"] # what most people want
# google = "not a feature"
google = [
    "dep:gatepass-google", # a = b
    "keyring",
]
"keyring" = []

[dependencies]
serde = { version = "1", features = ["derive"] }
"#;
        assert_eq!(features(manifest), ["default", "google", "keyring"]);
    }

    #[test]
    fn a_manifest_without_features_has_none() {
        assert!(features("[package]\nname = \"gatepass\"\n").is_empty());
    }
}
