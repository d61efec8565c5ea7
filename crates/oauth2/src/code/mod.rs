//! The authorization code flow with PKCE over a loopback address: RFC 6749 §4.1, RFC 7636, RFC 8252, RFC 9207.

mod browser;
mod flow;
mod handler;
mod listener;
mod pkce;
mod random;
mod redirect;

pub use browser::Browser;
pub use flow::AuthorizationCodeFlow;
pub use handler::{AuthorizationHandler, AuthorizationRequest};
#[cfg(any(test, fuzzing))]
pub(crate) use redirect::Redirect;
pub use redirect::RedirectError;
