//! The packages that the command-line program names within itself, for who has the binary alone (`cargo audit bin`).

use std::{collections::BTreeSet, env::consts::EXE_SUFFIX};

use crate::{sbom, stop::Done, tools, workspace::Workspace};

const AUDITABLE: &str = "0.7.7";
const AUDIT_INFO: &str = "0.5.4";

/// Builds `target/auditable/release/gatepass`, and reads back what it says.
pub(crate) fn run(workspace: &Workspace) -> Done {
    tools::ensure(workspace, "cargo-auditable", AUDITABLE)?;
    tools::ensure(workspace, "rust-audit-info", AUDIT_INFO)?;
    workspace.run_line(
        "cargo auditable build --quiet --release --package gatepass-cli --all-features --locked --target-dir target/auditable",
    )?;
    let list = workspace.read(&mut workspace.command(&format!(
        "rust-audit-info target/auditable/release/gatepass{EXE_SUFFIX}"
    )))?;
    sbom::agrees(workspace, &packages_of_list(&list), "")
}

/// `name@version` of each `{"name":"…","version":"…",…}`.
fn packages_of_list(list: &str) -> BTreeSet<String> {
    list.split("\"name\"")
        .skip(1)
        .filter_map(|package| {
            let mut texts = package.split('"').skip(1).step_by(2);
            let (name, key, version) = (texts.next()?, texts.next()?, texts.next()?);
            (key == "version").then(|| format!("{name}@{version}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_however_it_is_spaced() {
        let list = r#"{"packages":[{"name":"http","version":"1.4.0","source":"crates.io","dependencies":[1]},
            { "name": "ours", "version": "0.1.0", "source": "local", "root": true }],"format":8}"#;
        let told: Vec<_> = packages_of_list(list).into_iter().collect();
        assert_eq!(told, ["http@1.4.0", "ours@0.1.0"]);
        assert!(packages_of_list("{}").is_empty());
    }
}
