//! The command line, as clap reads it. The comments are its help.

mod auth;
mod shared;

pub(crate) use auth::{AuthCommand, ImportArgs, ListArgs, LoginArgs, LogoutArgs, Program, StatusArgs};

use crate::exit::Exit;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use shared::{AccountArg, ConfigArg, ConnectionArgs, ProfileArgs};
use std::path::PathBuf;

/// A valid token for every LLM call
#[derive(Debug, Parser)]
#[command(name = "gatepass", version, arg_required_else_help = true)]
#[command(after_help = format!("{EXAMPLES}\n\n{ENVIRONMENT}\n\n{}", Exit::help()))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask a model; the answer appears as it is written
    Chat(ChatArgs),
    /// List the models of a provider
    Models(ModelsArgs),
    /// Print a provider's access token
    Token(TokenArgs),
    /// Log in and out, and see who is
    #[command(subcommand, arg_required_else_help = true, after_help = AUTH_EXAMPLES)]
    Auth(AuthCommand),
    /// Look at all that a call needs: configuration, store, key, servers, clock
    Doctor(DoctorArgs),
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
    /// PROVIDER/NAME as configured, or a vendor's: gpt-4o-mini, gemini/NAME
    #[arg(short, long)]
    pub(crate) model: String,
    /// Use a token of this OAuth2 provider: google, or a configured one
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) oauth2: Option<String>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
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
#[command(after_help = MODELS_EXAMPLES)]
pub(crate) struct ModelsArgs {
    /// A configured provider; or openai, gemini or anthropic
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: String,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    /// Print them as JSON, with all that the provider says of each
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = TOKEN_EXAMPLES)]
pub(crate) struct TokenArgs {
    /// The provider, as the configuration names it, or google
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: String,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    #[command(flatten)]
    pub(crate) account: AccountArg,
    #[command(flatten)]
    pub(crate) profile: ProfileArgs,
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
#[command(after_help = DOCTOR_EXAMPLES)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    #[command(flatten)]
    pub(crate) profile: ProfileArgs,
    /// Ask no server
    #[arg(long)]
    pub(crate) offline: bool,
    /// Print what was found as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    pub(crate) shell: Shell,
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
            Self::Models(args) => args.json,
            Self::Token(args) => args.json,
            Self::Auth(command) => command.json(),
            Self::Config(ConfigCommand::Check(args)) => args.json,
            Self::Doctor(args) => args.json,
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
  gatepass auth login --provider google
  gatepass chat -m corp/my-model \"What is the capital of France?\"
  gatepass token --provider corp
  gatepass config check";

const ENVIRONMENT: &str = "\
Environment:
  GATEPASS_CONFIG_DIR  where logins and client_secrets.json are: ~/.config/gatepass, unless set
  GATEPASS_STORE       where logins are kept, unless --store says it: file or keyring
  GATEPASS_KEY         where that file's key is: file, keyring, env:NAME, command:COMMAND,
                       passphrase-env:NAME or passphrase-command:COMMAND
  BROWSER              the program that opens the page of a login
  OPENAI_API_KEY       the key for OpenAI's models
  GOOGLE_API_KEY       the key for Gemini, or GEMINI_API_KEY; without one, the login at Google
  ANTHROPIC_API_KEY    the key for Claude
  RUST_LOG             what to log on stderr: warn, debug, gatepass_http=trace
  NO_COLOR             no colour, if set";

const CHAT_EXAMPLES: &str = "\
Examples:
  gatepass chat -m corp/my-model \"What is the capital of France?\"
  gatepass chat -m gemini/gemini-2.5-flash \"Explain TCP in a haiku\"    # logged in with Google
  gatepass chat -m gpt-4o-mini --system \"Be brief.\" \"What is TCP?\"
  git diff | gatepass chat -m corp/my-model --system \"Write a commit message.\"
  gatepass chat -m corp/my-model --schema city.json --json \"The capital of France\"";

const MODELS_EXAMPLES: &str = "\
Examples:
  gatepass models --provider corp
  gatepass models --provider gemini
  gatepass models --provider corp --json | jq -r '.models[].id'";

const TOKEN_EXAMPLES: &str = "\
Examples:
  gatepass token --provider corp
  curl -H \"Authorization: Bearer $(gatepass token --provider corp)\" https://llm.example/v1/models
  gatepass token --provider corp --json | jq .expires_in";

const AUTH_EXAMPLES: &str = "\
Examples:
  gatepass auth login --provider google
  gatepass auth status --provider google
  gatepass auth logout --provider google";

const CHECK_EXAMPLES: &str = "\
Examples:
  gatepass config check
  gatepass config check --config production.toml
  gatepass config check --json | jq '.problems[] | select(.severity == \"error\")'

A provider in ./gatepass.toml (./litellm_config.json says the same in JSON):
  [oauth2_providers.corp]
  client_id = \"os.environ/CORP_CLIENT_ID\"
  client_secret = \"os.environ/CORP_CLIENT_SECRET\"
  token_url = \"https://login.corp.example/oauth/token\"
  scope = \"llm.read\"
  base_url = \"https://llm.corp.example/v1\"

People log in to one that has grant_type = \"authorization_code\" or \"device_code\", and needs no
client_secret, with issuer = \"https://login.corp.example\" in the place of token_url.";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  gatepass doctor
  gatepass doctor --offline
  gatepass doctor --json | jq '.checks[] | select(.state == \"error\")'

No secret is sent: each authorization server is asked for its token endpoint without one.
The exit code is that of the first check that fails.";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  gatepass completions bash > ~/.local/share/bash-completion/completions/gatepass
  gatepass completions zsh > ~/.zfunc/_gatepass
  gatepass completions fish > ~/.config/fish/completions/gatepass.fish

The directory has to be there. zsh looks into its own with this in ~/.zshrc, before compinit:
  fpath+=~/.zfunc";
