mod errors;
mod replies;
mod retries;
mod secrets;

use crate::model::ModelServer;
use gatepass_core::LlmBackend;

/// What gatepass's own backends promise beyond [`llm_backend`](fn@super::llm_backend): tools and schemas, streams that are told
/// as they come, retries and redirects, and a secret that shows nowhere.
///
/// `make` makes one that asks `server` with the credential `secret`, and pauses a few milliseconds at most before it tries
/// again, if the server doesn't say how long. The suite writes the server's script.
///
/// # Panics
/// With a sentence that says what doesn't hold.
pub async fn complete_backend<B: LlmBackend + std::fmt::Debug>(
    make: impl Fn() -> B,
    server: &ModelServer,
    secret: &str,
) {
    server.normal();
    let backend = make();
    replies::suite(&backend, server).await;
    errors::suite(&backend, server).await;
    retries::suite(&backend, server).await;
    secrets::suite(&backend, server, secret).await;
    server.normal();
}
