//! The command line, as clap reads it. The comments are its help.

use crate::exit::Exit;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;

/// A valid token for every LLM call
#[derive(Debug, Parser)]
#[command(
    name = "gatepass",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
#[command(after_help = format!("{EXAMPLES}\n\n{ENVIRONMENT}\n\n{}", Exit::help()))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask a model; the answer appears as it is written
    Chat(ChatArgs),
    /// Print a provider's access token
    Token(TokenArgs),
    /// Look after the configuration
    #[command(subcommand, arg_required_else_help = true, after_help = CHECK_EXAMPLES)]
    Config(ConfigCommand),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
}

#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum ConfigCommand {
    /// List every problem of the configuration, without asking a server
    Check(CheckArgs),
}

#[derive(Debug, Args)]
#[command(after_help = CHAT_EXAMPLES)]
pub(crate) struct ChatArgs {
    /// PROVIDER/NAME of a configured provider, or gpt-4o-mini with OPENAI_API_KEY
    #[arg(short, long)]
    pub(crate) model: String,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// The address of the API, if the provider's entry has none
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Instructions that stand above the prompt
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,
    /// Randomness, from 0
    #[arg(long, value_name = "T", value_parser = temperature)]
    pub(crate) temperature: Option<f64>,
    /// The most tokens that the answer may have
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_tokens: Option<u32>,
    /// Ask for JSON that follows the JSON Schema in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
    /// Wait for the whole answer
    #[arg(long)]
    pub(crate) no_stream: bool,
    /// Print one JSON object at the end
    #[arg(long)]
    pub(crate) json: bool,
    /// What to ask; - or nothing reads it from stdin
    pub(crate) prompt: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = TOKEN_EXAMPLES)]
pub(crate) struct TokenArgs {
    /// The provider, as the configuration names it
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: String,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Print the token with its expiry and scope, as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Print the problems as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArg {
    /// The configuration, instead of ./litellm_config.json and ./gatepass.toml
    #[arg(long = "config", value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,
}

/// Whom the output is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
}

impl Command {
    pub(crate) const fn form(&self) -> Form {
        let json = match self {
            Self::Chat(args) => args.json,
            Self::Token(args) => args.json,
            Self::Config(ConfigCommand::Check(args)) => args.json,
            Self::Completions(_) => false,
        };
        if json { Form::Json } else { Form::Text }
    }
}

fn temperature(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "write a number from 0".into())
}

const EXAMPLES: &str = "\
Examples:
  gatepass chat -m corp/my-model \"What is the capital of France?\"
  gatepass token --provider corp
  gatepass config check";

const ENVIRONMENT: &str = "\
Environment:
  OPENAI_API_KEY  the key for OpenAI's models
  RUST_LOG        what to log on stderr: warn, debug, gatepass_http=trace
  NO_COLOR        no colour, if set";

const CHAT_EXAMPLES: &str = "\
Examples:
  gatepass chat -m corp/my-model \"What is the capital of France?\"
  gatepass chat -m gpt-4o-mini --system \"Be brief.\" \"What is TCP?\"
  git diff | gatepass chat -m corp/my-model --system \"Write a commit message.\"
  gatepass chat -m corp/my-model --schema city.json --json \"The capital of France\"";

const TOKEN_EXAMPLES: &str = "\
Examples:
  gatepass token --provider corp
  curl -H \"Authorization: Bearer $(gatepass token --provider corp)\" https://llm.example/v1/models
  gatepass token --provider corp --json | jq .expires_in";

const CHECK_EXAMPLES: &str = "\
Examples:
  gatepass config check
  gatepass config check --config production.toml
  gatepass config check --json | jq '.problems[] | select(.severity == \"error\")'";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  gatepass completions bash > ~/.local/share/bash-completion/completions/gatepass
  gatepass completions zsh > ~/.zfunc/_gatepass
  gatepass completions fish > ~/.config/fish/completions/gatepass.fish";
