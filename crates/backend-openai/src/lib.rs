#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod backend;
#[cfg(test)]
mod broken;
mod check;
mod dialect;
mod embeddings;
mod media;
mod models;
mod responses;
mod server;
mod wire;

pub use backend::OpenAiBackend;
pub use responses::OpenAiResponsesBackend;
