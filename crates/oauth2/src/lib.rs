#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod conceal;
mod discovery;
mod endpoint;
mod grant;
mod metadata;
mod patience;
mod verdict;
mod wire;

pub use client::{AuthStyle, Client};
pub use discovery::Discovery;
pub use endpoint::TokenEndpoint;
pub use grant::Grant;
pub use metadata::Metadata;
pub use wire::TokenResponse;
