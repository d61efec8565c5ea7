#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod calls;
mod error;
mod keyring;
mod lock;
mod names;
mod native;
mod platform;
mod probe;
mod record;
mod ring;
mod store;
mod vault;

#[cfg(test)]
mod tests;

pub use keyring::Keyring;
pub use store::KeyringStore;
pub use vault::KeyringVault;
