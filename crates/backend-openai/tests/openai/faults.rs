//! Answers that begin well and aren't.

use crate::{CANARY, backend, key, question, responses_backend};
use gatepass_core::{BackendError, ChatReply, ErrorKind, FinishReason, LlmBackend, Phase};
use gatepass_http::{HttpClient, HttpOptions, ServerUrl, Transport};
use gatepass_openai::OpenAiBackend;
use gatepass_testkit::outcome::{self, shown, what_is_wrong};
use gatepass_testkit::{Answer, Bytes, ModelServer, Value};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const HALF: &str = "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"Half\"}}]}\n\n";
const END: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

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
        // Half an event, half a character.
        Answer::sse([HALF, "data: {\"choices\":[{\"del"]),
        Answer::sse([
            HALF.as_bytes(),
            b"data: {\"choices\":[{\"delta\":{\"content\":\"\xf0\x9f",
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
        assert!(
            error
                .to_string()
                .ends_with("the connection broke within the answer")
        );
        assert_eq!(
            (partial.text().as_str(), partial.id.as_deref(), partial.finish),
            ("Half", Some("c"), None)
        );
    }
}

#[tokio::test]
async fn a_stream_whose_answer_had_ended_is_complete() {
    for answer in [
        Answer::sse([HALF, END]),
        Answer::sse([HALF, END]).then_close_abruptly(),
        Answer::sse([HALF, END, "data: {\"usage\":"]),
        Answer::sse([HALF, END, "data: [DONE]"]),
        Answer::sse([HALF, END, "data: [DONE]\n\ndata: nonsense\n\n"]),
    ] {
        let reply = streamed(answer).await.unwrap();
        assert_eq!(
            (reply.text().as_str(), reply.finish),
            ("Half", Some(FinishReason::Stop))
        );
    }
    let reply = streamed(Answer::sse([HALF, "data: [DONE]\n\n"])).await.unwrap();
    assert_eq!((reply.text().as_str(), reply.finish), ("Half", None));
}

#[tokio::test]
async fn what_is_no_event_is_an_error_that_quotes_nothing() {
    for (event, expected) in [
        (
            "data: canary\n\n".as_bytes(),
            "an event is not JSON (line 1, column 1)",
        ),
        (
            b"data: {\"choices\":[{\"delta\":{\"content\":\"canary\n\n",
            "an event is not JSON (line 1, column 39)",
        ),
        (
            b"data: {\"choices\":\"canary\"}\n\n",
            "an event is JSON of another kind (line 1, column 19)",
        ),
        (
            b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\"}}]}\n\n",
            "an event is not UTF-8",
        ),
    ] {
        let (error, partial) = streamed(Answer::sse([HALF.as_bytes(), event])).await.unwrap_err();
        assert_eq!(what_is_wrong(&error), expected);
        assert_eq!(error.request_id(), Some("req-1"));
        assert!(!shown(&error).contains("canary"));
        assert_eq!(partial.text(), "Half");
    }
}

#[tokio::test]
async fn an_error_within_a_stream_is_the_providers() {
    let told = "{\"error\":{\"message\":\"Try later.\\u001b[2J\",\"type\":\"server_error\",\"code\":\"overloaded\"}}";
    for event in [
        format!("data: {told}\n\n"),
        format!("event: error\ndata: {told}\n\n"),
        "event: error\ndata: {\"message\":\"Try later.\\u001b[2J\",\"code\":\"overloaded\"}\n\n".into(),
        "data: {\"message\":\"Try later.\\u001b[2J\",\"code\":\"overloaded\"}\n\n".into(),
    ] {
        let (error, partial) = streamed(Answer::sse([HALF.to_owned(), event])).await.unwrap_err();
        let BackendError::Provider(error) = error else {
            panic!("{error:?}")
        };
        assert_eq!((error.kind, error.status), (ErrorKind::Overloaded, 200));
        assert_eq!(
            (error.message.as_str(), error.code.as_deref()),
            ("Try later. [2J", Some("overloaded"))
        );
        assert_eq!(error.request_id.as_deref(), Some("req-1"));
        assert_eq!(partial.text(), "Half");
    }
    let (error, _) = streamed(Answer::sse(["event: error\ndata: It broke.\n\n"]))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("answered 200: It broke."), "{error}");
}

#[tokio::test]
async fn events_of_other_kinds_are_passed_over() {
    let events = [
        ": comment\n\n",
        "event: ping\ndata: pong\n\n",
        "retry: 5\n\n",
        "data:\n\n",
        "data: {\"status\":\"queued\",\"message\":\"Wait.\"}\n\n",
        "data: {\"code\":0,\"message\":\"ok\"}\n\n",
        "data: {\"code\":\"Success\",\"message\":\"ok\"}\n\n",
        "data: {\"type\":\"x\"}\n\n",
        HALF,
        END,
    ];
    assert_eq!(streamed(Answer::sse(events)).await.unwrap().text(), "Half");
}

#[tokio::test]
async fn a_server_that_answers_a_stream_in_one_piece_is_understood() {
    let reply = json!({ "id": "c", "choices": [{ "message": { "content": "Whole" }, "finish_reason": "stop" }], "tier": 1 });
    for (begin, content_type) in [
        (&[" \r\n{"] as &[_], "application/json"),
        (&["\n", " \r\n", "{"], "text/event-stream"),
        (&["\u{feff}{"], "text/plain"),
    ] {
        let rest = reply.to_string()[1..].to_owned();
        let pieces = begin.iter().map(|&piece| piece.to_owned()).chain([rest]);
        let answer = Answer::sse(pieces).with_header("content-type", content_type);
        let reply = streamed(answer).await.unwrap();
        assert_eq!(
            (reply.text().as_str(), reply.finish),
            ("Whole", Some(FinishReason::Stop))
        );
        assert_eq!(reply.extra["tier"], 1);
        assert!(reply.metadata.request_id.is_some());
    }
    let told = json!({ "error": { "message": "No.", "code": 429 } });
    let (error, _) = streamed(Answer::json(200, &told)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimit);
}

#[tokio::test]
async fn a_server_that_only_streams_is_understood() {
    let server = ModelServer::start().await;
    let backend = backend(&server);
    for begin in [": hello\n\n", "id: 1\n", "retry:5\n"] {
        server.push(Answer::sse([begin, HALF, END, "data: [DONE]\n\n"]));
        let reply = backend.chat(question()).await.unwrap();
        assert_eq!(
            (reply.text().as_str(), reply.finish),
            ("Half", Some(FinishReason::Stop))
        );
        assert!(reply.metadata.request_id.is_some());
    }
    let told = "data: {\"error\":{\"message\":\"No.\",\"code\":\"overloaded\"}}\n\n";
    for (end, kind) in [("", ErrorKind::Network), (told, ErrorKind::Overloaded)] {
        server.push(Answer::sse([HALF, end]));
        let error = backend.chat(question()).await.unwrap_err();
        assert_eq!((error.kind(), error.request_id().is_some()), (kind, true));
        match error {
            BackendError::Interrupted { partial, .. } => assert_eq!(partial.text(), "Half"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_character_that_is_cut_in_two_costs_that_character_alone() {
    let half = |half: &str| format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{half}\"}}}}]}}\n\n");
    let answer = Answer::sse([
        half("a\\ud83e"),
        half("\\udd80b"),
        half("\\ud83e\\udd80"),
        END.to_owned(),
    ]);
    assert_eq!(
        streamed(answer).await.unwrap().text(),
        "a\u{fffd}\u{fffd}b\u{1f980}"
    );
    let whole = r#"{"choices":[{"message":{"content":"a\ud83e"},"finish_reason":"length"}]}"#;
    let server = ModelServer::start().await;
    server.push(Answer::text(200, whole));
    assert_eq!(
        backend(&server).chat(question()).await.unwrap().text(),
        "a\u{fffd}"
    );
    assert_eq!(
        streamed(Answer::text(200, whole)).await.unwrap().text(),
        "a\u{fffd}"
    );
}

#[tokio::test]
async fn events_under_another_name_are_understood() {
    let answer = Answer::sse([HALF, END]).with_header("content-type", "text/plain");
    assert_eq!(streamed(answer).await.unwrap().text(), "Half");
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
            Answer::text(200, page),
            "it is no event stream (text/plain; charset=utf-8)",
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
async fn an_answer_under_another_name_or_with_a_byte_order_mark_is_understood() {
    let whole = json!({ "choices": [{ "message": { "content": "Whole" } }] }).to_string();
    let server = ModelServer::start().await;
    for body in [whole.clone(), format!("\u{feff}{whole}")] {
        for content_type in ["text/html; charset=utf-8", "text/plain", "text/event-stream"] {
            server.push(Answer::text(200, body.clone()).with_header("content-type", content_type));
            assert_eq!(backend(&server).chat(question()).await.unwrap().text(), "Whole");
        }
    }
    let answer = Answer::sse([HALF, END]).with_header("content-type", "text/html");
    assert_eq!(streamed(answer).await.unwrap().text(), "Half");
}

#[tokio::test]
async fn what_is_no_answer_is_said_to_be_none() {
    let page = Answer::text(200, "<html>canary</html>");
    for (answer, expected) in [
        (page.clone(), "it is an HTML page"),
        (
            page.with_header("content-type", "text/html"),
            "it is an HTML page",
        ),
        (Answer::text(200, "canary"), "it is not JSON (line 1, column 1)"),
        (Answer::new(200), "it is empty"),
        (
            Answer::text(200, "{\"choices\":[{\"mess"),
            "it is not JSON (line 1, column 18)",
        ),
        (
            Answer::new(200).with_body(&b"{\"id\":\"\xff\"}"[..]),
            "it is not JSON (line 1, column 8)",
        ),
        (
            Answer::text(200, "\"canary\""),
            "it is JSON of another kind (line 1, column 8)",
        ),
        (
            Answer::json(200, &json!({ "choices": "canary" })),
            "it is JSON of another kind (line 1, column 19)",
        ),
        (
            Answer::json(200, &json!({ "detail": "canary" })),
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
        (
            Answer::text(200, "{}").with_huge_header(100_000),
            "its headers are larger than 64 KiB",
        ),
    ] {
        let error = asked(answer).await;
        assert_eq!(what_is_wrong(&error), expected);
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(!shown(&error).contains("canary"));
    }
}

#[tokio::test]
async fn an_error_in_place_of_an_answer_is_the_providers() {
    let told = json!({ "error": { "message": "No.", "type": "insufficient_quota" } });
    let error = asked(Answer::json(200, &told)).await;
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert!(
        error
            .to_string()
            .ends_with("answered 200 insufficient_quota: No. (request req-1)"),
        "{error}"
    );
}

#[tokio::test]
async fn an_error_of_the_one_answer_keeps_what_had_come() {
    let error = json!({ "code": 502, "message": "The provider left." });
    let choice = |message: Value| json!({ "choices": [{ "finish_reason": "error", "message": message, "error": error }] });
    match asked(Answer::json(200, &choice(json!({ "content": "half" })))).await {
        BackendError::Interrupted { partial, source } => {
            assert_eq!(
                (partial.text().as_str(), source.kind()),
                ("half", ErrorKind::Server)
            );
        }
        other => panic!("{other:?}"),
    }
    for message in [json!({ "content": "" }), Value::Null] {
        let told = asked(Answer::json(200, &choice(message))).await.to_string();
        assert!(
            told.ends_with("answered 200: The provider left. (request req-1)"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_gateway_that_answers_200_to_everything_is_believed_to_have_failed() {
    for (told, expected) in [
        (
            json!({ "object": "error", "message": "No.", "code": 40001 }),
            "No.",
        ),
        (json!({ "type": "error", "message": "No." }), "No."),
        (
            json!({ "code": "InvalidParameter", "message": "No.", "request_id": "r" }),
            "No.",
        ),
        (json!({ "status": "449", "msg": "No.", "body": null }), "No."),
        (json!({ "success": false, "code": 404, "msg": "No." }), "No."),
        (
            json!({ "success": false, "errors": [{ "code": 7, "message": "No." }] }),
            "No.",
        ),
        (
            json!({ "id": "", "choices": null, "base_resp": { "status_code": 1004, "status_msg": "No." } }),
            "No.",
        ),
    ] {
        for error in [
            asked(Answer::json(200, &told)).await,
            streamed(Answer::json(200, &told)).await.unwrap_err().0,
        ] {
            assert!(
                matches!(&error, BackendError::Provider(error) if error.message == expected),
                "{error:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_token_that_an_error_quotes_is_not_shown() {
    let escaped = format!("\\u{:04x}{}", u32::from(CANARY.as_bytes()[0]), &CANARY[1..]);
    let nested = json!({ "message": format!("bad token {CANARY}") }).to_string();
    let mut errors = Vec::new();
    for told in [
        format!("{{\"error\":{{\"message\":\"bad token {CANARY}\",\"code\":\"{CANARY}\"}}}}"),
        format!("{{\"error\":{{\"message\":\"bad token {escaped}\",\"code\":\"{escaped}\"}}}}"),
        json!({ "error": { "message": nested, "code": CANARY } }).to_string(),
        json!({ "error": { "message": format!("{}bad token {CANARY}", "x".repeat(980)), "code": CANARY } })
            .to_string(),
    ] {
        errors.push((asked(Answer::text(200, told.clone())).await, "***"));
        errors.push((
            streamed(Answer::text(200, told.clone())).await.unwrap_err().0,
            "***",
        ));
        for event in [
            format!("data: {told}\n\n"),
            format!("event: error\ndata: {told}\n\n"),
        ] {
            let answer = Answer::sse([HALF.to_owned(), event.clone()]);
            errors.push((streamed(answer).await.unwrap_err().0, "***"));
            // The last thing that comes.
            let answer = Answer::sse([HALF.to_owned(), event.trim_end().to_owned()]);
            errors.push((streamed(answer).await.unwrap_err().0, "***"));
        }
    }
    let object = json!({ "object": "error", "message": CANARY, "code": CANARY });
    let said = streamed(Answer::sse([format!("data: {object}\n\n")])).await;
    errors.push((said.unwrap_err().0, "***"));
    let odd = Answer::text(200, "x").with_header("content-type", format!("text/{CANARY}"));
    errors.push((streamed(odd).await.unwrap_err().0, "text/***"));
    for (error, expected) in errors {
        let shown = shown(&error);
        assert!(
            !shown.contains("sk-canary") && shown.contains(expected),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_the_networks_fault() {
    let error = asked(Answer::truncated("{\"choices\":")).await;
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

/// Nothing hangs or panics, and what had come is kept.
#[tokio::test]
async fn an_answer_that_ends_at_any_byte_is_an_error_or_whole() {
    let server = ModelServer::start().await;
    let backend = backend(&server);
    let piece = |more: &str| json!({ "choices": [{ "delta": { "tool_calls": [{ "index": 0, "id": "a", "function": { "name": "time", "arguments": more } }] } }] });
    let call = format!(
        "data: {}\n\ndata: {}\n\n",
        piece("{\"at\":"),
        piece("\"\u{1f980}\"}")
    );
    let stream = format!("{HALF}{call}{END}data: [DONE]\n\n");
    let end = stream.find("data: [DONE]").unwrap() - 2;
    for at in 1..stream.len() {
        let (head, tail) = stream.as_bytes().split_at(at);
        server.push(Answer::sse([head.to_vec(), tail.to_vec()]));
        let whole = backend
            .chat_stream(question())
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
        assert_eq!((&*whole.text(), whole.tool_calls().count()), ("Half", 1), "{at}");
        server.push(Answer::sse([head.to_vec()]));
        match backend.chat_stream(question()).await.unwrap().collect().await {
            Ok(reply) => assert!(at >= end && reply.message == whole.message, "{at}"),
            Err(BackendError::Interrupted { partial, source }) => {
                assert!(at < end, "{at}");
                assert!("Half".starts_with(&partial.text()), "{at}");
                assert_eq!(
                    partial.tool_calls().count(),
                    0,
                    "{at}: a call that isn't whole stays untold"
                );
                assert_eq!(source.kind(), ErrorKind::Network, "{at}");
            }
            Err(other) => panic!("{at}: {other:?}"),
        }
    }
    let chat = json!({ "choices": [{ "message": { "content": "Whole \u{1f980}" } }] }).to_string();
    let output =
        json!([{ "type": "message", "content": [{ "type": "output_text", "text": "Whole \u{1f980}" }] }]);
    let response = json!({ "status": "completed", "output": output }).to_string();
    let responses = responses_backend(&server);
    for at in 0..chat.len().max(response.len()) {
        for (body, backend) in [(&chat, &backend as &dyn LlmBackend), (&response, &responses)] {
            let cut = &body.as_bytes()[..at.min(body.len() - 1)];
            server.push(Answer::new(200).with_body(cut.to_vec()));
            let error = backend.chat(question()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{at}: {error}");
        }
    }
}

#[tokio::test]
async fn an_event_without_an_end_is_refused() {
    let chunk = Bytes::from(vec![b'x'; 1 << 20]);
    let answer = Answer::endless(chunk).with_header("content-type", "text/event-stream");
    let (error, _) = streamed(answer).await.unwrap_err();
    assert_eq!(what_is_wrong(&error), "an event is larger than 64 MiB");
}

#[tokio::test]
async fn arguments_without_an_end_are_refused() {
    let call = json!({ "choices": [{ "delta": { "tool_calls": [{ "index": 0, "function": { "arguments": "x".repeat(1 << 20) } }] } }] });
    let answer = Answer::endless(format!("data: {call}\n\n"));
    let (error, _) = streamed(answer).await.unwrap_err();
    assert_eq!(
        what_is_wrong(&error),
        "its tool calls and extra members are larger than 64 MiB"
    );
}

#[tokio::test]
async fn more_calls_than_anyone_makes_are_refused() {
    let call = json!({ "id": "a", "function": { "name": "time", "arguments": "{}" } });
    let said = json!({ "tool_calls": vec![call; 1025] });
    let whole = json!({ "choices": [{ "message": said }] });
    let chunk = json!({ "choices": [{ "delta": said }] });
    let error = asked(Answer::json(200, &whole)).await;
    assert_eq!(what_is_wrong(&error), "it has more than 1024 tool calls");
    let (error, _) = streamed(Answer::sse([format!("data: {chunk}\n\n")]))
        .await
        .unwrap_err();
    assert_eq!(what_is_wrong(&error), "it has more than 1024 tool calls");
}

#[tokio::test]
async fn a_server_that_falls_silent_does_not_hang_the_caller() {
    let server = ModelServer::start().await;
    let options = HttpOptions::default()
        .with_first_byte_timeout(Duration::from_millis(400))
        .with_idle_timeout(Duration::from_millis(400));
    let http = HttpClient::new(options).unwrap();
    let base_url = ServerUrl::parse(&server.base_url(), "base_url", Transport::Encrypted).unwrap();
    let retry = gatepass_http::RetryPolicy::never();
    let backend = OpenAiBackend::with_http(http, base_url, Arc::new(key())).with_retry(retry);
    let phase = |error: BackendError| match error {
        BackendError::Network { phase, .. } => phase,
        other => panic!("{other:?}"),
    };
    server.push(Answer::hang());
    assert_eq!(
        phase(backend.chat(question()).await.unwrap_err()),
        Phase::FirstByte
    );
    server.push(Answer::drip("{\"choices\":[]}", Duration::from_secs(1)));
    assert_eq!(phase(backend.chat(question()).await.unwrap_err()), Phase::Idle);
    server.push(Answer::sse([HALF]).then_hang());
    let mut events = backend.chat_stream(question()).await.unwrap();
    assert!(events.try_next().await.unwrap().is_some());
    assert!(events.try_next().await.unwrap().is_some());
    assert_eq!(phase(events.try_next().await.unwrap_err()), Phase::Idle);
    assert_eq!(
        events.try_next().await.unwrap(),
        None,
        "after an error the stream is over"
    );
}

#[tokio::test]
async fn a_list_of_models_is_read_though_one_of_them_is_none() {
    let server = ModelServer::start().await;
    let model = json!({ "id": "a", "owned_by": "x" });
    for list in [
        json!({ "data": [null, model, { "id": 7 }] }),
        json!([model, "b", {}]),
    ] {
        server.push(Answer::json(200, &list));
        let models = backend(&server).models().await.unwrap();
        assert_eq!(models.len(), 1);
        assert_eq!(
            (models[0].id.as_str(), &models[0].extra["owned_by"]),
            ("a", &json!("x"))
        );
    }
    server.push(Answer::json(200, &json!({})));
    let error = backend(&server).models().await.unwrap_err();
    assert_eq!(what_is_wrong(&error), "it has no list of models");
    server.push(Answer::json(
        200,
        &json!({ "error": { "message": "No such key.", "code": "invalid_api_key" } }),
    ));
    let error = backend(&server).models().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.to_string().contains("No such key."), "{error}");
}

#[tokio::test]
async fn half_a_character_costs_that_character_alone_in_a_whole_answer_too() {
    let server = ModelServer::start().await;
    let chat = r#"{"choices":[{"message":{"content":"cut \ud83d"},"finish_reason":"length"}]}"#;
    server.push(Answer::new(200).with_body(chat));
    let reply = backend(&server).chat(question()).await.unwrap();
    assert_eq!(reply.text(), "cut \u{fffd}");
}
