use crate::{KEY, model_of};
use gatepass_core::{AccessToken, BackendError, StaticTokenSource, TokenError};
use gatepass_openai::OpenAiBackend;
use gatepass_testkit::{Answer, ModelServer, ScriptedTokenSource};
use rig_agent::AgentBuilder;
use rig_core::ProviderError;
use rig_core::error::ErrorKind;
use serde_json::json;
use std::error::Error;

#[tokio::test]
async fn a_providers_error_keeps_status_message_code_and_request_id() {
    let server = ModelServer::start().await;
    let refusal = json!({"error": {"message": "no such model", "code": "model_not_found"}});
    server.always(Answer::json(404, &refusal).with_header("x-request-id", "req-7"));
    let error = model_of(&server).call("hi").await.expect_err("refused");

    let answer = error.provider_response().expect("an answer");
    assert_eq!(answer.status.map(|status| status.as_u16()), Some(404));
    assert_eq!(answer.machine_code().as_deref(), Some("model_not_found"));
    assert_eq!(error.provider_request_id(), Some("req-7"));
    assert!(error.to_string().contains("no such model"), "{error}");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn a_refused_key_is_invalid_authentication_and_never_told() {
    let server = ModelServer::start().await;
    server.require_bearer("another");
    let error = model_of(&server).call("hi").await.expect_err("refused");
    assert!(
        matches!(error, ProviderError::InvalidAuthentication(_)),
        "{error:?}"
    );
    assert!(!format!("{error} {error:?}").contains(KEY));
}

#[tokio::test]
async fn a_server_that_is_not_there_may_be_asked_again() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("bound"));
    drop(listener);
    let key = StaticTokenSource::new(AccessToken::bearer(KEY).expect("fits a header"));
    let backend = OpenAiBackend::new(&url, key).expect("a loopback address");
    let error = gatepass_rig::completion_model(backend, "m")
        .call("hi")
        .await
        .expect_err("nobody there");
    assert_eq!(
        (error.kind(), error.is_retryable()),
        (ErrorKind::Http, true),
        "{error}"
    );
    assert!(
        error.to_string().contains("cannot connect") && !error.to_string().contains(KEY),
        "{error}"
    );
}

#[tokio::test]
async fn a_missing_login_is_the_source_of_the_error_of_a_call_and_of_a_stream() {
    let server = ModelServer::start().await;
    let source = ScriptedTokenSource::new();
    for _ in 0..2 {
        source.push(Err(TokenError::LoginRequired {
            provider: "corp".into(),
            account: None,
            source: None,
        }));
    }
    let backend = OpenAiBackend::new(&server.base_url(), source).expect("a loopback address");
    let model = gatepass_rig::completion_model(backend, "m");

    let called = model.call("hi").await.expect_err("nobody is logged in");
    let streamed = model
        .stream("hi")
        .expect("it opens")
        .finish()
        .await
        .expect_err("nobody is logged in");
    for error in [called, streamed] {
        let source = error
            .source()
            .and_then(|source| source.downcast_ref::<BackendError>());
        let fix = source.expect("ours").fix();
        assert_eq!(fix, "run: gatepass auth login --provider corp");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_stream_that_breaks_off_keeps_what_had_come() {
    let server = ModelServer::start().await;
    let piece = r#"data: {"choices":[{"index":0,"delta":{"content":"half"}}]}"#;
    server.always(Answer::truncated(format!("{piece}\n\n")).with_header("content-type", "text/event-stream"));
    let mut stream = model_of(&server).stream("hi").expect("it opens");
    let mut failed = None;
    while let Some(item) = futures_util::StreamExt::next(&mut stream).await {
        failed = item.err().or(failed);
    }
    assert!(failed.is_some_and(|error| error.is_retryable()));
    assert_eq!(stream.partial().text(), "half");
}

#[tokio::test]
async fn an_agent_reports_the_providers_error() {
    let server = ModelServer::start().await;
    server.always(Answer::json(
        400,
        &json!({"error": {"message": "too long", "code": "context_length_exceeded"}}),
    ));
    let agent = AgentBuilder::new(model_of(&server)).build();
    let error = agent.prompt("hi").await.expect_err("refused");
    assert!(error.to_string().contains("too long"), "{error}");
}
