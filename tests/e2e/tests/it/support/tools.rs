use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where `cargo xtask e2e` has put what the servers need.
pub(crate) struct Tools(PathBuf);

impl Tools {
    /// `None`, said loudly, where nothing was installed: the test is left out then.
    pub(crate) fn find() -> Option<Self> {
        if let Some(root) = variable("GATEPASS_E2E_TOOLS") {
            return Some(Self(root.into()));
        }
        say(
            "left out: GATEPASS_E2E_TOOLS is not set; `cargo xtask e2e` installs the real servers and sets it",
        );
        None
    }

    pub(crate) fn authorization_server(&self) -> [PathBuf; 2] {
        // Node looks for packages beside the script: xtask copies it there.
        ["node".into(), self.0.join("node/authorization-server.mjs")]
    }

    pub(crate) fn model_server(&self) -> [PathBuf; 2] {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("model-server.py");
        [self.0.join("venv/bin/python"), script]
    }
}

/// The `gatepass` program: `GATEPASS_BIN`, or the one that was built beside this test.
pub(crate) fn gatepass() -> PathBuf {
    if let Some(path) = variable("GATEPASS_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("the test's own path");
    let name = format!("gatepass{}", std::env::consts::EXE_SUFFIX);
    let found = test
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file());
    found.expect("the command line is built first: cargo build -p gatepass-cli")
}

/// Whether the tests' folders shall stay, to be looked at.
pub(crate) fn keeps_folders() -> bool {
    variable("GATEPASS_E2E_KEEP").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Tells what the test measured. Not through `println!`, which `cargo test` hides.
pub(crate) fn say(text: impl AsRef<str>) {
    let thread = std::thread::current();
    let line = format!("[e2e] {}: {}\n", thread.name().unwrap_or_default(), text.as_ref());
    _ = std::io::stderr().write_all(line.as_bytes());
}

#[expect(
    clippy::disallowed_methods,
    reason = "how `cargo xtask e2e` speaks to the tests"
)]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
