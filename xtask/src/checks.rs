//! `cargo xtask test`: the list of all that must hold.

use crate::{
    apart, deny, e2e, features, fuzz,
    report::Report,
    stop::{Done, Stop},
    workspace::Workspace,
};

/// Runs all steps, or those named in `wanted`.
pub(crate) fn run(workspace: &Workspace, wanted: &[String], report: &mut Report) {
    for step in STEPS {
        if wanted.is_empty() || wanted.iter().any(|name| name == step.name) {
            report.step(step.name, || (step.run)(workspace));
        }
    }
}

/// The names of the steps, in their order.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|step| step.name)
}

struct Step {
    name: &'static str,
    run: fn(&Workspace) -> Done,
}

/// From quick to slow, as far as one step does not build what the next one needs.
const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        run: |workspace| {
            workspace.run_line("cargo fmt --all --check")?;
            apart::fmt(workspace)
        },
    },
    Step {
        name: "clippy",
        run: |workspace| workspace.run_line(CLIPPY),
    },
    Step {
        name: "test",
        run: tests,
    },
    Step {
        name: "doctest",
        run: |workspace| workspace.run_line(DOC_TESTS),
    },
    Step {
        name: "docs",
        run: docs,
    },
    Step {
        name: "features",
        run: features::run,
    },
    Step {
        name: "core",
        run: core_is_pure,
    },
    Step {
        name: "deny",
        run: deny::run,
    },
    Step {
        name: "examples",
        run: examples,
    },
    Step {
        name: "rig",
        run: apart::rig,
    },
    Step {
        name: "fuzz",
        run: fuzz::briefly,
    },
    Step {
        name: "benches",
        run: |workspace| workspace.run_line(BENCHES),
    },
    Step {
        name: "e2e",
        run: |workspace| e2e::run(workspace, &e2e::Options::default()),
    },
];

const CLIPPY: &str = "cargo clippy --workspace --all-targets --all-features --locked -- -D warnings";

const DOC_TESTS: &str = "cargo test --workspace --doc --all-features --locked";

/// Each benchmark once, without measuring; unoptimised, so that nothing is built twice.
const BENCHES: &str = "cargo bench --package gatepass-benches --profile dev --locked -- --test";

/// The examples that need no account, no server and no person.
const EXAMPLES: &[&str] = &[
    "quickstart",
    "agent",
    "custom_backend",
    "custom_source",
    "custom_store",
    "google_login",
    "images",
    "streaming",
    "structured_output",
    "tools",
    "two_providers",
];

/// What would make `gatepass-core` heavy: HTTP clients, TLS, OS keyrings.
const NOT_IN_CORE: &[&str] = &[
    "hyper",
    "keyring",
    "native-tls",
    "openssl",
    "reqwest",
    "ring",
    "rustls",
];

fn tests(workspace: &Workspace) -> Done {
    let options = "--workspace --exclude gatepass-e2e --all-features --locked";
    if workspace.has("cargo-nextest") {
        return workspace.run_line(&format!("cargo nextest run {options}"));
    }
    workspace.run_line(&format!(
        "cargo test {options} --lib --bins --tests --no-fail-fast"
    ))
}

fn docs(workspace: &Workspace) -> Done {
    let line = "cargo doc --workspace --no-deps --all-features --locked";
    workspace.run(workspace.command(line).env("RUSTDOCFLAGS", "-D warnings"))
}

fn core_is_pure(workspace: &Workspace) -> Done {
    let line = "cargo tree --package gatepass-core --edges normal --all-features --target all --prefix none --locked";
    let tree = workspace.read(&mut workspace.command(line))?;
    let heavy = heavy_crates(&tree);
    if heavy.is_empty() {
        return Ok(());
    }
    Err(Stop::Failed(format!(
        "gatepass-core depends on {}",
        heavy.join(", ")
    )))
}

fn heavy_crates(tree: &str) -> Vec<&str> {
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    let mut heavy: Vec<_> = names
        .filter(|name| NOT_IN_CORE.iter().any(|banned| is_of(name, banned)))
        .collect();
    heavy.sort_unstable();
    heavy.dedup();
    heavy
}

/// Whether a crate is `family` or one of its parts, as `hyper-util` is of `hyper`.
fn is_of(name: &str, family: &str) -> bool {
    name.strip_prefix(family)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn examples(workspace: &Workspace) -> Done {
    for example in EXAMPLES {
        workspace.run_line(&format!(
            "cargo run --quiet --package gatepass-examples --example {example} --locked"
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heavy_crates_are_found_by_family_and_named_once() {
        let tree = "gatepass-core v0.1.0\nhyper-util v0.1.20\nrustls v0.23.38\nhyper-util v0.1.20 (*)\nstring v1.0\n";
        assert_eq!(heavy_crates(tree), ["hyper-util", "rustls"]);
    }

    #[test]
    fn a_light_core_is_fine() {
        assert!(heavy_crates("gatepass-core v0.1.0\nhttp v1.4.0\nstring v1.0\nhyperlight v1.0\n").is_empty());
    }
}
