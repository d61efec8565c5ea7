#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod backend;
mod dialect;
mod wire;

pub use backend::OpenAiBackend;
