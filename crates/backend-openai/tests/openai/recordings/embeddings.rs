//! Vectors.

use super::{check_refusal, recordings};
use crate::backend;
use gatepass_core::{BackendError, EmbeddingRequest, LlmBackend};
use gatepass_http::RetryPolicy;
use gatepass_testkit::recordings::report;
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
        let mut asked_for = recording.request.clone();
        if asked_for["input"].is_string() {
            asked_for["input"] = [asked_for["input"].take()].into_iter().collect();
        }
        if sent != asked_for {
            failures.push(format!("{}: sent {sent}", recording.id));
        }
        let body = recording.chunks().pop().unwrap_or_default();
        match asked {
            Ok(embeddings) if recording.status == 200 => {
                let count = body["data"].as_array().map_or(0, Vec::len);
                assert_eq!(embeddings.vectors.len(), count, "{}", recording.id);
                for vector in &embeddings.vectors {
                    if let Some(dimensions) = recording.request["dimensions"].as_u64() {
                        assert_eq!(vector.len() as u64, dimensions, "{}", recording.id);
                    }
                    // OpenAI's vectors have the length 1.
                    let length: f32 = vector.iter().map(|number| number * number).sum();
                    assert!((length - 1.0).abs() < 1e-3, "{}: {length}", recording.id);
                }
                assert_eq!(embeddings.model.as_deref(), body["model"].as_str());
                let usage = embeddings.usage.unwrap();
                assert_eq!(usage.input_tokens, body["usage"]["prompt_tokens"].as_u64());
            }
            Err(BackendError::Provider(error)) if recording.status != 200 => {
                let told = check_refusal(recording, &error);
                failures.extend(told.err().map(|problem| format!("{}: {problem}", recording.id)));
            }
            asked => failures.push(format!("{}: {asked:?}", recording.id)),
        }
    }
    report(
        "recorded vectors are asked for and read as they were",
        &recordings,
        failures,
        &[],
    );
}

fn request(recorded: &Value) -> EmbeddingRequest {
    let texts: Vec<_> = match &recorded["input"] {
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        text => text.as_str().into_iter().collect(),
    };
    let mut request = EmbeddingRequest::new(texts);
    request.model = recorded["model"].as_str().map(str::to_owned);
    request.dimensions = recorded["dimensions"]
        .as_u64()
        .and_then(|count| count.try_into().ok());
    // What isn't asked for from a server that isn't OpenAI's, and what the vocabulary doesn't have.
    let known = ["input", "model", "dimensions"];
    let rest = recorded.as_object().unwrap().iter();
    let rest = rest.filter(|(name, _)| !known.contains(&name.as_str()));
    rest.fold(request, |request, (name, value)| {
        request.with_extra(name, value.clone())
    })
}
