//! Answers that begin well and aren't.

use crate::{backend, question};
use gatepass_core::{BackendError, ChatReply, EmbeddingRequest, ErrorKind, FinishReason, LlmBackend, Phase};
use gatepass_testkit::outcome::{self, what_is_wrong};
use gatepass_testkit::{Answer, ModelServer};
use serde_json::json;
use std::time::Duration;

const HALF: &str = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Half\"}]}}],\"responseId\":\"c\",\"usageMetadata\":{\"promptTokenCount\":3}}\r\n\r\n";
const END: &str = "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\r\n\r\n";

/// The whole answer, or the error and what had come before it.
async fn streamed(answer: Answer) -> Result<ChatReply, (BackendError, ChatReply)> {
    let server = ModelServer::start().await;
    outcome::streamed(&backend(&server), question(), &server, answer).await
}

async fn asked(answer: Answer) -> BackendError {
    let server = ModelServer::start().await;
    outcome::refused(&backend(&server), question(), &server, answer).await
}

#[tokio::test]
async fn a_stream_that_ends_too_early_keeps_what_had_come() {
    for answer in [
        Answer::sse([HALF]),
        Answer::sse([HALF]).then_close_abruptly(),
        Answer::sse([HALF, "data: {\"candidates\":[{\"con"]),
        Answer::sse([
            HALF.as_bytes(),
            b"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\xf0\x9f",
        ]),
    ] {
        let (error, partial) = streamed(answer).await.unwrap_err();
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
        assert_eq!(
            (&*partial.text(), partial.id.as_deref(), partial.finish),
            ("Half", Some("c"), None)
        );
        assert_eq!(partial.usage.unwrap().input_tokens, Some(3));
    }
}

#[tokio::test]
async fn a_stream_that_said_why_it_ends_is_complete() {
    let usage = "data: {\"usageMetadata\":{\"promptTokenCount\":9}}\n\n";
    for (answer, tokens) in [
        (Answer::sse([HALF, END]), 3),
        (Answer::sse([HALF, END]).then_close_abruptly(), 3),
        (Answer::sse([HALF, END, "data: {\"usage"]), 3),
        (Answer::sse([HALF, END, usage]), 9),
        (
            Answer::sse([
                ": hello\n\n",
                HALF,
                "event: ping\ndata: x\n\n",
                END,
                "data: [DONE]\n\n",
            ]),
            3,
        ),
    ] {
        let reply = streamed(answer).await.unwrap();
        assert_eq!((&*reply.text(), reply.finish), ("Half", Some(FinishReason::Stop)));
        assert_eq!(reply.usage.unwrap().input_tokens, Some(tokens));
    }
}

#[tokio::test]
async fn an_error_within_a_stream_is_googles() {
    let error = json!({ "error": { "code": 503, "message": "Overloaded.", "status": "UNAVAILABLE" } });
    for event in [
        format!("data: {error}\n\n"),
        format!("event: error\ndata: {error}\n\n"),
    ] {
        let (error, partial) = streamed(Answer::sse([HALF.to_owned(), event])).await.unwrap_err();
        let BackendError::Provider(error) = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            (error.kind, error.status, &*error.message),
            (ErrorKind::Overloaded, 200, "Overloaded.")
        );
        assert_eq!(partial.text(), "Half");
    }
}

#[tokio::test]
async fn a_blocked_prompt_is_an_error_that_tells_why() {
    let ratings = json!([
        { "category": "HARM_CATEGORY_HARASSMENT", "probability": "HIGH" },
        { "category": "HARM_CATEGORY_HATE_SPEECH", "probability": "LOW" },
    ]);
    for (feedback, kind, message) in [
        (
            json!({ "blockReason": "SAFETY", "safetyRatings": ratings }),
            ErrorKind::ContentFilter,
            "the prompt was blocked: HARM_CATEGORY_HARASSMENT",
        ),
        (
            json!({ "blockReason": "PROHIBITED_CONTENT" }),
            ErrorKind::ContentFilter,
            "the prompt was blocked",
        ),
        (
            json!({ "blockReason": "IMAGE_SAFETY" }),
            ErrorKind::ContentFilter,
            "the prompt was blocked",
        ),
        (
            json!({ "blockReason": "MODEL_ARMOR", "blockReasonMessage": "Blocked by policy." }),
            ErrorKind::ContentFilter,
            "the prompt was blocked: Blocked by policy.",
        ),
        // Not a judgement on the content.
        (
            json!({ "blockReason": "OTHER" }),
            ErrorKind::Server,
            "the prompt was blocked",
        ),
    ] {
        let body = json!({ "promptFeedback": feedback, "usageMetadata": { "promptTokenCount": 7 }, "responseId": "r" });
        let whole = asked(Answer::json(200, &body)).await;
        let (told, partial) = streamed(Answer::sse([format!("data: {body}\n\n")]))
            .await
            .unwrap_err();
        assert_eq!(partial.usage.unwrap().input_tokens, Some(7));
        assert_eq!(partial.extra["promptFeedback"], feedback);
        for error in [whole, told] {
            let BackendError::Provider(error) = error else {
                panic!("{error:?}")
            };
            assert_eq!((error.kind, &*error.message), (kind, message));
            assert_eq!(error.code.as_deref(), feedback["blockReason"].as_str());
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_is_a_decode_error_that_quotes_nothing() {
    for (body, expected) in [
        ("canary", "it is not JSON (line 1, column 1)"),
        ("", "it is empty"),
        ("  \n", "it is empty"),
        ("<html>canary", "it is an HTML page"),
        ("{}", "it has no candidate"),
        ("null", "it has no candidate"),
        ("{\"candidates\":[]}", "it has no candidate"),
        (
            "{\"candidates\":{\"canary\":1}}",
            "it is JSON of another kind (line 1, column 23)",
        ),
        ("[1]", "it is JSON of another kind (line 1, column 1)"),
        ("\"canary\"", "it is JSON of another kind (line 1, column 8)"),
        (
            "{\"candidates\":[{\"content\":",
            "it is not JSON (line 1, column 26)",
        ),
    ] {
        let error = asked(Answer::text(200, body)).await;
        assert_eq!(what_is_wrong(&error), expected, "{body}");
        assert!(!format!("{error:?}").contains("canary"));
        assert_eq!(error.request_id(), Some("req-1"));
    }
    for event in [
        "data: canary\n\n",
        "data: {\"candidates\":[\n\n",
        "data: {\"candidates\":\"canary\"}\n\n",
    ] {
        let (error, partial) = streamed(Answer::sse([HALF, event])).await.unwrap_err();
        assert!(what_is_wrong(&error).starts_with("an event is "), "{error}");
        assert_eq!(partial.text(), "Half");
    }
}

/// A member of another shape costs that member alone.
#[tokio::test]
async fn a_surprise_in_one_member_costs_that_member_alone() {
    let server = ModelServer::start().await;
    for part in [
        json!({ "text": "Hi" }),
        json!({ "text": "Hi", "thought": "yes", "thoughtSignature": 7 }),
        json!({ "text": "Hi", "inlineData": "x", "functionCall": [] }),
    ] {
        let body = json!({
            "candidates": [{ "content": { "parts": [part, null, 7, "x"], "role": 1 }, "finishReason": "NEWER", "index": "0" }],
            "usageMetadata": [],
            "modelVersion": null,
            "promptFeedback": "none",
        });
        server.push(Answer::json(200, &body));
        let reply = backend(&server).chat(question()).await.unwrap();
        assert_eq!((&*reply.text(), reply.usage.clone()), ("Hi", None));
        assert_eq!(reply.finish, Some(FinishReason::Other("NEWER".into())));
    }
}

#[tokio::test]
async fn what_is_no_list_no_count_and_no_vector_is_said_so() {
    let server = ModelServer::start().await;
    let backend = backend(&server);
    let vector = || EmbeddingRequest::new(["a", "b"]).with_model("m");
    let error = json!({ "error": { "code": 404, "message": "No.", "status": "NOT_FOUND" } });
    for (body, models, count, vectors) in [
        (json!({}), "", "it has no count", "it has 0 vectors for 2 texts"),
        (
            json!({ "x": 1 }),
            "it is no list of models",
            "it has no count",
            "it has 0 vectors for 2 texts",
        ),
        (
            json!({ "embeddings": [{ "values": [1.5] }], "totalTokens": "x", "models": [{ "name": 1 }] }),
            "",
            "it has no count",
            "it has 1 vectors for 2 texts",
        ),
        (
            json!({ "embeddings": 1, "models": 1, "totalTokens": 1 }),
            "it is JSON of another kind (line 1, column 26)",
            "",
            "it is JSON of another kind (line 1, column 15)",
        ),
    ] {
        server.always(Answer::json(200, &body));
        let told = |error: Option<BackendError>| {
            error.map_or_else(String::new, |error| what_is_wrong(&error).to_owned())
        };
        assert_eq!(told(backend.models().await.err()), models, "{body}");
        assert_eq!(
            told(backend.count_tokens(&question()).await.err()),
            count,
            "{body}"
        );
        assert_eq!(told(backend.embed(vector()).await.err()), vectors, "{body}");
    }
    server.always(Answer::json(200, &error));
    for error in [
        backend.models().await.unwrap_err(),
        backend.count_tokens(&question()).await.unwrap_err(),
        backend.embed(vector()).await.unwrap_err(),
        backend.chat(question()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn an_answer_of_more_parts_than_anyone_sends_is_refused() {
    let call = json!({ "functionCall": { "name": "f" } });
    let many =
        |count: usize| json!({ "candidates": [{ "content": { "parts": vec![call.clone(); count] } }] });
    let error = asked(Answer::json(200, &many(1025))).await;
    assert_eq!(what_is_wrong(&error), "it has more than 1024 parts");
    let chunks = [
        format!("data: {}\n\n", many(600)),
        format!("data: {}\n\n", many(600)),
    ];
    let (error, partial) = streamed(Answer::sse(chunks)).await.unwrap_err();
    assert_eq!(what_is_wrong(&error), "it has more than 1024 parts");
    assert_eq!(partial.tool_calls().count(), 1024);
}

#[tokio::test]
async fn a_server_that_answers_a_stream_in_one_piece_is_understood() {
    let body =
        json!({ "candidates": [{ "content": { "parts": [{ "text": "Hi" }] }, "finishReason": "STOP" }] });
    let reply = streamed(Answer::json(200, &body)).await.unwrap();
    assert_eq!((&*reply.text(), reply.finish), ("Hi", Some(FinishReason::Stop)));
}

/// As Google answers where a proxy drops `alt=sse`.
#[tokio::test]
async fn a_server_that_only_streams_is_understood() {
    let server = ModelServer::start().await;
    server.push(Answer::sse([HALF, END]));
    let reply = backend(&server).chat(question()).await.unwrap();
    assert_eq!(
        (reply.text().as_str(), reply.finish),
        ("Half", Some(FinishReason::Stop))
    );
}

#[tokio::test]
async fn a_stream_that_is_one_array_is_read_as_it_comes_wherever_it_is_cut() {
    let item = |text: &str| json!({ "candidates": [{ "content": { "parts": [{ "text": text }] } }] });
    let end =
        json!({ "candidates": [{ "finishReason": "STOP" }], "usageMetadata": { "totalTokenCount": 7 } });
    let array = format!("[{:#}\n,\r\n{},\n{end}\n]\n", item("{\"[Na\u{ef}"), item("ve"));
    let answer = |pieces: &[&[u8]]| {
        Answer::sse(pieces.iter().map(|piece| piece.to_vec())).with_header("content-type", "application/json")
    };
    for at in 1..array.len() {
        let (head, tail) = array.as_bytes().split_at(at);
        let reply = streamed(answer(&[head, tail])).await.unwrap();
        assert_eq!(
            (&*reply.text(), reply.finish),
            ("{\"[Na\u{ef}ve", Some(FinishReason::Stop)),
            "{at}"
        );
        assert_eq!(reply.usage.unwrap().total_tokens, Some(7), "{at}");
    }
    let (error, partial) = streamed(answer(&[&array.as_bytes()[..array.len() - 40]]))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), &*partial.text()),
        (ErrorKind::Network, "{\"[Na\u{ef}ve")
    );
    let server = ModelServer::start().await;
    server.push(answer(&[array.get(..array.len() - 40).unwrap().as_bytes()]).then_hang());
    let mut events = backend(&server).chat_stream(question()).await.unwrap();
    for _ in 0..3 {
        let event = tokio::time::timeout(Duration::from_secs(5), events.try_next()).await;
        assert!(event.expect("it comes before the end").unwrap().is_some());
    }
    let refused =
        json!([item("Half"), { "error": { "code": 503, "status": "UNAVAILABLE", "message": "Busy." } }]);
    let (error, partial) = streamed(Answer::json(200, &refused)).await.unwrap_err();
    assert_eq!((error.kind(), &*partial.text()), (ErrorKind::Overloaded, "Half"));
}

/// Nothing hangs or panics, and what had come is kept.
#[tokio::test]
async fn an_answer_that_ends_at_any_byte_is_an_error_or_whole() {
    let server = ModelServer::start().await;
    let backend = backend(&server);
    let stream = format!("{HALF}{HALF}{END}");
    let end = stream.trim_end().len();
    for at in 1..stream.len() {
        server.push(Answer::sse([stream[..at].to_owned()]));
        match backend.chat_stream(question()).await.unwrap().collect().await {
            Ok(reply) => assert!(at >= end && reply.text() == "HalfHalf", "{at}"),
            Err(BackendError::Interrupted { partial, source }) => {
                assert!(at < end, "{at}");
                assert!("HalfHalf".starts_with(&partial.text()), "{at}");
                assert_eq!(source.kind(), ErrorKind::Network, "{at}");
            }
            Err(other) => panic!("{at}: {other:?}"),
        }
    }
    let whole =
        json!({ "candidates": [{ "content": { "parts": [{ "text": "Naïve" }] }, "finishReason": "STOP" }] });
    let whole = whole.to_string();
    for at in 1..whole.len() {
        server.push(Answer::text(200, "").with_body(whole.as_bytes()[..at].to_vec()));
        let error = backend.chat(question()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{at}");
    }
}
