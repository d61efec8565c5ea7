//! `cargo xtask release`: what must hold before a version is published, beside the tests.

use std::path::PathBuf;

use crate::{
    api, embedded, files,
    report::Report,
    sbom,
    stop::{Done, Stop},
    tools,
    workspace::Workspace,
};

const HACK: &str = "0.6.46";
const SEMVER_CHECKS: &str = "0.51.0";

/// What the person at the terminal chose.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// What the public interfaces are compared with, if somebody said it.
    pub(crate) since: Option<String>,
    /// All steps if it is empty.
    pub(crate) steps: Vec<String>,
}

/// Runs all steps, or those that were named.
pub(crate) fn run(workspace: &Workspace, options: &Options, report: &mut Report) {
    for (name, step) in STEPS {
        if options.steps.is_empty() || options.steps.iter().any(|wanted| wanted == name) {
            report.step(name, || step(workspace, options));
        }
    }
}

/// The names of the steps, in their order.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|(name, _)| *name)
}

type Step = (&'static str, fn(&Workspace, &Options) -> Done);

const STEPS: &[Step] = &[
    ("powerset", |workspace, _| powerset(workspace)),
    ("minimal", |workspace, _| minimal_versions(workspace)),
    ("semver", |workspace, options| {
        semver(workspace, options.since.as_deref())
    }),
    ("api", |workspace, _| api::run(workspace)),
    ("package", |workspace, _| package(workspace)),
    ("sbom", |workspace, _| sbom::run(workspace, &copy(workspace)?)),
    ("embedded", |workspace, _| embedded::run(workspace)),
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

/// No public interface breaks what was there at `since`. If nobody says it: at the last version, or, before there is one,
/// when the interfaces were last written down on purpose.
fn semver(workspace: &Workspace, since: Option<&str>) -> Done {
    tools::ensure(workspace, "cargo-semver-checks", SEMVER_CHECKS)?;
    let baseline = match since {
        Some(revision) => revision.to_owned(),
        None => match first_line(
            workspace,
            "git tag --list v* --sort=-version:refname --merged HEAD",
        )? {
            Some(released) => released,
            None => first_line(workspace, "git log -1 --format=%H -- docs/api")?.ok_or_else(|| {
                workspace.left_out("there is no tag v* and no docs/api: say --since REVISION")
            })?,
        },
    };
    workspace.run_line(&format!(
        "cargo semver-checks --workspace --all-features --baseline-rev {baseline}"
    ))
}

fn first_line(workspace: &Workspace, line: &str) -> Result<Option<String>, Stop> {
    let written = workspace.read(&mut workspace.command(line))?;
    Ok(written.lines().next().map(str::to_owned))
}

/// Each package that is published builds from its archive alone, and has a README in it.
fn package(workspace: &Workspace) -> Done {
    workspace.run_line("cargo package --workspace --exclude gatepass-benches --exclude gatepass-e2e --exclude gatepass-examples \
         --exclude xtask --locked --target-dir target/package",
)
}
