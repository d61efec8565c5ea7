//! `cargo xtask deny`: the dependencies against deny.toml and crates.reviewed.

use std::path::Path;

use crate::{apart, files, reviewed, stop::Done, tools, workspace::Workspace};

/// The cargo-deny that deny.toml was written for.
const VERSION: &str = "0.20.2";

/// An optional script beside the checkout that lays a snapshot of the advisory database out, for
/// machines that cannot fetch it.
const SNAPSHOT: &str = "../shared/bin/advisory-db";

pub(crate) fn run(workspace: &Workspace) -> Done {
    reviewed::run(workspace)?;
    tools::ensure(workspace, "cargo-deny", VERSION)?;
    let snapshot = workspace.path(SNAPSHOT);
    if snapshot.is_file() {
        return check_with_snapshot(workspace, &snapshot);
    }
    if workspace.run_line("cargo deny --locked fetch db").is_ok() {
        return check(workspace, "", "");
    }
    check(workspace, "", "bans licenses sources")?;
    Err(workspace.left_out("advisories: their database could not be fetched; all else is fine"))
}

/// Checks this workspace, and then rig's, where second versions are no mistake.
fn check(workspace: &Workspace, options: &str, what: &str) -> Done {
    workspace.run_line(&format!("cargo deny --locked {options} check {what}"))?;
    let rig = apart::RIG;
    workspace.run_line(&format!(
        "cargo deny --manifest-path {rig} --locked {options} check --allow duplicate {what}"
    ))
}

fn check_with_snapshot(workspace: &Workspace, snapshot: &Path) -> Done {
    let folder = workspace.path("target/advisory-db");
    files::remove_dir(&folder)?;
    workspace.run(workspace.command(&snapshot.to_string_lossy()).arg(&folder))?;
    let config = files::read(&workspace.path("deny.toml"))?;
    files::write(
        &folder.join("deny.toml"),
        &with_database(&config, &folder.join("deny")),
    )?;
    workspace.run_line("cargo fetch --locked")?;
    workspace.run_line(&format!("cargo fetch --manifest-path {} --locked", apart::RIG))?;
    check(workspace, "--offline --config target/advisory-db/deny.toml", "")
}

/// deny.toml with another place of the advisory database; cargo-deny has no flag for it.
fn with_database(config: &str, database: &Path) -> String {
    let section = "[advisories]\n";
    config.replacen(
        section,
        &format!("{section}db-path = '{}'\n", database.display()),
        1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_named_in_its_section() {
        let config = "[graph]\nall-features = true\n\n[advisories]\nyanked = \"deny\"\n";
        let expected = "[graph]\nall-features = true\n\n[advisories]\ndb-path = '/db'\nyanked = \"deny\"\n";
        assert_eq!(with_database(config, Path::new("/db")), expected);
    }

    #[test]
    fn our_own_configuration_has_that_section() {
        let config = include_str!("../../deny.toml");
        assert_ne!(with_database(config, Path::new("/db")), config);
    }
}
