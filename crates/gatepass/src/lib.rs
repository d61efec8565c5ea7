#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod connect;
mod llm;
mod model;
mod profile;
mod tools;

#[cfg(any(
    feature = "anthropic",
    feature = "client-credentials",
    feature = "gemini",
    feature = "openai"
))]
mod shared;

#[cfg(feature = "agent")]
mod agent;
#[cfg(feature = "schema")]
mod schema;

#[cfg(test)]
mod scripted;

#[cfg(any(feature = "anthropic", feature = "gemini", feature = "openai"))]
mod api_key;
#[cfg(any(feature = "anthropic", feature = "gemini", feature = "openai"))]
mod backend;
#[cfg(feature = "client-credentials")]
mod configured;
#[cfg(all(
    feature = "client-credentials",
    any(feature = "anthropic", feature = "gemini", feature = "openai")
))]
mod configured_backend;
#[cfg(feature = "file-store")]
mod file_key;
#[cfg(all(feature = "gemini", feature = "google"))]
mod gemini_login;
#[cfg(feature = "google")]
mod google;
#[cfg(feature = "login")]
mod logged_in;
#[cfg(feature = "login")]
mod login;
#[cfg(feature = "file-store")]
mod store;

pub use config::{AuthType, LlmConfig};
pub use llm::{Llm, call_llm};
pub use profile::{FileKey, Profile, StoreKind};
pub use tools::{ToolRun, ToolRunError, Toolbox};

#[cfg(feature = "agent")]
pub use agent::{Agent, AgentError};
#[cfg(feature = "schema")]
pub use schema::{StructuredError, schema_of};

#[cfg(feature = "client-credentials")]
pub use configured::{TokenSourceOptions, token_source, token_source_with};
#[cfg(feature = "login")]
pub use logged_in::{logged_in_source, persist_logins};
#[cfg(feature = "login")]
pub use login::{LoginOptions, LoginProvider, SavedLogin};
#[cfg(feature = "file-store")]
pub use store::StorePlace;

/// The contracts, and the words they share.
pub use gatepass_core::*;

/// OAuth2 client credentials from a configuration file.
#[cfg(feature = "client-credentials")]
pub use gatepass_client_credentials as client_credentials;

/// Logins in an encrypted file.
#[cfg(feature = "file-store")]
pub use gatepass_file_store as file_store;

/// Logins in the keyring of the operating system.
#[cfg(feature = "keyring")]
pub use gatepass_keyring_store as keyring_store;

/// Logins at Google.
#[cfg(feature = "google")]
pub use gatepass_google as google_login;

/// Logins at any OAuth2 server.
#[cfg(feature = "login")]
pub use gatepass_oauth2 as oauth2;

/// The HTTP client that sources and backends are built on, for options of your own.
#[cfg(any(
    feature = "anthropic",
    feature = "client-credentials",
    feature = "gemini",
    feature = "openai"
))]
pub use gatepass_http as http_client;

/// Claude.
#[cfg(feature = "anthropic")]
pub use gatepass_anthropic as anthropic;

/// The Gemini API and Vertex AI.
#[cfg(feature = "gemini")]
pub use gatepass_gemini as gemini;

/// OpenAI and every server that speaks its language.
#[cfg(feature = "openai")]
pub use gatepass_openai as openai;
