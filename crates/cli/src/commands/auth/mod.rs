//! Logging in and out, and who is.

mod import;
mod list;
mod login;
mod logout;
mod person;
mod state;
mod status;

use crate::args::{AuthCommand, Form};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out;
use crate::report::GOOD;

pub(crate) fn run(command: &AuthCommand, form: Form) -> Result<Exit, Failure> {
    match command {
        AuthCommand::Login(args) => login::run(args, form),
        AuthCommand::Status(args) => status::run(args, form),
        AuthCommand::Logout(args) => logout::run(args, form),
        AuthCommand::List(args) => list::run(args, form),
        AuthCommand::Import(args) => import::run(args, form),
    }
}

/// Says what is done.
fn done(text: &str) -> Result<(), Failure> {
    out::styled(&format!("{GOOD}✓{GOOD:#} {text}\n"))
}
