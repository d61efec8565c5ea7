//! When a request is sent once more, and when it isn't.

use super::secrets::failure;
use crate::answer::Answer;
use crate::contract::llm_backend::sure::{chat, collect, question, stream};
use crate::model::ModelServer;
use gatepass_core::{Advice, ErrorKind, LlmBackend};
use std::time::{Duration, Instant};

pub(super) async fn suite(backend: &impl LlmBackend, server: &ModelServer) {
    the_servers_pause_is_kept(backend, server).await;
    the_servers_word_on_trying_again_is_the_last(backend, server).await;
    a_busy_server_is_asked_again_and_not_for_ever(backend, server).await;
    an_answer_that_began_is_not_asked_for_again(backend, server).await;
}

async fn the_servers_pause_is_kept(backend: &impl LlmBackend, server: &ModelServer) {
    const PAUSE: Duration = Duration::from_millis(150);
    for (name, value) in [("retry-after", "0.15"), ("retry-after-ms", "150")] {
        let asked = server.requests().len();
        server.push(Answer::text(429, "slow down").with_header(name, value));
        let began = Instant::now();
        collect(stream(backend, question()).await).await;
        assert_eq!(server.requests().len(), asked + 2, "429 must be tried again");
        assert!(began.elapsed() >= PAUSE, "{name} must be waited for");
    }
}

async fn the_servers_word_on_trying_again_is_the_last(backend: &impl LlmBackend, server: &ModelServer) {
    let asked = server.requests().len();
    server.push(Answer::text(500, "no").with_header("x-should-retry", "false"));
    let error = failure(backend.chat(question())).await;
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(
        server.requests().len(),
        asked + 1,
        "`x-should-retry: false` must be the last word"
    );
}

async fn a_busy_server_is_asked_again_and_not_for_ever(backend: &impl LlmBackend, server: &ModelServer) {
    server.push(Answer::text(503, "come back later"));
    chat(backend, question()).await;
    let asked = server.requests().len();
    server.always(Answer::text(503, "come back later"));
    let error = failure(backend.chat(question())).await;
    server.normal();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert!(
        matches!(error.advice(), Advice::Retry { .. }),
        "503 must be worth another try"
    );
    let tries = server.requests().len() - asked;
    assert!(
        (2..10).contains(&tries),
        "503 must be tried again a few times; it was {tries}"
    );
}

async fn an_answer_that_began_is_not_asked_for_again(backend: &impl LlmBackend, server: &ModelServer) {
    let asked = server.requests().len();
    server.push(Answer::sse([": here\n\n"]).then_close_abruptly());
    match backend.chat_stream(question()).await {
        Ok(events) => drop(failure(events.collect()).await),
        Err(error) => panic!("a stream that has begun must begin; it failed: {error}"),
    }
    server.push(Answer::truncated("{"));
    failure(backend.chat(question())).await;
    assert_eq!(
        server.requests().len(),
        asked + 2,
        "an answer that has begun must not be asked for again"
    );
}
