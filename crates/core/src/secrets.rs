//! What must not compile: a secret that is shown or written by accident. Each example is wrong in one line only, which
//! the last one proves.
//!
//! ```compile_fail
//! fn shown(_: impl std::fmt::Display) {}
//! fn token(token: gatepass_core::AccessToken) { shown(token) }
//! ```
//! ```compile_fail
//! fn written(_: impl serde::Serialize) {}
//! fn token(token: gatepass_core::AccessToken) { written(token) }
//! ```
//! ```compile_fail
//! fn shown(_: impl std::fmt::Display) {}
//! fn refresh(token: gatepass_core::RefreshToken) { shown(token) }
//! ```
//! ```compile_fail
//! fn written(_: impl serde::Serialize) {}
//! fn refresh(token: gatepass_core::RefreshToken) { written(token) }
//! ```
//! ```compile_fail
//! fn shown(_: impl std::fmt::Display) {}
//! fn credential(credential: gatepass_core::Credential) { shown(credential) }
//! ```
//! ```compile_fail
//! fn written(_: impl serde::Serialize) {}
//! fn credential(credential: gatepass_core::Credential) { written(credential) }
//! ```
//! ```compile_fail
//! fn shown(_: impl std::fmt::Display) {}
//! fn look(look: gatepass_core::TokenRef<'_>) { shown(look) }
//! ```
//! ```compile_fail
//! fn written(_: impl serde::Serialize) {}
//! fn secret(secret: gatepass_core::SecretString) { written(secret) }
//! ```
//! ```
//! fn shown(_: impl std::fmt::Display) {}
//! fn written(_: impl serde::Serialize) {}
//! fn others(
//!     token: gatepass_core::AccessToken,
//!     refresh: gatepass_core::RefreshToken,
//!     credential: gatepass_core::Credential,
//!     look: gatepass_core::TokenRef<'_>,
//!     secret: gatepass_core::SecretString,
//! ) {
//!     shown(token.scheme());
//!     written("text");
//!     drop((refresh, credential, look, secret));
//! }
//! ```
