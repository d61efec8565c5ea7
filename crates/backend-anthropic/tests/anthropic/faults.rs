//! Answers that begin well and aren't.

use crate::{CANARY, backend, key, message, question, sse};
use gatepass_anthropic::AnthropicBackend;
use gatepass_core::{Advice, BackendError, ChatReply, ErrorKind, FinishReason, LlmBackend, Part, Phase};
use gatepass_http::{HttpClient, HttpOptions, RetryPolicy, ServerUrl, Transport};
use gatepass_testkit::outcome::{self, shown, what_is_wrong};
use gatepass_testkit::{Answer, Bytes, ModelServer, Value};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// A thought, text with a citation, a call, and the end.
fn events() -> Vec<Value> {
    let start = |index, block: Value| json!({ "type": "content_block_start", "index": index, "content_block": block });
    let delta =
        |index, delta: Value| json!({ "type": "content_block_delta", "index": index, "delta": delta });
    let stop = |index| json!({ "type": "content_block_stop", "index": index });
    vec![
        json!({ "type": "message_start", "message": { "id": "msg_1", "model": "m", "usage": { "input_tokens": 3 } } }),
        start(0, json!({ "type": "thinking", "thinking": "", "signature": "" })),
        delta(0, json!({ "type": "thinking_delta", "thinking": "hm 🦀" })),
        delta(0, json!({ "type": "signature_delta", "signature": "proof==" })),
        stop(0),
        start(1, json!({ "type": "text", "text": "" })),
        delta(1, json!({ "type": "text_delta", "text": "Half\n" })),
        delta(
            1,
            json!({ "type": "citations_delta", "citation": { "cited_text": "x" } }),
        ),
        stop(1),
        start(
            2,
            json!({ "type": "tool_use", "id": "t", "name": "time", "input": {} }),
        ),
        delta(
            2,
            json!({ "type": "input_json_delta", "partial_json": "{\"zone\":\"UTC\"}" }),
        ),
        stop(2),
        json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use" }, "usage": { "output_tokens": 9 } }),
        json!({ "type": "message_stop" }),
    ]
}

/// The beginning of a text.
fn half() -> String {
    let block = json!({ "type": "text", "text": "Half" });
    sse(&[json!({ "type": "content_block_start", "index": 0, "content_block": block })]).concat()
}

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
async fn a_stream_cut_in_two_tells_the_same() {
    let body = sse(&events()).concat().into_bytes();
    let server = ModelServer::start().await;
    let backend = backend(&server);
    let mut told = Vec::new();
    for at in (0..body.len()).step_by(29) {
        let (first, second) = body.split_at(at);
        let answer = Answer::sse([first.to_vec(), second.to_vec()]);
        let mut reply = outcome::streamed(&backend, question(), &server, answer)
            .await
            .unwrap();
        reply.metadata.request_id = None;
        told.push(reply);
        told.dedup();
    }
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].message.parts.len(), 3, "{:?}", told[0]);
    let byte_by_byte = Answer::sse(body.iter().map(|byte| vec![*byte]));
    let mut reply = outcome::streamed(&backend, question(), &server, byte_by_byte)
        .await
        .unwrap();
    reply.metadata.request_id = None;
    assert_eq!(reply, told[0]);
}

#[tokio::test]
async fn a_stream_that_ends_too_early_keeps_what_had_come_wherever_it_ends() {
    let body = sse(&events()).concat().into_bytes();
    let finished = body.len() - sse(&events()[13..]).concat().len();
    let server = ModelServer::start().await;
    let backend = backend(&server);
    for at in (1..finished - 10).step_by(23).chain(finished - 10..finished) {
        // The last line's end and the blank one after it aren't needed.
        let is_complete = at + 2 >= finished;
        match outcome::streamed(&backend, question(), &server, Answer::sse([body[..at].to_vec()])).await {
            Ok(reply) => assert!(
                is_complete && reply.finish == Some(FinishReason::ToolCalls),
                "{at}: {reply:?}"
            ),
            Err((BackendError::Network { phase, .. }, partial)) => {
                assert!(!is_complete && phase == Phase::Body, "{at}");
                let calls = partial.tool_calls().filter(|call| call.arguments.ends_with('}'));
                assert_eq!(calls.count(), partial.tool_calls().count(), "{at}");
            }
            Err((other, _)) => panic!("{at}: {other:?}"),
        }
    }
    let (_, partial) = streamed(Answer::sse(sse(&events()[..8])).then_close_abruptly())
        .await
        .unwrap_err();
    assert_eq!(
        (partial.text().as_str(), partial.id.as_deref()),
        ("Half\n", Some("msg_1"))
    );
    let Part::Text(text) = &partial.message.parts[1] else {
        panic!("{partial:?}")
    };
    assert_eq!(text.extra["citations"][0]["cited_text"], "x");
}

#[tokio::test]
async fn a_stream_whose_answer_had_ended_is_complete() {
    for end in ["", "event: message_stop\ndata: {\"ty", "data: [DONE]\n\n"] {
        let mut body = sse(&events()[..13]);
        body.push(end.to_owned());
        let reply = streamed(Answer::sse(body).then_close_abruptly()).await.unwrap();
        assert_eq!(reply.finish, Some(FinishReason::ToolCalls));
    }
}

#[tokio::test]
async fn what_is_no_event_is_an_error_that_quotes_nothing() {
    for (event, expected) in [
        (
            "data: canary\n\n".as_bytes(),
            "an event is not JSON (line 1, column 1)",
        ),
        (
            b"event: content_block_delta\ndata: {\"delta\":{\"text\":\"canary\n\n",
            "an event is not JSON (line 1, column 24)",
        ),
        (
            b"event: message_delta\ndata: \"canary\"\n\n",
            "an event is JSON of another kind (line 1, column 8)",
        ),
        (b"data: {\"type\":\"\xff\xfe\"}\n\n", "an event is not UTF-8"),
    ] {
        let (error, partial) = streamed(Answer::sse([half().into_bytes(), event.to_vec()]))
            .await
            .unwrap_err();
        assert_eq!(what_is_wrong(&error), expected);
        assert_eq!(error.request_id(), Some("req-1"));
        assert!(!shown(&error).contains("canary"));
        assert_eq!(partial.text(), "Half");
    }
}

#[tokio::test]
async fn an_error_within_a_stream_is_the_providers_and_being_overloaded_passes() {
    let error = json!({
        "type": "error", "request_id": "req_in_body",
        "error": { "type": "overloaded_error", "message": "Overloaded\u{1b}[2J" },
    });
    for event in [
        sse(std::slice::from_ref(&error)).concat(),
        format!("data: {error}\n\n"),
    ] {
        let (error, partial) = streamed(Answer::sse([half(), event])).await.unwrap_err();
        assert!(matches!(error.advice(), Advice::Retry { .. }));
        let BackendError::Provider(error) = error else {
            panic!("{error:?}")
        };
        assert_eq!((error.kind, error.status), (ErrorKind::Overloaded, 200));
        assert_eq!(
            (error.message.as_str(), error.code.as_deref()),
            ("Overloaded [2J", Some("overloaded_error"))
        );
        assert_eq!(error.request_id.as_deref(), Some("req-1"));
        assert_eq!(partial.text(), "Half");
    }
    for (word, kind) in [
        ("api_error", ErrorKind::Server),
        ("timeout_error", ErrorKind::Server),
        ("rate_limit_error", ErrorKind::RateLimit),
        ("invalid_request_error", ErrorKind::InvalidRequest),
        ("brand_new_error", ErrorKind::Server),
    ] {
        let error = json!({ "type": "error", "error": { "type": word, "message": "No." } });
        let (error, _) = streamed(Answer::sse(sse(&[error]))).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{word}");
    }
}

#[tokio::test]
async fn events_of_other_kinds_are_passed_over() {
    let mut body = vec![
        ": comment\n\n".to_owned(),
        "event: ping\ndata: {\"type\": \"ping\"}\n\n".into(),
        "event: heartbeat\ndata: pong\n\n".into(),
        "event: brand_new\ndata: {\"type\":\"brand_new\",\"delta\":{}}\n\n".into(),
        "retry: 5\n\n".into(),
    ];
    body.extend(sse(&events()));
    assert_eq!(streamed(Answer::sse(body)).await.unwrap().text(), "Half\n");
}

#[tokio::test]
async fn a_server_that_answers_a_stream_in_one_piece_is_understood() {
    let whole = message(&json!([{ "type": "text", "text": "Whole" }])).to_string();
    for content_type in ["application/json", "text/event-stream", "text/plain"] {
        let answer = Answer::sse([" \r\n{".to_owned(), whole[1..].to_owned()])
            .with_header("content-type", content_type);
        let reply = streamed(answer).await.unwrap();
        assert_eq!(
            (reply.text().as_str(), reply.finish),
            ("Whole", Some(FinishReason::Stop))
        );
        assert!(reply.metadata.request_id.is_some());
    }
    let told = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
    let (error, _) = streamed(Answer::json(200, &told)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
}

#[tokio::test]
async fn a_server_that_only_streams_is_understood() {
    let server = ModelServer::start().await;
    let events = events();
    let body = events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect::<String>();
    server.push(Answer::sse([body.clone()]));
    server.push(Answer::sse([body]));
    let whole = backend(&server).chat(question()).await.unwrap();
    let streamed = backend(&server).chat_stream(question()).await.unwrap();
    let mut streamed = streamed.collect().await.unwrap();
    streamed.metadata = whole.metadata.clone();
    assert_eq!(whole, streamed);
    assert!(whole.finish.is_some());
}

#[tokio::test]
async fn what_is_no_stream_is_said_to_be_none() {
    let page = "<html>canary</html>";
    for (answer, expected) in [
        (
            Answer::text(200, page).with_header("content-type", "text/html"),
            "it is no event stream (text/html)",
        ),
        (
            Answer::text(200, "canary"),
            "it is no event stream (text/plain; charset=utf-8)",
        ),
        (Answer::new(200), "it is empty"),
        (Answer::json(200, &json!({ "canary": 1 })), "it has no message"),
    ] {
        let (error, _) = streamed(answer).await.unwrap_err();
        assert_eq!(what_is_wrong(&error), expected);
        assert!(!shown(&error).contains("canary"));
    }
}

#[tokio::test]
async fn what_is_no_answer_is_said_to_be_none() {
    for (answer, expected) in [
        (Answer::text(200, "<html>canary</html>"), "it is an HTML page"),
        (Answer::text(200, "canary"), "it is not JSON (line 1, column 1)"),
        (Answer::new(200), "it is empty"),
        (
            Answer::text(200, "{\"content\":[{\"type"),
            "it is not JSON (line 1, column 18)",
        ),
        (
            Answer::new(200).with_body(&b"{\"id\":\"\xff\"}"[..]),
            "it is not JSON (line 1, column 8)",
        ),
        (
            Answer::text(200, "[\"canary\"]"),
            "it is JSON of another kind (line 1, column 1)",
        ),
        (
            Answer::json(
                200,
                &json!({ "choices": [{ "message": { "content": "canary" } }] }),
            ),
            "it has no message",
        ),
        (
            Answer::gzip_bomb(),
            "it has a content encoding that nobody asked for",
        ),
        (
            Answer::endless(vec![b' '; 1 << 16]),
            "its body is larger than 67108864 bytes",
        ),
    ] {
        let error = asked(answer).await;
        assert_eq!(what_is_wrong(&error), expected);
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(!shown(&error).contains("canary"));
    }
}

#[tokio::test]
async fn an_answer_cut_anywhere_is_no_answer() {
    let whole = message(&json!([{ "type": "text", "text": "Whole 🦀" }])).to_string();
    let server = ModelServer::start().await;
    let backend = backend(&server);
    for at in 0..whole.len() {
        server.push(Answer::new(200).with_body(whole.as_bytes()[..at].to_vec()));
        let error = backend.chat(question()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{at}: {error}");
    }
    assert!(matches!(
        asked(Answer::truncated(whole[..20].to_owned())).await,
        BackendError::Network {
            phase: Phase::Body,
            ..
        }
    ));
}

#[tokio::test]
async fn an_error_in_place_of_an_answer_is_the_providers() {
    let told = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
    let error = asked(Answer::json(200, &told)).await;
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert!(matches!(error.advice(), Advice::Retry { .. }));
    assert!(
        error
            .to_string()
            .ends_with("answered 200 overloaded_error: Overloaded (request req-1)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_key_that_an_error_quotes_is_not_shown() {
    let told =
        json!({ "type": "error", "error": { "type": "api_error", "message": format!("bad key {CANARY}") } });
    let mut errors = vec![
        asked(Answer::json(200, &told)).await,
        asked(Answer::json(400, &told)).await,
    ];
    for event in [
        format!("data: {told}\n\n"),
        format!("event: error\ndata: {told}\n\n"),
    ] {
        errors.push(streamed(Answer::sse([half(), event])).await.unwrap_err().0);
    }
    for error in errors {
        let shown = shown(&error);
        assert!(!shown.contains("canary") && shown.contains("***"), "{shown}");
    }
}

#[tokio::test]
async fn arguments_without_an_end_are_refused() {
    let start = json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "tool_use", "id": "t", "name": "time" } });
    let delta = json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "input_json_delta", "partial_json": "x".repeat(1 << 20) } });
    let chunk = sse(&[start, delta]).concat();
    let (error, _) = streamed(Answer::endless(chunk)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(what_is_wrong(&error).contains("larger than 64 MiB"), "{error}");
    let chunk = Bytes::from(vec![b'x'; 1 << 20]);
    let answer = Answer::endless(chunk).with_header("content-type", "text/event-stream");
    let (error, _) = streamed(answer).await.unwrap_err();
    assert_eq!(what_is_wrong(&error), "an event is larger than 64 MiB");
}

#[tokio::test]
async fn a_server_that_falls_silent_does_not_hang_the_caller() {
    let server = ModelServer::start().await;
    let options = HttpOptions::default()
        .with_first_byte_timeout(Duration::from_millis(400))
        .with_idle_timeout(Duration::from_millis(400));
    let http = HttpClient::new(options).unwrap();
    let base_url = ServerUrl::parse(&server.base_url(), "base_url", Transport::Encrypted).unwrap();
    let backend =
        AnthropicBackend::with_http(http, base_url, Arc::new(key())).with_retry(RetryPolicy::never());
    let phase = |error: BackendError| match error {
        BackendError::Network { phase, .. } => phase,
        other => panic!("{other:?}"),
    };
    server.push(Answer::hang());
    assert_eq!(
        phase(backend.chat(question()).await.unwrap_err()),
        Phase::FirstByte
    );
    server.push(Answer::sse([half()]).then_hang());
    let mut events = backend.chat_stream(question()).await.unwrap();
    assert!(events.try_next().await.unwrap().is_some());
    assert_eq!(phase(events.try_next().await.unwrap_err()), Phase::Idle);
    assert_eq!(
        events.try_next().await.unwrap(),
        None,
        "after an error the stream is over"
    );
}
