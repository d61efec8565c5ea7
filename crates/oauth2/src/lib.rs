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

mod refresh;

#[cfg(feature = "login")]
mod code;
mod device;
mod identity;
mod login;
mod revocation;

#[cfg(any(test, fuzzing))]
pub mod hostile;

pub use client::{AuthStyle, Client};
#[cfg(feature = "login")]
pub use code::{AuthorizationCodeFlow, AuthorizationHandler, AuthorizationRequest, Browser, RedirectError};
pub use device::{DeviceCode, DeviceFlow};
pub use discovery::Discovery;
pub use endpoint::TokenEndpoint;
pub use grant::Grant;
pub use identity::Identity;
pub use login::{Login, LoginError};
pub use metadata::Metadata;
pub use refresh::RefreshTokenSource;
pub use revocation::Revocation;
pub use wire::TokenResponse;
