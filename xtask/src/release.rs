//! `cargo xtask release`: what must hold before a version is published, beside the tests.

use std::path::PathBuf;

use crate::{
    api, files,
    report::Report,
    sbom,
    stop::{Done, Stop},
    tools,
    workspace::Workspace,
};

const HACK: &str = "0.6.46";
const SEMVER_CHECKS: &str = "0.51.0";

/// Runs all steps, or those named in `wanted`.
pub(crate) fn run(workspace: &Workspace, wanted: &[String], report: &mut Report) {
    for (name, step) in STEPS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            report.step(name, || step(workspace));
        }
    }
}

/// The names of the steps, in their order.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|(name, _)| *name)
}

type Step = (&'static str, fn(&Workspace) -> Done);

const STEPS: &[Step] = &[
    ("powerset", powerset),
    ("minimal", minimal_versions),
    ("semver", semver),
    ("api", api::run),
    ("package", package),
    ("sbom", |workspace| sbom::run(workspace, &copy(workspace)?)),
];

/// Every two features of a package together, each alone, none, and all.
fn powerset(workspace: &Workspace) -> Done {
    tools::ensure(workspace, "cargo-hack", HACK)?;
    let check = "cargo hack check --feature-powerset --depth 2 --locked --quiet";
    workspace.run_line(&format!("{check} --package gatepass-oauth2"))?;
    // These two are names for several others.
    workspace.run_line(&format!(
        "{check} --package gatepass --exclude-features default,full"
    ))
}

/// Each dependency at the lowest version that its `Cargo.toml` allows.
fn minimal_versions(workspace: &Workspace) -> Done {
    let copy = copy(workspace)?;
    for line in [
        "cargo update --quiet -Z direct-minimal-versions",
        "cargo check --quiet --workspace --all-features --lib --bins --target-dir ../minimal",
    ] {
        // The flag is unstable, though not what it does.
        let mut command = workspace.command(line);
        workspace.run(command.current_dir(&copy).env("RUSTC_BOOTSTRAP", "1"))?;
    }
    Ok(())
}

/// What is committed, at a place where tools may write.
fn copy(workspace: &Workspace) -> Result<PathBuf, Stop> {
    let folder = workspace.path("target/committed");
    files::remove_dir(&folder)?;
    workspace.run_line("git clone --quiet --shared . target/committed")?;
    Ok(folder)
}

/// What changed in the public interfaces since the last version demands no other version than the next one.
fn semver(workspace: &Workspace) -> Done {
    tools::ensure(workspace, "cargo-semver-checks", SEMVER_CHECKS)?;
    let mut tags = workspace.command("git tag --list v* --sort=-version:refname --merged HEAD");
    let tags = workspace.read(&mut tags)?;
    let Some(released) = tags.lines().next() else {
        return Err(Stop::LeftOut(
            "no version is released yet: there is no tag v*".to_owned(),
        ));
    };
    workspace.run_line(&format!(
        "cargo semver-checks --workspace --all-features --baseline-rev {released}"
    ))
}

/// Each package that is published builds from its archive alone, and has a README in it.
fn package(workspace: &Workspace) -> Done {
    workspace.run_line("cargo package --workspace --exclude gatepass-benches --exclude gatepass-e2e --exclude gatepass-examples \
         --exclude xtask --locked --target-dir target/package",
)
}
