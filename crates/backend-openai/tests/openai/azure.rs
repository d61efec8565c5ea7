//! OpenAI's models at Microsoft.

use crate::question;
use gatepass_core::{AccessToken, BackendError, EmbeddingRequest, ErrorKind, LlmBackend, StaticTokenSource};
use gatepass_http::RetryPolicy;
use gatepass_openai::OpenAiBackend;
use gatepass_testkit::{Answer, ModelServer};
use serde_json::json;

const KEY: &str = "canary-azure-key";

fn backend(server: &ModelServer, token: AccessToken) -> OpenAiBackend {
    let resource = server.base_url();
    let resource = resource.trim_end_matches("/v1");
    let backend = OpenAiBackend::azure(resource, "2024-10-21", StaticTokenSource::new(token)).unwrap();
    backend.with_retry(RetryPolicy::never())
}

fn answer() -> Answer {
    Answer::json(200, &json!({ "choices": [{ "message": { "content": "Hi" } }] }))
}

#[tokio::test]
async fn the_path_names_deployment_and_version() {
    let server = ModelServer::start().await;
    let backend = backend(&server, AccessToken::api_key(KEY).unwrap());
    server.push(answer());
    backend.chat(question()).await.unwrap();
    server.push(Answer::json(
        200,
        &json!({ "data": [{ "index": 0, "embedding": "AACAPw==" }] }),
    ));
    let request = EmbeddingRequest::new(["a"]).with_model("vectors");
    assert_eq!(backend.embed(request).await.unwrap().vectors, [[1.0]]);
    server.push(Answer::json(200, &json!({ "data": [{ "id": "gpt-4o" }] })));
    assert_eq!(backend.models().await.unwrap()[0].id, "gpt-4o");
    let requests = server.requests();
    let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/openai/deployments/test-model/chat/completions",
            "/openai/deployments/vectors/embeddings",
            "/openai/models",
        ]
    );
    for request in &requests {
        assert_eq!(request.query_value("api-version"), Some("2024-10-21"));
        // The key goes into its own header, and nowhere else.
        assert_eq!(request.header("api-key"), Some(KEY));
        assert_eq!(request.header("authorization"), None);
    }
}

#[tokio::test]
async fn a_token_of_entras_is_a_bearer_token() {
    let server = ModelServer::start().await;
    server.push(answer());
    let backend = backend(&server, AccessToken::bearer(KEY).unwrap());
    backend.chat(question()).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.bearer(), Some(KEY));
    assert_eq!(request.header("api-key"), None);
}

#[tokio::test]
async fn no_name_of_a_model_leads_to_another_address() {
    let server = ModelServer::start().await;
    let backend = backend(&server, AccessToken::api_key(KEY).unwrap());
    for (model, path) in [
        (
            "a/../../b",
            "/openai/deployments/a%2F..%2F..%2Fb/chat/completions",
        ),
        ("a?b#c", "/openai/deployments/a%3Fb%23c/chat/completions"),
        ("%2e%2e", "/openai/deployments/%252e%252e/chat/completions"),
    ] {
        server.push(answer());
        backend.chat(question().with_model(model)).await.unwrap();
        let request = server.requests().pop().unwrap();
        assert_eq!(request.path, path);
        assert_eq!(request.query_value("api-version"), Some("2024-10-21"));
    }
    let asked = server.requests().len();
    for model in ["..", ".", "", "a\r\nb"] {
        let error = backend.chat(question().with_model(model)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{model:?}");
    }
    assert_eq!(server.requests().len(), asked);
}

#[tokio::test]
async fn content_that_its_filter_refuses_is_told_as_that() {
    let server = ModelServer::start().await;
    server.push(Answer::json(
        400,
        &json!({ "error": {
            "message": "The response was filtered due to the prompt triggering the content management policy.",
            "type": null, "param": "prompt", "code": "content_filter", "status": 400,
            "innererror": { "code": "ResponsibleAIPolicyViolation", "content_filter_result": { "hate": { "filtered": true } } },
        } }),
    ));
    let backend = backend(&server, AccessToken::api_key(KEY).unwrap());
    match backend.chat(question()).await {
        Err(BackendError::Provider(error)) => {
            assert_eq!(error.kind, ErrorKind::ContentFilter);
            assert_eq!(error.code.as_deref(), Some("content_filter"));
            assert!(
                error.message.starts_with("The response was filtered"),
                "{}",
                error.message
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_resource_or_no_version_is_refused() {
    let azure = |resource, version| {
        let source = StaticTokenSource::new(AccessToken::api_key(KEY).unwrap());
        OpenAiBackend::azure(resource, version, source).map(drop)
    };
    let good = "https://corp.openai.azure.com";
    assert!(azure(good, "2025-04-01-preview").is_ok());
    for (resource, version) in [
        (good, ""),
        (good, "2024-10-21&x=1"),
        (good, "2024/10"),
        ("https://corp.openai.azure.com?key=canary", "2024-10-21"),
        ("http://corp.openai.azure.com", "2024-10-21"),
    ] {
        let error = azure(resource, version).unwrap_err().to_string();
        assert!(!error.contains("canary"), "{error}");
    }
}
