use crate::args::{Cli, CompletionsArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out;
use clap::CommandFactory;

pub(crate) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    // Written here first: clap_complete panics when its output can't be written.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gatepass", &mut script);
    out::write(&script)?;
    Ok(Exit::Success)
}
