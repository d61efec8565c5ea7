//! `gatepass auth`.

use super::shared::{AccountArg, ConfigArg, ProfileArgs, ProviderArg, StoreArg};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

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

impl AuthCommand {
    pub(super) const fn json(&self) -> bool {
        match self {
            Self::Login(args) => args.json,
            Self::Status(args) => args.json,
            Self::Logout(args) => args.json,
            Self::List(args) => args.json,
            Self::Import(args) => args.json,
        }
    }
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
    /// Print the address to open, and take unseen the one that it leads to
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
