//! What happens when the server refuses the token, and where the token never shows.

use crate::{CANARY, backend, question};
use gatepass_core::{
    AccessToken, Advice, BackendError, CachedTokenSource, ChatReply, EmbeddingRequest, ErrorKind, LlmBackend,
    TokenSource,
};
use gatepass_http::RetryPolicy;
use gatepass_openai::{OpenAiBackend, OpenAiResponsesBackend};
use gatepass_testkit::{ModelServer, ScriptedTokenSource};
use std::sync::Arc;
use std::time::Duration;

/// A backend whose tokens are `at-1`, `at-2`, …, and the source of them.
fn renewing(server: &ModelServer) -> (OpenAiBackend, ScriptedTokenSource) {
    let inner = ScriptedTokenSource::new();
    let source = CachedTokenSource::new(inner.clone());
    (OpenAiBackend::new(&server.base_url(), source).unwrap(), inner)
}

async fn streamed(backend: &OpenAiBackend) -> Result<ChatReply, BackendError> {
    backend.chat_stream(question()).await?.collect().await
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_call_replayed_once() {
    let server = ModelServer::start().await;
    server.require_bearer("at-2");
    let (backend, source) = renewing(&server);
    assert_eq!(backend.chat(question()).await.unwrap().text(), ModelServer::TEXT);
    server.require_bearer("at-3");
    assert_eq!(streamed(&backend).await.unwrap().text(), ModelServer::TEXT);
    server.require_bearer("at-4");
    assert_eq!(backend.models().await.unwrap().len(), 2);
    let bearers: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.bearer().unwrap().to_owned())
        .collect();
    assert_eq!(bearers, ["at-1", "at-2", "at-2", "at-3", "at-3", "at-4"]);
    assert_eq!(source.calls(), 4);
    let bodies: Vec<_> = server
        .requests()
        .into_iter()
        .map(|request| request.body)
        .collect();
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[2], bodies[3]);
}

#[tokio::test]
async fn every_other_call_is_replayed_once_with_the_new_token_too() {
    let server = ModelServer::start().await;
    let inner = ScriptedTokenSource::new();
    let source = CachedTokenSource::new(inner.clone());
    let backend = OpenAiResponsesBackend::new(&server.base_url(), source).unwrap();
    let vectors = || EmbeddingRequest::new(["a"]).with_model("m");
    for (number, call) in ["chat", "stream", "vectors", "models", "count"]
        .iter()
        .enumerate()
    {
        server.require_bearer(format!("at-{}", number + 2));
        let asked = server.requests().len();
        let answered = match *call {
            "chat" => backend.chat(question()).await.map(|reply| reply.text()),
            "stream" => match backend.chat_stream(question()).await {
                Ok(events) => events.collect().await.map(|reply| reply.text()),
                Err(error) => Err(error),
            },
            "vectors" => backend.embed(vectors()).await.map(|_| String::new()),
            "models" => backend.models().await.map(|_| String::new()),
            _ => backend.count_tokens(&question()).await.map(|_| String::new()),
        };
        let text = answered.unwrap_or_else(|error| panic!("{call}: {error}"));
        assert!(text.is_empty() || text == ModelServer::TEXT, "{call}: {text}");
        let [refused, replayed] = &server.requests()[asked..] else {
            panic!("{call} is sent twice")
        };
        assert_eq!(
            (&refused.path, &refused.body),
            (&replayed.path, &replayed.body),
            "{call}"
        );
        assert_ne!(refused.bearer(), replayed.bearer(), "{call}");
    }
    assert_eq!(inner.calls(), 6);
    // The same of the chat's vectors.
    let (backend, inner) = renewing(&server);
    server.require_bearer("at-2");
    assert_eq!(backend.embed(vectors()).await.unwrap().vectors.len(), 1);
    assert_eq!(inner.calls(), 2);
}

#[tokio::test]
async fn a_server_that_refuses_every_token_is_asked_twice() {
    let server = ModelServer::start().await;
    server.require_bearer("another");
    let (backend, _) = renewing(&server);
    let error = backend.chat(question()).await.unwrap_err();
    assert_eq!(server.requests().len(), 2);
    assert_eq!((error.kind(), error.advice()), (ErrorKind::Auth, Advice::Fail));
    let told = error.to_string();
    assert!(
        told.ends_with(
            "answered 401 invalid_api_key: the token is missing, expired or unknown (request req-2)"
        ),
        "{told}"
    );
    assert_eq!(streamed(&backend).await.unwrap_err().kind(), ErrorKind::Auth);
}

#[tokio::test]
async fn a_key_that_never_changes_is_sent_once() {
    let server = ModelServer::start().await;
    server.require_bearer("another");
    let error = backend(&server).chat(question()).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Auth, 1));
}

/// R12
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_refusals_at_once_are_one_refresh() {
    allow_many_connections();
    let server = ModelServer::start().await;
    server.require_bearer("at-1");
    let (backend, source) = renewing(&server);
    let backend = Arc::new(backend.with_retry(RetryPolicy::never()));
    backend.chat(question()).await.unwrap();
    server.require_bearer("at-2");
    source.set_delay(Duration::from_millis(50));
    let callers: Vec<_> = (0..1000)
        .map(|_| {
            let backend = Arc::clone(&backend);
            tokio::spawn(async move { backend.chat(question()).await.map(|reply| reply.text()) })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), ModelServer::TEXT);
    }
    assert_eq!(source.calls(), 2);
}

/// Two sockets for each caller; a shell's own limit is often 1024, or 256.
#[cfg(unix)]
fn allow_many_connections() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.current.map(|current| current.max(4096));
    setrlimit(Resource::Nofile, limit).expect("the hard limit allows 4096 open files");
}

#[cfg(not(unix))]
const fn allow_many_connections() {}

#[tokio::test]
async fn the_credential_is_marked_sensitive() {
    let token = crate::key().token().await.unwrap();
    assert!(token.header().is_sensitive());
    assert_eq!(token, AccessToken::bearer(CANARY).unwrap());
}
