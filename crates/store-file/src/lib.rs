//! A [`CredentialStore`](gatepass_core::CredentialStore) in an encrypted file.
//!
//! | in the directory | what it is |
//! |---|---|
//! | `credentials.json.enc` | one Fernet token; in it, a JSON document with all credentials |
//! | `.key` | the key, 44 characters, unless [`KeySource`] keeps it elsewhere |
//! | `credentials.meta.json` | the store's id, which key it wants, how a passphrase becomes that key; no secret |
//! | `locks/` | empty files that are locked and never removed |
//!
//! One file for all credentials, since that is the documented format, which other programs read with `.key` beside it,
//! and since a list of who is logged in where is worth hiding, too. Writers take turns and read again under a lock.
//!
//! The directory is for its owner alone (0700), the files as well (0600, from their first byte on).

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
mod rotation;
mod session;
mod source;
mod store;

pub use kagura::{Imported, import_kagura};
pub use source::{KeyLocation, KeySlot, KeySource, KeyVault};
pub use store::FileStore;
