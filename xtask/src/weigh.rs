//! `cargo xtask weigh`: what a program takes on with gatepass, and with each peer, to ask a model one question;
//! and how fast our own program starts.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    apart, files,
    stop::{Done, Stop},
    workspace::Workspace,
};

const PROGRAMS: &[&str] = &[
    "weight-gatepass",
    "weight-async-openai",
    "weight-genai",
    "weight-rig",
];

const STARTS: usize = 100;

/// Builds each program twice from nothing, which takes many minutes, and writes a table.
pub(crate) fn run(workspace: &Workspace) -> Done {
    let mut text = workspace.read(&mut workspace.command("rustc --version"))?;
    text.push_str(
        "\nThe least program that asks a model: crates of its tree, CPU seconds of a build from nothing, its size\n\n\
         | program | crates | debug build | release build | MB, stripped |\n| --- | --- | --- | --- | --- |\n",
    );
    for program in PROGRAMS {
        let crates = crates(workspace, program)?;
        let debug = build(workspace, program, "")?;
        let release = build(workspace, program, "--release")?;
        let binary = workspace.path("target/weight/release").join(program);
        let size = fs::metadata(&binary).map_err(|error| Stop::Failed(format!("{program}: {error}")))?;
        text.push_str(&format!(
            "| {program} | {crates} | {:.0} | {:.0} | {:.1} |\n",
            debug.as_secs_f64(),
            release.as_secs_f64(),
            size.len() as f64 / 1e6
        ));
    }
    files::remove_dir(&workspace.path("target/weight"))?;
    text.push_str(&format!("\nStarts of `gatepass`, release build, {STARTS} times: ms, median (5th–95th percentile)\n\n| command | ms |\n| --- | --- |\n"));
    workspace.run_line("cargo build --release --package gatepass-cli --locked")?;
    for arguments in ["--version", "auth status", "config check"] {
        text.push_str(&format!(
            "| gatepass {arguments} | {} |\n",
            starts(workspace, arguments)?
        ));
    }
    println!("{text}");
    files::create_dir(&workspace.path("target/bench"))?;
    files::write(&workspace.path("target/bench/weight.md"), &text)
}

/// The packages that are linked in or run at build time.
fn crates(workspace: &Workspace, program: &str) -> Result<usize, Stop> {
    let manifest = apart::PEERS;
    let tree = workspace.read(&mut workspace.command(&format!(
        "cargo tree --manifest-path {manifest} --package {program} --edges normal,build --prefix none --format {{p}} --locked"
    )))?;
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)"));
    Ok(lines.collect::<BTreeSet<_>>().len())
}

/// How long all processors worked on it.
fn build(workspace: &Workspace, program: &str, profile: &str) -> Result<Duration, Stop> {
    files::remove_dir(&workspace.path("target/weight"))?;
    let manifest = apart::PEERS;
    workspace.run_line("cargo fetch --locked --manifest-path benches/peers/Cargo.toml")?;
    let before = children_worked()?;
    workspace.run_line(&format!(
        "cargo build --quiet --manifest-path {manifest} --package {program} {profile} --target-dir target/weight --locked"
    ))?;
    Ok(children_worked()?.saturating_sub(before))
}

/// How long the children that have ended worked, and theirs: fields 16 and 17 of `/proc/self/stat`, in hundredths of a second.
fn children_worked() -> Result<Duration, Stop> {
    let stat = files::read(Path::new("/proc/self/stat"))?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name
        .split_whitespace()
        .skip(13)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok());
    Ok(Duration::from_millis(10 * ticks.sum::<u64>()))
}

fn starts(workspace: &Workspace, arguments: &str) -> Result<String, Stop> {
    let home = workspace.path("target/bench/home");
    files::create_dir(&home)?;
    let program = workspace.path("target/release/gatepass");
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let mut command = workspace.command(&program.to_string_lossy());
        command
            .args(arguments.split_whitespace())
            .current_dir(&home)
            .env("GATEPASS_CONFIG_DIR", &home);
        let began = Instant::now();
        // "Not logged in" is an answer too.
        command
            .output()
            .map_err(|error| Stop::Failed(format!("gatepass did not start: {error}")))?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times.get(STARTS * percent / 100).copied().unwrap_or(f64::NAN);
    Ok(format!("{:.1} ({:.1}–{:.1})", at(50), at(5), at(95)))
}
