//! What is kept of answers whose end doesn't come: all that had come, and the request's id.

use crate::{backend, question, responses_backend};
use gatepass_core::{BackendError, EmbeddingRequest, ErrorKind, LlmBackend, Phase};
use gatepass_testkit::outcome::what_is_wrong;
use gatepass_testkit::{Answer, ModelServer};

const WHOLE: &str = r#"{"id":"c","choices":[{"message":{"content":"Whole"},"finish_reason":"stop"}]}"#;
const HALF: &str = "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"Half\"}}]}\n\n";
const END: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

fn with_id(answer: Answer) -> Answer {
    answer.with_header("x-request-id", "req-1")
}

/// What a chat brings, asked for whole and as a stream.
async fn both(answer: impl Fn() -> Answer) -> [Result<String, BackendError>; 2] {
    let server = ModelServer::start().await;
    let backend = backend(&server);
    server.push(with_id(answer()));
    let whole = backend.chat(question()).await.map(|reply| reply.text());
    server.push(with_id(answer()));
    let streamed = match backend.chat_stream(question()).await {
        Ok(events) => events.collect().await.map(|reply| reply.text()),
        Err(error) => Err(error),
    };
    [whole, streamed]
}

#[tokio::test]
async fn an_answer_that_lacks_nothing_but_the_end_of_its_connection_is_whole() {
    for text in both(|| Answer::truncated(WHOLE)).await {
        assert_eq!(text.unwrap(), "Whole");
    }
    for text in both(|| Answer::sse([HALF, END]).then_close_abruptly()).await {
        assert_eq!(text.unwrap(), "Half");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_tells_the_requests_id() {
    for error in both(|| Answer::truncated(&WHOLE[..30])).await {
        let error = error.unwrap_err();
        assert_eq!(error.request_id(), Some("req-1"), "{error:?}");
        assert!(
            matches!(
                error,
                BackendError::Network {
                    phase: Phase::Body,
                    ..
                }
            ),
            "{error:?}"
        );
    }
    for error in both(|| {
        Answer::new(200)
            .with_header("content-encoding", "gzip")
            .with_body("x")
    })
    .await
    {
        let error = error.unwrap_err();
        assert_eq!(
            (error.kind(), error.request_id()),
            (ErrorKind::Decode, Some("req-1"))
        );
    }
    let server = ModelServer::start().await;
    server.push(with_id(Answer::truncated("{\"data\":[")));
    let error = backend(&server)
        .embed(EmbeddingRequest::new(["x"]).with_model("e"))
        .await;
    assert_eq!(error.unwrap_err().request_id(), Some("req-1"));
}

#[tokio::test]
async fn a_stream_that_breaks_off_keeps_what_had_come_though_nobody_asked_for_one() {
    for error in both(|| Answer::sse([HALF]).then_close_abruptly()).await {
        match error.unwrap_err() {
            BackendError::Interrupted { partial, source } => {
                assert_eq!(partial.text(), "Half");
                assert_eq!(partial.metadata.request_id.as_deref(), Some("req-1"));
                assert_eq!(source.kind(), ErrorKind::Network);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_error_that_no_event_wraps_is_still_the_providers() {
    let told = "{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"Too busy.\",\n    \"status\": \"UNAVAILABLE\"\n  }\n}\n";
    for error in both(|| Answer::sse([HALF, told])).await {
        match error.unwrap_err() {
            BackendError::Interrupted { partial, source } => {
                assert_eq!(partial.text(), "Half");
                assert_eq!(source.kind(), ErrorKind::Overloaded);
                assert!(source.to_string().contains("Too busy."), "{source}");
            }
            other => panic!("{other:?}"),
        }
    }
    // What only looks like one says nothing.
    for text in both(|| Answer::sse([HALF, "{\"error\":null}\n\n", END])).await {
        assert_eq!(text.unwrap(), "Half");
    }
}

#[tokio::test]
async fn what_stands_before_an_answer_in_one_piece_is_passed_over_wherever_it_is_cut() {
    let server = ModelServer::start().await;
    let chat = format!("\u{feff}\r\n {WHOLE}");
    for at in 0..10 {
        let (first, rest) = chat.as_bytes().split_at(at);
        let pieces = [first.to_vec(), rest.to_vec()];
        server.push(Answer::slow_sse(pieces, std::time::Duration::from_millis(5)));
        let events = backend(&server).chat_stream(question()).await.unwrap();
        assert_eq!(events.collect().await.unwrap().text(), "Whole", "{at}");
    }
    server.push(Answer::new(200).with_body(" \r\n"));
    let error = responses_backend(&server).chat_stream(question()).await;
    assert_eq!(what_is_wrong(&error.unwrap_err()), "it is empty");
}
