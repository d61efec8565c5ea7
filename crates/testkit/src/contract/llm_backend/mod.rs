//! B7

mod connections;
mod failures;
mod replies;
pub(super) mod sure;

use crate::model::ModelServer;
use gatepass_core::LlmBackend;
use std::sync::Arc;

/// What every [`LlmBackend`] promises. `make` makes one that asks `server`, with a credential that opens its
/// door. The suite writes the server's script.
///
/// The backend has to speak one of the wires that [`ModelServer`] knows. For another one, [push](ModelServer::push) its
/// answers, and see by [`outcome`](crate::outcome) what becomes of them.
///
/// # Panics
/// With a sentence that says what doesn't hold.
pub async fn llm_backend<B>(make: impl Fn() -> B + Send + Sync, server: &ModelServer)
where
    B: LlmBackend + 'static,
{
    server.normal();
    let backend = Arc::new(make());
    replies::suite(&backend).await;
    failures::suite(&*backend, server).await;
    connections::suite(&backend, server).await;
    server.normal();
}
