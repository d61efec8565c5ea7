//! The command line, as clap reads it. The comments are its help.

use crate::exit::Exit;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use gatepass::{ConfigError, Profile, StoreKind};
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
pub(crate) enum AuthCommand {
    /// Log in, by a browser or on another device
    Login(LoginArgs),
    /// Tell whether somebody is logged in, without asking a server
    Status(StatusArgs),
    /// Log out: end the login at the provider, and delete it here
    Logout(LogoutArgs),
    /// List all logins
    List(ListArgs),
    /// Take over the login of another program
    Import(ImportArgs),
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
    pub(crate) config: ConfigArg,
    #[command(flatten)]
    pub(crate) account: AccountArg,
    #[command(flatten)]
    pub(crate) profile: ProfileArgs,
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
#[command(after_help = MODELS_EXAMPLES)]
pub(crate) struct ModelsArgs {
    /// A configured provider; or openai, gemini or anthropic
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: String,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    #[command(flatten)]
    pub(crate) account: AccountArg,
    #[command(flatten)]
    pub(crate) profile: ProfileArgs,
    /// The address of the API, if the provider's entry has none
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
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
#[command(after_help = LOGIN_EXAMPLES)]
pub(crate) struct LoginArgs {
    #[command(flatten)]
    pub(crate) provider: ProviderArg,
    /// The name to keep it under, and to propose: jane@example.com
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// Other scopes, separated by spaces; Google's have short names
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Option<String>,
    /// Print the address to open, and take the one that it leads to
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Log in on another device, by a code
    #[arg(long, conflicts_with = "no_browser")]
    pub(crate) device: bool,
    /// How long to wait for the person, instead of 5 minutes
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: Option<u32>,
    #[command(flatten)]
    pub(crate) profile: ProfileArgs,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Print who logged in as JSON; the address goes to stderr
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = STATUS_EXAMPLES)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) provider: ProviderArg,
    #[command(flatten)]
    pub(crate) account: AccountArg,
    #[command(flatten)]
    pub(crate) store: StoreArg,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Print all that is known as JSON: expiry, scope, where login and key are
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = LOGOUT_EXAMPLES)]
pub(crate) struct LogoutArgs {
    #[command(flatten)]
    pub(crate) provider: ProviderArg,
    #[command(flatten)]
    pub(crate) account: AccountArg,
    #[command(flatten)]
    pub(crate) profile: ProfileArgs,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Print what was ended as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) store: StoreArg,
    /// Print them as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub(crate) struct ImportArgs {
    /// Which program
    pub(crate) program: Program,
    /// Its directory, instead of the places where it is by default
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
    /// The name to keep the login under
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) store: StoreArg,
    /// Print what was imported as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A program whose logins can be taken over.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Program {
    /// Kagura AI's Google login
    Kagura,
}

#[derive(Debug, Args)]
pub(crate) struct ProviderArg {
    /// google, or a configured provider
    #[arg(id = "provider", long, value_name = "NAME", default_value = "google")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct AccountArg {
    /// Whose login, if there are several
    #[arg(id = "account", long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct StoreArg {
    /// Where logins are kept
    #[arg(long = "store", value_name = "STORE", value_parser = store_kind())]
    pub(crate) kind: Option<StoreKind>,
}

#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    /// Google's client_secrets.json, if it is elsewhere
    #[arg(long, value_name = "PATH")]
    pub(crate) client_secrets: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArg,
}

impl StoreArg {
    /// The user's profile, with this store.
    pub(crate) fn profile(&self) -> Result<Profile, ConfigError> {
        let profile = Profile::from_environment()?;
        Ok(match self.kind {
            Some(kind) => profile.with_store(kind),
            None => profile,
        })
    }
}

impl ProfileArgs {
    /// The user's profile, with what was said otherwise.
    pub(crate) fn profile(&self) -> Result<Profile, ConfigError> {
        let profile = self.store.profile()?;
        Ok(match &self.client_secrets {
            Some(path) => profile.with_client_secrets(path),
            None => profile,
        })
    }

    /// As [`profile`](Self::profile); `None` if nothing was said, for who may need none.
    pub(crate) fn profile_if_named(&self) -> Result<Option<Profile>, ConfigError> {
        match (&self.client_secrets, self.store.kind) {
            (None, None) => Ok(None),
            _ => self.profile().map(Some),
        }
    }
}

fn store_kind() -> impl TypedValueParser<Value = StoreKind> {
    PossibleValuesParser::new([StoreKind::File, StoreKind::Keyring].map(StoreKind::as_str))
        .try_map(|name| StoreKind::parse(&name))
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

#[derive(Debug, Args)]
pub(crate) struct ConfigArg {
    /// The configuration, if not ./litellm_config.json and ./gatepass.toml
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
            Self::Models(args) => args.json,
            Self::Token(args) => args.json,
            Self::Auth(AuthCommand::Login(args)) => args.json,
            Self::Auth(AuthCommand::Status(args)) => args.json,
            Self::Auth(AuthCommand::Logout(args)) => args.json,
            Self::Auth(AuthCommand::List(args)) => args.json,
            Self::Auth(AuthCommand::Import(args)) => args.json,
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

const LOGIN_EXAMPLES: &str = "\
Examples:
  gatepass auth login --provider google --client-secrets ~/Downloads/client_secret.json
  gatepass auth login --provider google --account jane@example.com
  gatepass auth login --provider google --no-browser    # over ssh
  gatepass auth login --provider corp --device          # where it is offered
  gatepass auth login --provider google --scope \"cloud-platform openid\"

Google is asked for cloud-platform, generative-language.retriever and openid. The preset
--scope generative-language asks for the pair that the Gemini API's documentation names, which
Google's consent page answers with \"Error 400: invalid_scope\" for most clients.

The file that --client-secrets names is copied to the configuration directory, unless one is there.";

const STATUS_EXAMPLES: &str = "\
Examples:
  gatepass auth status --provider google
  gatepass auth status --provider google --account jane@example.com
  gatepass auth status --json | jq .expires_at";

const LOGOUT_EXAMPLES: &str = "\
Examples:
  gatepass auth logout --provider google
  gatepass auth logout --provider google --account jane@example.com";

const LIST_EXAMPLES: &str = "\
Examples:
  gatepass auth list
  gatepass auth list --json | jq -r '.logins[].account'";

const IMPORT_EXAMPLES: &str = "\
Examples:
  gatepass auth import kagura
  gatepass auth import kagura ~/.kagura --account jane@example.com";

const CHECK_EXAMPLES: &str = "\
Examples:
  gatepass config check
  gatepass config check --config production.toml
  gatepass config check --json | jq '.problems[] | select(.severity == \"error\")'";

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
  gatepass completions fish > ~/.config/fish/completions/gatepass.fish";
