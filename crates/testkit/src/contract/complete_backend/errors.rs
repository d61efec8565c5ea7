//! What servers say that aren't the provider.

use super::secrets::failure;
use crate::answer::Answer;
use crate::contract::llm_backend::sure::question;
use crate::contract::within;
use crate::model::ModelServer;
use gatepass_core::{BackendError, ErrorKind, LlmBackend, ProviderError};
use serde_json::json;

pub(super) async fn suite(backend: &impl LlmBackend, server: &ModelServer) {
    a_page_is_not_quoted_and_a_text_is_made_harmless(backend, server).await;
    a_redirect_is_not_followed(backend, server).await;
}

async fn a_page_is_not_quoted_and_a_text_is_made_harmless(backend: &impl LlmBackend, server: &ModelServer) {
    let page = "<!doctype html><title>canary</title>";
    for (answer, message) in [
        (Answer::text(404, page), "an HTML page"),
        (Answer::text(404, format!("\n {page}")), "an HTML page"),
        (
            Answer::text(404, "canary").with_header("content-type", "text/html; charset=utf-8"),
            "an HTML page",
        ),
        (Answer::text(404, "no\u{1b}[2Jroute\r\n"), "no [2Jroute"),
        (Answer::text(404, ""), ""),
        (Answer::json(404, &json!({ "canary": 1 })), ""),
    ] {
        server.push(answer);
        let error = refusal(backend).await;
        assert_eq!(
            (error.kind, error.message.as_str()),
            (ErrorKind::NotFound, message),
            "an error must tell a server's words, and never a page"
        );
    }
}

async fn a_redirect_is_not_followed(backend: &impl LlmBackend, server: &ModelServer) {
    let target = ModelServer::start().await;
    for status in [301, 302, 303, 307, 308] {
        let redirect = || Answer::redirect(status, &target.base_url()).with_body("moved");
        server.push(redirect());
        let error = refusal(backend).await;
        assert_eq!((error.kind, error.status), (ErrorKind::NotFound, status));
        assert!(
            error.message.contains("set base_url to the final address"),
            "a redirect must say what to do; it said {error}"
        );
        server.push(redirect());
        let error = failure(backend.chat_stream(question())).await;
        assert_eq!(
            error.kind(),
            ErrorKind::NotFound,
            "a stream must not be redirected"
        );
    }
    assert!(
        target.requests().is_empty(),
        "a redirect must not be followed: the credential is for one server"
    );
}

async fn refusal(backend: &impl LlmBackend) -> ProviderError {
    match within("chat()", backend.chat(question())).await {
        Err(BackendError::Provider(error)) => *error,
        other => panic!("a refused chat must be a Provider error; it was {other:?}"),
    }
}
