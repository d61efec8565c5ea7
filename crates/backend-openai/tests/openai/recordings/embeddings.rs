//! Vectors.

use super::{recordings, report};
use crate::backend;
use gatepass_core::{BackendError, EmbeddingRequest, ErrorKind, LlmBackend};
use gatepass_http::RetryPolicy;
use gatepass_testkit::{ModelServer, Value};

#[tokio::test]
async fn every_recorded_vector_is_asked_for_and_read_as_it_was() {
    let Some(recordings) = recordings("openai-embeddings") else {
        return;
    };
    let server = ModelServer::start().await;
    let backend = backend(&server).with_retry(RetryPolicy::never());
    let mut failures = Vec::new();
    for recording in &recordings {
        server.push(recording.answer(usize::MAX));
        let asked = backend.embed(request(&recording.request)).await;
        let sent = server.requests().pop().unwrap().json;
        if sent != recording.request {
            failures.push(format!("{}: sent {sent}", recording.id));
        }
        let body: Value = serde_json::from_str(&recording.body).unwrap();
        match asked {
            Ok(embeddings) if recording.status == 200 => {
                let dimensions = recording.request["dimensions"].as_u64().unwrap_or(1536);
                let lengths: Vec<_> = embeddings
                    .vectors
                    .iter()
                    .map(|vector| vector.len() as u64)
                    .collect();
                assert_eq!(lengths, [dimensions]);
                // OpenAI's vectors have the length 1.
                let length: f32 = embeddings.vectors[0].iter().map(|number| number * number).sum();
                assert!((length - 1.0).abs() < 1e-3, "{length}");
                assert_eq!(embeddings.model.as_deref(), body["model"].as_str());
                let usage = embeddings.usage.unwrap();
                assert_eq!(usage.input_tokens, body["usage"]["prompt_tokens"].as_u64());
            }
            Err(BackendError::Provider(error)) if recording.status == 404 => {
                assert_eq!(error.kind, ErrorKind::NotFound);
                assert_eq!(Some(error.message.as_str()), body["error"]["message"].as_str());
            }
            asked => failures.push(format!("{}: {asked:?}", recording.id)),
        }
    }
    report(
        "recorded vectors are asked for and read as they were",
        recordings.len(),
        failures,
        &[],
    );
}

fn request(recorded: &Value) -> EmbeddingRequest {
    let texts = recorded["input"].as_array().unwrap().iter();
    let mut request = EmbeddingRequest::new(texts.map(|text| text.as_str().unwrap()));
    request.model = recorded["model"].as_str().map(str::to_owned);
    request.dimensions = recorded["dimensions"]
        .as_u64()
        .and_then(|count| count.try_into().ok());
    // Not asked for from a server that isn't OpenAI's.
    request.with_extra("encoding_format", recorded["encoding_format"].clone())
}
