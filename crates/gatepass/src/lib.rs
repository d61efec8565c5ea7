#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod connect;
mod llm;
mod model;
mod tools;

#[cfg(any(feature = "client-credentials", feature = "openai"))]
mod shared;

#[cfg(feature = "agent")]
mod agent;
#[cfg(feature = "schema")]
mod schema;

#[cfg(test)]
mod scripted;

#[cfg(feature = "openai")]
mod api_key;
#[cfg(feature = "client-credentials")]
mod configured;

pub use config::{AuthType, LlmConfig};
pub use llm::{Llm, call_llm};
pub use tools::{ToolRun, ToolRunError, Toolbox};

#[cfg(feature = "agent")]
pub use agent::{Agent, AgentError};
#[cfg(feature = "schema")]
pub use schema::{StructuredError, schema_of};

#[cfg(feature = "client-credentials")]
pub use configured::token_source;

/// The contracts, and the words they share.
pub use gatepass_core::*;

/// OAuth2 client credentials from a configuration file.
#[cfg(feature = "client-credentials")]
pub use gatepass_client_credentials as client_credentials;

/// OpenAI and every server that speaks its language.
#[cfg(feature = "openai")]
pub use gatepass_openai as openai;
