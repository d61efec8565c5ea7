//! The public interfaces as text, so that a change to one is seen in review: `docs/api/PACKAGE.txt`.

use std::path::Path;

use crate::{
    files,
    stop::{Done, Stop},
    tools,
    workspace::Workspace,
};

const VERSION: &str = "0.52.0";

/// Holds each published library against its snapshot; with `UPDATE_GOLDEN=1` writes the snapshots anew.
pub(crate) fn run(workspace: &Workspace) -> Done {
    tools::ensure(workspace, "cargo-public-api", VERSION)?;
    let folder = workspace.path("docs/api");
    files::create_dir(&folder)?;
    let mut changed = Vec::new();
    for package in published(workspace)? {
        let interface = interface(workspace, &package)?;
        let snapshot = folder.join(format!("{package}.txt"));
        if files::read(&snapshot).is_ok_and(|seen| seen == interface) {
            continue;
        }
        if workspace.updates_golden_files() {
            files::write(&snapshot, &interface)?;
        } else {
            changed.push(package);
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    Err(Stop::Failed(format!(
        "the public interface of {} is not the one in docs/api; if that is meant: UPDATE_GOLDEN=1 cargo xtask release api",
        changed.join(", ")
    )))
}

/// The libraries under `crates/`, by the names of their packages.
fn published(workspace: &Workspace) -> Result<Vec<String>, Stop> {
    let members = workspace
        .read(&mut workspace.command(
            "cargo tree --workspace --depth 0 --prefix none --format {p} --locked --all-features",
        ))?;
    let mut packages: Vec<_> = members
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once(" v")?;
            let folder = rest.split_once('(')?.1.trim_end_matches(')');
            let is_published = Path::new(folder).parent()? == workspace.path("crates");
            (is_published && Path::new(folder).join("src/lib.rs").is_file()).then(|| name.to_owned())
        })
        .collect();
    packages.sort_unstable();
    Ok(packages)
}

fn interface(workspace: &Workspace, package: &str) -> Result<String, Stop> {
    let mut rustdoc = workspace.command(&format!(
        "cargo rustdoc --quiet --package {package} --lib --all-features --locked --target-dir target/api -- \
         -Z unstable-options --output-format json --cap-lints allow"
    ));
    // rustdoc's JSON is unstable; cargo-public-api names the format that it reads.
    workspace.run(rustdoc.env("RUSTC_BOOTSTRAP", "1"))?;
    let json = format!("target/api/doc/{}.json", package.replace('-', "_"));
    workspace.read(&mut workspace.command(&format!(
        "cargo public-api --rustdoc-json {json} -sss --color never"
    )))
}
