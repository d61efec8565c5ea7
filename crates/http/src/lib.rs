#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod alarm;
mod authorized;
mod client;
mod conceal;
mod error;
mod private;
mod request;
mod resolver;
mod response;
mod retry;
mod server_url;
mod sse;
mod status;
mod timestamp;
mod tls;

#[cfg(any(test, fuzzing))]
pub mod hostile;

pub use authorized::{AuthorizedClient, Call};
pub use client::{HttpClient, HttpOptions};
pub use conceal::Concealer;
pub use error::HttpError;
pub use request::HttpRequest;
pub use response::HttpResponse;
pub use retry::RetryPolicy;
pub use server_url::{ServerUrl, Transport};
pub use sse::{SseDecoder, SseError, SseEvent};
pub use status::{ErrorAnswer, ErrorReader, error_kind, rate_limits, request_id, retry_after};

// Part of our signatures.
pub use bytes::Bytes;
