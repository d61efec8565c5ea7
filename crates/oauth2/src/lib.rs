#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod conceal;
mod discovery;
mod endpoint;
mod grant;
mod wire;

pub use client::{AuthStyle, Client};
pub use discovery::Metadata;
pub use endpoint::TokenEndpoint;
pub use grant::Grant;
pub use wire::TokenResponse;
