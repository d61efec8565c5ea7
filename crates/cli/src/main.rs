//! The `gatepass` command: asks models, prints tokens, checks configurations.
//!
//! From the arguments (`args`) to a command (`commands`) to an exit code (`exit`). What a command says goes to
//! stdout (`out`); what went wrong goes to stderr (`report`).

mod args;
mod commands;
mod core_dumps;
mod exit;
mod failure;
mod findings;
mod input;
mod log;
mod out;
mod report;
mod runtime;
mod spinner;
mod terminal;
mod time;

use args::Cli;
use clap::Parser;
use exit::Exit;
use std::process::ExitCode;

fn main() -> ExitCode {
    core_dumps::forbid();
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(message) => return say(&message),
    };
    let form = command.form();
    log::start(form);
    match commands::run(command) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            report::write(&failure, form);
            Exit::of(&failure).into()
        }
    }
}

/// The help, the version, or why the arguments can't be understood.
fn say(message: &clap::Error) -> ExitCode {
    // There is nobody left to tell when this fails.
    _ = message.print();
    if message.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Success.into()
    }
}
