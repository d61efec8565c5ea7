//! `cargo xtask mutants`: bugs that are put in one by one, each of which a test must notice.

use std::path::PathBuf;

use crate::{
    files,
    stop::{Done, Stop},
    tools,
    workspace::Workspace,
};

const VERSION: &str = "27.1.0";

/// What a bug must not get into: package, files, and which tests are to notice it.
const PLACES: &[(&str, &[&str], &str)] = &[
    (
        "gatepass-core",
        &[
            "crates/core/src/cache/*.rs",
            "crates/core/src/clock.rs",
            "crates/core/src/error/token.rs",
        ],
        "--lib",
    ),
    (
        "gatepass-oauth2",
        &[
            "crates/oauth2/src/code/listener/site.rs",
            "crates/oauth2/src/code/pkce.rs",
            "crates/oauth2/src/code/random.rs",
            "crates/oauth2/src/code/redirect.rs",
            "crates/oauth2/src/identity.rs",
            "crates/oauth2/src/metadata/document.rs",
            "crates/oauth2/src/refresh/*.rs",
            "crates/oauth2/src/verdict.rs",
            "crates/oauth2/src/wire.rs",
        ],
        "--all-features",
    ),
    (
        "gatepass-http",
        &[
            "crates/http/src/authorized.rs",
            "crates/http/src/client.rs",
            "crates/http/src/retry.rs",
            "crates/http/src/status.rs",
        ],
        "--all-features",
    ),
    (
        "gatepass-file-store",
        &[
            "crates/store-file/src/directory/unix.rs",
            "crates/store-file/src/document.rs",
            "crates/store-file/src/fernet.rs",
            "crates/store-file/src/lock.rs",
            "crates/store-file/src/readers.rs",
        ],
        "--all-features",
    ),
];

/// What the person at the terminal chose.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// What has changed since this revision alone.
    pub(crate) since: Option<String>,
    /// All packages that have such places if it is empty.
    pub(crate) packages: Vec<String>,
}

/// All places, or those that were chosen. The survivors are in `target/mutants/PACKAGE/mutants.out/missed.txt`;
/// `.cargo/mutants.toml` names those that are none, and why.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Done {
    tools::ensure(workspace, "cargo-mutants", VERSION)?;
    // It makes the last folder of the path alone.
    files::create_dir(&workspace.path("target/mutants"))?;
    let diff = match &options.since {
        Some(revision) => Some(diff_since(workspace, revision)?),
        None => None,
    };
    let wanted = &options.packages;
    let mut survived = Vec::new();
    for (package, files, tests) in PLACES
        .iter()
        .filter(|(package, ..)| wanted.is_empty() || wanted.iter().any(|name| name == package))
    {
        let line = format!("cargo mutants --package {package} --output target/mutants/{package}");
        let mut mutants = workspace.command(&line);
        for file in *files {
            mutants.args(["--file", file]);
        }
        if let Some(diff) = &diff {
            mutants.arg("--in-diff").arg(diff);
        }
        // Half of the time goes into building: without what a backtrace needs, and what has not changed not again.
        mutants
            .env("CARGO_PROFILE_DEV_DEBUG", "none")
            .env("CARGO_INCREMENTAL", "1");
        if workspace
            .run(mutants.args(["--", "--profile", "mutants", tests]))
            .is_err()
        {
            survived.push(*package);
        }
    }
    if survived.is_empty() {
        return Ok(());
    }
    Err(Stop::Failed(format!(
        "bugs that no test noticed in {}",
        survived.join(", ")
    )))
}

/// A file with all that has changed.
fn diff_since(workspace: &Workspace, revision: &str) -> Result<PathBuf, Stop> {
    let diff =
        workspace.read(&mut workspace.command(&format!("git diff --no-color {revision} -- crates")))?;
    let file = workspace.path("target/mutants").join("since.diff");
    files::write(&file, &diff)?;
    Ok(file)
}

/// The packages that have such places.
pub(crate) fn packages() -> impl Iterator<Item = &'static str> {
    PLACES.iter().map(|(package, ..)| *package)
}
