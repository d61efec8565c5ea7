//! Vectors of a real model.

use crate::responses::source;
use crate::support::{MODEL, Setup, say};
use gatepass::openai::OpenAiBackend;
use gatepass::{EmbeddingRequest, LlmBackend};

#[tokio::test]
async fn vectors_are_the_same_as_numbers_and_as_base64_in_the_order_of_the_texts() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let backend = OpenAiBackend::new(&world.gateway.base_url(), source(&world)).unwrap();
    let texts = ["The cat sleeps.", "A cat is asleep.", "Taxes rise again."];
    let request = EmbeddingRequest::new(texts).with_model(MODEL);
    let numbers = backend.embed(request.clone()).await.unwrap();
    let base64 = backend
        .embed(request.with_extra("encoding_format", "base64"))
        .await
        .unwrap();
    assert_eq!(numbers.vectors.len(), texts.len());
    let pairs = numbers
        .vectors
        .iter()
        .flatten()
        .zip(base64.vectors.iter().flatten());
    let difference = pairs
        .map(|(number, other)| (number - other).abs())
        .fold(0.0, f32::max);
    assert!(difference < 1e-6, "{difference}");
    let likeness = |one: usize, other: usize| -> f32 {
        let pairs = numbers.vectors[one].iter().zip(&numbers.vectors[other]);
        pairs.map(|(number, other)| number * other).sum()
    };
    assert!(
        likeness(0, 1) > likeness(0, 2),
        "{} {}",
        likeness(0, 1),
        likeness(0, 2)
    );
    let tokens = numbers.usage.unwrap().input_tokens.unwrap();
    assert!(tokens > 6, "{tokens}");
    say(format!("{} numbers a text", numbers.vectors[0].len()));
}
