#![doc = include_str!("../README.md")]
//! # Why one file
//!
//! It is the documented format, which other programs read with `.key` beside it, and a list of who is logged in where is
//! worth hiding, too. Writers take turns and read again under a lock, so that none loses another's change.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod description;
mod directory;
mod document;
mod error;
mod fernet;
mod kagura;
mod keys;
mod lock;
mod names;
mod passphrase;
mod readers;
mod rotation;
mod session;
mod source;
mod store;

#[cfg(any(test, fuzzing))]
pub mod hostile;

pub use kagura::{Imported, import_kagura};
pub use source::{KeyLocation, KeySource};
pub use store::FileStore;

// Part of our signatures.
pub use gatepass_core::{KeySlot, KeyVault};
