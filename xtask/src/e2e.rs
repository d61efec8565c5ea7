//! `cargo xtask e2e`: installs the real servers, then runs the tests against them.
//!
//! The same as `tests/e2e/README.md` does by hand.

use crate::{
    files,
    stamp::Stamp,
    stop::{Done, Stop},
    workspace::Workspace,
};

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// The tests leave their working folders behind.
    pub(crate) keep: bool,
    /// For the test runner.
    pub(crate) arguments: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Done {
    let node = node(workspace)?;
    let python = python(workspace)?;
    let browser = browser(workspace);
    if matches!(browser, Err(Stop::Failed(_))) {
        return browser;
    }
    install_authorization_server(workspace, &node)?;
    install_model_server(workspace, &python)?;
    // The tests run it; cargo builds no other package's program for them.
    workspace.run_line("cargo build --package gatepass-cli --locked")?;
    run_tests(workspace, options)?;
    browser
}

/// Whether logins can be made in a browser; the tests that do it leave themselves out otherwise.
fn browser(workspace: &Workspace) -> Done {
    if workspace.has("chromedriver") {
        return Ok(());
    }
    Err(workspace.left_out("logins in a browser need chromedriver and Chromium (Debian: chromium-driver)"))
}

/// The version of Node, if it and npm will do.
fn node(workspace: &Workspace) -> Result<String, Stop> {
    if !workspace.has("node") || !workspace.has("npm") {
        return Err(workspace.left_out("the authorization server needs Node 20 or later, and npm"));
    }
    let version = workspace.read(&mut workspace.command("node --version"))?;
    if node_major(&version).is_none_or(|major| major < 20) {
        return Err(workspace.left_out(format!("Node {} is too old, 20 is needed", version.trim())));
    }
    Ok(version)
}

/// The first number of `v22.1.0`.
fn node_major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// The version of Python, if it will do.
fn python(workspace: &Workspace) -> Result<String, Stop> {
    let needed = "the model server needs Python 3.10 or later with venv and pip (Debian: python3-venv)";
    if !workspace.has("python3") {
        return Err(workspace.left_out(needed));
    }
    // Debian has venv without ensurepip, which cannot make an environment.
    let script = "import ensurepip, sys, venv; print(sys.version); sys.exit(sys.version_info < (3, 10))";
    workspace
        .read(workspace.command("python3 -c").arg(script))
        .map_err(|_| workspace.left_out(needed))
}

fn install_authorization_server(workspace: &Workspace, node: &str) -> Done {
    let folder = workspace.path("target/e2e/node");
    files::create_dir(&folder)?;
    for file in [
        "package.json",
        "package-lock.json",
        ".npmrc",
        "authorization-server.mjs",
    ] {
        files::copy(&workspace.path("tests/e2e").join(file), &folder.join(file))?;
    }
    let sources = ["package.json", "package-lock.json"].map(|file| folder.join(file));
    Stamp::new(workspace.path("target/e2e/node.stamp"), node, &sources)?
        .ensure(|| workspace.run_line("npm ci --no-audit --no-fund --prefix target/e2e/node"))
}

fn install_model_server(workspace: &Workspace, python: &str) -> Done {
    let sources = [workspace.path("tests/e2e/requirements.txt")];
    Stamp::new(workspace.path("target/e2e/venv.stamp"), python, &sources)?.ensure(|| {
        workspace.run_line("python3 -m venv --clear target/e2e/venv")?;
        workspace.run_line(
            "target/e2e/venv/bin/pip install --disable-pip-version-check --no-deps --require-hashes \
             -r tests/e2e/requirements.txt",
        )
    })
}

fn run_tests(workspace: &Workspace, options: &Options) -> Done {
    let mut tests = if workspace.has("cargo-nextest") {
        workspace.command("cargo nextest run --profile e2e --package gatepass-e2e --locked")
    } else {
        workspace.command("cargo test --package gatepass-e2e --locked --no-fail-fast -- --test-threads=2")
    };
    if options.keep {
        tests.env("GATEPASS_E2E_KEEP", "1");
    }
    tests
        .env("GATEPASS_E2E_TOOLS", workspace.path("target/e2e"))
        .args(&options.arguments);
    workspace.run(&mut tests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_node_is_read() {
        assert_eq!(node_major("v20.20.2\n"), Some(20));
        assert_eq!(node_major("20"), None);
        assert_eq!(node_major(""), None);
    }
}
