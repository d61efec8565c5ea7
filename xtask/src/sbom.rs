//! The bill of materials of the command-line program: what went into it, in CycloneDX's words.

use std::{collections::BTreeSet, path::Path};

use crate::{
    files,
    stop::{Done, Stop},
    tools,
    workspace::Workspace,
};

const VERSION: &str = "0.5.9";

/// Writes `target/sbom/gatepass-cli.cdx.json` from the tree at `copy`, since the tool writes beside each package;
/// each package that is linked in must stand there, and nothing
/// that isn't locked.
pub(crate) fn run(workspace: &Workspace, copy: &Path) -> Done {
    tools::ensure(workspace, "cargo-cyclonedx", VERSION)?;
    let mut tool = workspace.command(
        "cargo cyclonedx --quiet --manifest-path crates/cli/Cargo.toml --format json --all-features --target all",
    );
    workspace.run(tool.current_dir(copy))?;
    let folder = workspace.path("target/sbom");
    files::create_dir(&folder)?;
    let written = folder.join("gatepass-cli.cdx.json");
    files::copy(&copy.join("crates/cli/gatepass-cli.cdx.json"), &written)?;

    let told = packages_of_bill(&files::read(&written)?);
    // Of each system that it is built for.
    agrees(workspace, &told, "--target all")
}

/// Whether a list names all that is linked into the program or that built it, and nothing that isn't locked.
pub(crate) fn agrees(workspace: &Workspace, told: &BTreeSet<String>, targets: &str) -> Done {
    let tree = workspace.read(&mut workspace.command(&format!(
        "cargo tree --package gatepass-cli --edges normal,build --all-features {targets} --prefix none --format {{p}} --locked"
    )))?;
    let linked = packages_of_tree(&tree);
    let locked = packages_of_lock(&files::read(&workspace.path("Cargo.lock"))?);
    // It may name some that are locked and not linked in: the tools don't look at features as closely as cargo does.
    let wrong: Vec<_> = linked
        .difference(told)
        .chain(told.difference(&locked))
        .map(String::as_str)
        .collect();
    if wrong.is_empty() {
        println!("{} packages, {} of them linked in", told.len(), linked.len());
        return Ok(());
    }
    Err(Stop::Failed(format!(
        "the bill of materials differs from Cargo.lock in {}",
        wrong.join(", ")
    )))
}

/// `name@version` of each package URL (`pkg:cargo/name@version?…`).
fn packages_of_bill(bill: &str) -> BTreeSet<String> {
    bill.split("pkg:cargo/")
        .skip(1)
        .filter_map(|rest| rest.split(['?', '"', '#']).next())
        .map(str::to_owned)
        .collect()
}

/// The same of lines like `name v1.2.3 (proc-macro)`.
fn packages_of_tree(tree: &str) -> BTreeSet<String> {
    tree.lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once(" v")?;
            let version = rest.split_whitespace().next()?;
            Some(format!("{name}@{version}"))
        })
        .collect()
}

/// The same of the packages of a lock file.
fn packages_of_lock(lock: &str) -> BTreeSet<String> {
    lock.split("[[package]]")
        .filter_map(|package| {
            let value = |key: &str| package.split(key).nth(1)?.split('"').next();
            Some(format!("{}@{}", value("\nname = \"")?, value("\nversion = \"")?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lists_say_the_same_of_the_same_packages() {
        let bill = r#"{"components":[{"purl":"pkg:cargo/http@1.4.0"},{"purl":"pkg:cargo/ours@0.1.0?download_url=file://../x"},
            {"purl":"pkg:cargo/ours@0.1.0?download_url=file://../x#src/lib.rs"}]}"#;
        let tree = "ours v0.1.0 (/home/jane/ours)\nhttp v1.4.0\nhttp v1.4.0 (*)\n\n";
        assert_eq!(packages_of_bill(bill), packages_of_tree(tree));
        assert_eq!(packages_of_tree(tree).len(), 2);
        let lock = "version = 4\n\n[[package]]\nname = \"http\"\nversion = \"1.4.0\"\nsource = \"x\"\n\n\
                    [[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n";
        assert_eq!(packages_of_lock(lock), packages_of_tree(tree));
    }
}
