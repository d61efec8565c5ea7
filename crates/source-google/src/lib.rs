#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client_secrets;
mod error;
#[cfg(any(test, fuzzing))]
pub mod hostile;
mod installed_app;
mod scopes;
mod server;

pub use client_secrets::ClientSecrets;
pub use error::ClientSecretsError;
pub use installed_app::{InstalledAppFlow, no_device_login};
pub use scopes::{default_scopes, expand_scopes};
