//! From a `client_secrets.json` to a login, against a server of our own.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

mod client_secrets;
mod login;
