//! What happens when the server refuses the credential, and where it never shows.

use crate::{backend, question};
use gatepass_anthropic::AnthropicBackend;
use gatepass_core::{BackendError, CachedTokenSource, ChatReply, ErrorKind, LlmBackend};
use gatepass_testkit::{ModelServer, ScriptedTokenSource};

async fn streamed(backend: &AnthropicBackend) -> Result<ChatReply, BackendError> {
    backend.chat_stream(question()).await?.collect().await
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_call_replayed_once() {
    let server = ModelServer::start().await;
    let inner = ScriptedTokenSource::new();
    let source = CachedTokenSource::new(inner.clone());
    let backend = AnthropicBackend::new(&server.base_url(), source).unwrap();
    server.require_bearer("at-2");
    assert_eq!(backend.chat(question()).await.unwrap().text(), ModelServer::TEXT);
    server.require_bearer("at-3");
    assert_eq!(streamed(&backend).await.unwrap().text(), ModelServer::TEXT);
    server.require_bearer("at-4");
    assert_eq!(backend.count_tokens(&question()).await.unwrap(), 2);
    server.require_bearer("at-5");
    assert_eq!(backend.models().await.unwrap().len(), 2);
    let bearers: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.bearer().unwrap().to_owned())
        .collect();
    assert_eq!(
        bearers,
        ["at-1", "at-2", "at-2", "at-3", "at-3", "at-4", "at-4", "at-5"]
    );
    assert_eq!(inner.calls(), 5);
}

#[tokio::test]
async fn a_key_that_never_changes_is_sent_once() {
    let server = ModelServer::start().await;
    server.require_bearer("another");
    let error = backend(&server).chat(question()).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Auth, 1));
}
