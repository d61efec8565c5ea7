//! `cargo xtask mutants`: bugs that are put in one by one, each of which a test must notice.

use crate::{
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

/// All places, or those of the packages `wanted`. The survivors are in `target/mutants/PACKAGE/mutants.out/missed.txt`;
/// `.cargo/mutants.toml` names those that are none, and why.
pub(crate) fn run(workspace: &Workspace, wanted: &[String]) -> Done {
    tools::ensure(workspace, "cargo-mutants", VERSION)?;
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

/// The packages that have such places.
pub(crate) fn packages() -> impl Iterator<Item = &'static str> {
    PLACES.iter().map(|(package, ..)| *package)
}
