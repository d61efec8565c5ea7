#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod document;
mod entry;
mod environment;
mod file;
mod provider;
mod providers;
mod source;

pub use environment::Environment;
pub use file::ProvidersFile;
pub use provider::{GrantType, Provider, TokenLocation};
pub use providers::{DEFAULT_FILES, Providers};
pub use source::ClientCredentialsSource;
