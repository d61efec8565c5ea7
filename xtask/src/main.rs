//! Every habit of this repository behind one word: `cargo xtask`.
//!
//! [`checks`] holds the list of what is checked; [`report`] runs it, times it and sums it up.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "xtask speaks to the person at the terminal"
)]

mod apart;
mod api;
mod args;
mod bench;
mod checks;
mod deny;
mod e2e;
mod embedded;
mod features;
mod files;
mod fuzz;
mod mutants;
mod release;
mod report;
mod reviewed;
#[cfg(test)]
mod rows;
mod sbom;
mod seeded;
mod stamp;
mod stop;
mod tools;
mod weigh;
mod workspace;

use std::process::ExitCode;

use args::Habit;
use report::Report;
use workspace::Workspace;

fn main() -> ExitCode {
    match args::parse(std::env::args().skip(1)) {
        Ok(Habit::Help(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Ok(habit) => perform(&habit),
        Err(message) => usage_error(&message),
    }
}

fn perform(habit: &Habit) -> ExitCode {
    let workspace = match Workspace::here() {
        Ok(workspace) => workspace,
        Err(message) => return usage_error(&message),
    };
    let mut report = Report::new();
    match habit {
        Habit::Help(_) => {}
        Habit::Test { steps } => checks::run(&workspace, steps, &mut report),
        Habit::E2e(options) => report.step("e2e", || e2e::run(&workspace, options)),
        Habit::Deny => report.step("deny", || deny::run(&workspace)),
        Habit::Weigh => report.step("weigh", || weigh::run(&workspace)),
        Habit::Fuzz { seconds, targets } => {
            report.step("fuzz", || fuzz::run(&workspace, *seconds, targets));
        }
        Habit::Mutants(options) => report.step("mutants", || mutants::run(&workspace, options)),
        Habit::Release(options) => release::run(&workspace, options, &mut report),
        Habit::Seeded { words } => report.step("seeded", || seeded::run(&workspace, words)),
        Habit::Bench { whose, arguments } => {
            report.step("bench", || bench::run(&workspace, *whose, arguments));
        }
    }
    print!("{report}");
    if report.has_failures() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn usage_error(message: &str) -> ExitCode {
    eprintln!("xtask: {message}");
    ExitCode::from(2)
}
