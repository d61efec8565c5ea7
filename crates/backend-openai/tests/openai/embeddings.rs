//! Vectors.

use crate::backend;
use gatepass_core::{EmbeddingRequest, ErrorKind, LlmBackend};
use gatepass_http::RetryPolicy;
use gatepass_testkit::outcome::shown;
use gatepass_testkit::{Answer, ModelServer};
use serde_json::json;

fn request(texts: &[&str]) -> EmbeddingRequest {
    EmbeddingRequest::new(texts.iter().copied()).with_model("m")
}

#[tokio::test]
async fn vectors_stand_in_the_order_of_the_texts() {
    let server = ModelServer::start().await;
    // 1.0 and -2.0, four bytes each, the lowest first.
    server.push(Answer::json(
        200,
        &json!({ "object": "list", "model": "m-2", "id": "emb-1", "data": [
            { "index": 1, "embedding": "AACAPwAAAMA=" }, { "index": 0, "embedding": [0.5, 2] },
        ], "usage": { "prompt_tokens": 3, "total_tokens": 3, "cost": 0.5, "prompt_audio_seconds": null } }),
    ));
    let embeddings = backend(&server)
        .embed(request(&["a", "b"]).with_dimensions(2))
        .await
        .unwrap();
    assert_eq!(embeddings.vectors, [[0.5, 2.0], [1.0, -2.0]]);
    assert_eq!(embeddings.model.as_deref(), Some("m-2"));
    let usage = embeddings.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.total_tokens), (Some(3), Some(3)));
    assert_eq!(usage.extra["cost"], 0.5);
    assert_eq!(embeddings.extra["id"], "emb-1");
    assert_eq!(embeddings.metadata.request_id.as_deref(), Some("req-1"));
    let sent = &server.requests()[0].json;
    assert_eq!(
        *sent,
        json!({ "model": "m", "input": ["a", "b"], "dimensions": 2 })
    );
}

#[tokio::test]
async fn what_are_no_vectors_is_an_error_that_quotes_nothing() {
    let server = ModelServer::start().await;
    let backend = backend(&server).with_retry(RetryPolicy::never());
    for body in [
        json!({ "canary": [] }),
        json!({ "data": [] }),
        json!({ "data": [{ "embedding": [1.0] }, { "embedding": [1.0] }] }),
        json!({ "data": [{ "embedding": "canary!" }] }),
        json!({ "data": [{ "embedding": "AAA=" }] }),
        json!({ "data": [{ "embedding": ["canary"] }] }),
        json!({ "data": "canary" }),
        json!(["canary"]),
    ] {
        server.push(Answer::json(200, &body));
        let error = backend.embed(request(&["a"])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error:?}");
        assert!(!shown(&error).contains("canary"), "{error:?}");
    }
    for told in [
        json!({ "error": { "message": "no", "code": "insufficient_quota" } }),
        json!({ "object": "error", "message": "no", "code": "insufficient_quota" }),
    ] {
        server.push(Answer::json(200, &told));
        let error = backend.embed(request(&["a"])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Quota);
    }
}

#[tokio::test]
async fn numbers_may_be_texts_or_floats() {
    let server = ModelServer::start().await;
    let data = json!([{ "index": "1", "embedding": [1] }, { "index": 0.0, "embedding": [2] }]);
    server.push(Answer::json(
        200,
        &json!({ "data": data, "usage": { "prompt_tokens": 3.0 } }),
    ));
    let embeddings = backend(&server).embed(request(&["a", "b"])).await.unwrap();
    assert_eq!(embeddings.vectors, [[2.0], [1.0]]);
    assert_eq!(embeddings.usage.unwrap().input_tokens, Some(3));
}

#[tokio::test]
async fn nothing_to_turn_into_vectors_is_refused_before_anyone_is_asked() {
    let server = ModelServer::start().await;
    let backend = backend(&server);
    for bad in [
        request(&[]),
        EmbeddingRequest::new(["a"]),
        request(&["a"]).with_model(""),
    ] {
        assert_eq!(
            backend.embed(bad).await.unwrap_err().kind(),
            ErrorKind::InvalidRequest
        );
    }
    assert!(server.requests().is_empty());
}
