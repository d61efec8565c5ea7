mod auth;
mod chat;
mod completions;
mod config;
mod doctor;
mod models;
mod token;

use crate::args::{Command, ConfigCommand};
use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) fn run(command: Command) -> Result<Exit, Failure> {
    let form = command.form();
    match command {
        Command::Chat(args) => chat::run(&args, form),
        Command::Models(args) => models::run(&args, form),
        Command::Token(args) => token::run(&args, form),
        Command::Auth(command) => auth::run(&command, form),
        Command::Config(ConfigCommand::Check(args)) => config::check(&args, form),
        Command::Doctor(args) => doctor::run(&args, form),
        Command::Completions(args) => completions::run(&args),
    }
}
