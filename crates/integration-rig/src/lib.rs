#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod model;

mod request;
mod transport;

mod document;
mod reply;

mod error;
mod kept;

pub use model::completion_model;

// Part of our signatures.
pub use gatepass_core;
pub use rig_core;
