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
use gatepass::{ConfigError, LoginProvider, Profile, ProviderName};
use std::path::Path;

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

/// Nobody is told to log in, or that nobody is logged in, where that can't be done: the name may be misspelled. Of what
/// else is wrong, the login tells.
fn can_be_logged_in_to(
    provider: &ProviderName,
    profile: &Profile,
    config_path: Option<&Path>,
) -> Result<(), ConfigError> {
    match LoginProvider::find(provider.as_str(), profile, config_path) {
        Err(error @ ConfigError::UnknownProvider { .. }) => Err(error),
        Err(ConfigError::Invalid(problem)) if problem.field.as_deref() == Some("grant_type") => {
            Err(ConfigError::Invalid(problem))
        }
        _ => Ok(()),
    }
}
