//! What goes wrong has a name.

use super::sure::question;
use crate::answer::Answer;
use crate::contract::within;
use crate::model::ModelServer;
use gatepass_core::{BackendError, ChatRequest, EmbeddingRequest, ErrorKind, LlmBackend};
use serde_json::json;

pub(super) async fn suite(backend: &impl LlmBackend, server: &ModelServer) {
    an_empty_conversation_is_an_error(backend).await;
    what_is_not_offered_is_said_to_be(backend, server).await;
    errors_have_a_kind_a_status_and_a_request_id(backend, server).await;
    nonsense_is_a_decode_error(backend, server).await;
}

async fn an_empty_conversation_is_an_error(backend: &impl LlmBackend) {
    let empty = || ChatRequest::new([]).with_model("test-model");
    assert_kind(
        within("chat()", backend.chat(empty())).await,
        ErrorKind::InvalidRequest,
        "chat() without messages",
    );
    assert_kind(
        within("chat_stream()", backend.chat_stream(empty())).await,
        ErrorKind::InvalidRequest,
        "chat_stream() without messages",
    );
}

async fn what_is_not_offered_is_said_to_be(backend: &impl LlmBackend, server: &ModelServer) {
    let texts = EmbeddingRequest::new(["a"]).with_model("test-model");
    works_or_is_unsupported("embed()", backend.embed(texts), server).await;
    works_or_is_unsupported("models()", backend.models(), server).await;
    works_or_is_unsupported("count_tokens()", backend.count_tokens(&question()), server).await;
}

/// The server may not know it; but what a backend doesn't offer, it doesn't ask a server for.
async fn works_or_is_unsupported<T>(
    what: &str,
    call: impl Future<Output = Result<T, BackendError>>,
    server: &ModelServer,
) {
    let asked = server.requests().len();
    match within(what, call).await {
        Ok(_) => {}
        Err(BackendError::Unsupported { .. }) => assert_eq!(
            server.requests().len(),
            asked,
            "{what} must not send a request when it is Unsupported"
        ),
        Err(error) => assert_eq!(
            error.kind(),
            ErrorKind::NotFound,
            "{what} must work or be Unsupported; it failed with {error}"
        ),
    }
}

async fn errors_have_a_kind_a_status_and_a_request_id(backend: &impl LlmBackend, server: &ModelServer) {
    for (status, kind) in [
        (400, ErrorKind::InvalidRequest),
        (401, ErrorKind::Auth),
        (403, ErrorKind::Permission),
        (404, ErrorKind::NotFound),
        (429, ErrorKind::RateLimit),
        (500, ErrorKind::Server),
        (503, ErrorKind::Overloaded),
    ] {
        let body = json!({ "error": { "message": "as the suite wishes", "type": "error", "code": null } });
        let answer = Answer::json(status, &body)
            .with_header("x-request-id", "req-contract")
            .with_header("x-should-retry", "false");
        server.always(answer);
        assert_told(within("chat()", backend.chat(question())).await, status, kind);
        assert_told(
            within("chat_stream()", backend.chat_stream(question())).await,
            status,
            kind,
        );
    }
    server.normal();
}

async fn nonsense_is_a_decode_error(backend: &impl LlmBackend, server: &ModelServer) {
    server.push(Answer::text(200, "<html>Welcome to the hotel</html>"));
    assert_kind(
        within("chat()", backend.chat(question())).await,
        ErrorKind::Decode,
        "an answer that is no answer",
    );
}

fn assert_kind<T>(result: Result<T, BackendError>, kind: ErrorKind, what: &str) {
    let got = result.err().map(|error| error.kind());
    assert_eq!(got, Some(kind), "{what} must be an error of this kind");
}

fn assert_told<T>(result: Result<T, BackendError>, status: u16, kind: ErrorKind) {
    match result {
        Err(BackendError::Provider(error)) => {
            assert_eq!(
                error.kind, kind,
                "an answer {status} must be an error of this kind"
            );
            assert_eq!(error.status, status, "an error must tell the server's status");
            assert_eq!(
                error.request_id.as_deref(),
                Some("req-contract"),
                "an error must tell the server's request id"
            );
        }
        Err(other) => panic!("an answer {status} must be a Provider error; it was {other:?}"),
        Ok(_) => panic!("an answer {status} must be an error"),
    }
}
