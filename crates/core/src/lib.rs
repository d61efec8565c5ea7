//! The contracts of gatepass, and the words they share.
//!
//! A call travels through three traits. A [`TokenSource`] hands out an access token; a [`CredentialStore`]
//! remembers what a login left behind; an [`LlmBackend`] sends a [`ChatRequest`] with that token and returns a
//! [`ChatReply`]. Everything else is a decorator of one of them: [`CachedTokenSource`] makes any source cheap
//! to ask.
//!
//! A source of your own is one method, and the decorator adds all the rest to it:
//!
//! ```
//! use gatepass_core::{AccessToken, CachedTokenSource, TokenError, TokenSource, async_trait};
//! use std::time::Duration;
//!
//! struct Vault;
//!
//! #[async_trait]
//! impl TokenSource for Vault {
//!     async fn token(&self) -> Result<AccessToken, TokenError> {
//!         let lease = "ask your vault here";
//!         Ok(AccessToken::bearer(lease.replace(' ', "-"))?.with_lifetime(Duration::from_secs(600)))
//!     }
//! }
//!
//! let source = CachedTokenSource::new(Vault);
//! # drop(source);
//! ```
//!
//! This crate knows no provider, no HTTP client, no TLS and no operating system. The modules below stand
//! roughly in the order in which a request meets them.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod names;
mod token;

mod copies;

mod source;

mod cache;

mod credential;
mod store;
mod vault;

mod chat;

mod backend;
mod traced;

mod error;

#[cfg(doctest)]
mod secrets;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use backend::{Answered, LlmBackend};
pub use cache::{CachedTokenSource, RefreshPolicy};
pub use chat::{
    ChatEvent, ChatReply, ChatRequest, ChatStream, EmbeddingRequest, Embeddings, FinishReason, JsonObject,
    Media, MediaSource, Message, ModelInfo, Part, RateLimit, RateLimits, Reasoning, ReasoningEffort,
    ReasoningOptions, ReplyMetadata, ResponseFormat, Role, Text, Tool, ToolCall, ToolChoice, ToolResult,
    Usage,
};
pub use clock::{Clock, Moment, SystemClock};
pub use credential::{Credential, CredentialKey, RefreshToken};
pub use error::{
    Advice, BackendError, Cause, ConfigError, ConfigProblem, ErrorKind, Phase, ProviderError, Refusal,
    Severity, StoreError, TokenError, printable,
};
pub use names::{ProviderName, Scopes};
pub use source::{StaticTokenSource, TokenSource};
pub use store::{CredentialLock, CredentialStore, Exclusion, MemoryStore};
pub use token::{AccessToken, TokenRef, TokenScheme};
pub use traced::TracedBackend;
pub use vault::{KeySlot, KeyVault};

// Part of our signatures.
pub use async_trait::async_trait;
pub use http;
pub use secrecy::{ExposeSecret, SecretString};
