//! The Responses API, over HTTP.

use crate::{CANARY, question, responses_backend};
use gatepass_core::{
    Advice, BackendError, ChatRequest, EmbeddingRequest, ErrorKind, FinishReason, LlmBackend, Message, Part,
    Phase, Role, ToolResult,
};
use gatepass_http::RetryPolicy;
use gatepass_openai::OpenAiResponsesBackend;
use gatepass_testkit::outcome::shown;
use gatepass_testkit::{Answer, ModelServer, ScriptedReply, Value, contract};
use serde_json::json;

fn text(text: &str) -> Value {
    json!({ "id": "resp_1", "model": "m", "status": "completed", "output": [
        { "type": "message", "id": "msg_1", "role": "assistant", "content": [{ "type": "output_text", "text": text, "annotations": [] }] },
    ] })
}

/// A stream of events, named as the API names them.
fn stream(events: &[Value]) -> String {
    let events = events.iter();
    events
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect()
}

fn words() -> [Value; 4] {
    let done = text("Paris is \u{1f980}");
    [
        json!({ "type": "response.created", "response": { "id": "resp_1", "model": "m", "status": "in_progress" } }),
        json!({ "type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "msg_1", "delta": "Paris " }),
        json!({ "type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "msg_1", "delta": "is \u{1f980}" }),
        json!({ "type": "response.completed", "response": done }),
    ]
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let server = ModelServer::start().await;
    server.require_bearer(CANARY);
    contract::llm_backend(|| responses_backend(&server), &server).await;
    contract::complete_backend(|| responses_backend(&server), &server, CANARY).await;
}

#[tokio::test]
async fn an_answer_at_its_limit_says_so_whole_and_streamed() {
    let server = ModelServer::start().await;
    let backend = responses_backend(&server);
    server.reply(
        ScriptedReply::text("Half an")
            .with_finish("length")
            .with_usage(3, 2),
    );
    let mut whole = backend.chat(question()).await.unwrap();
    let mut streamed = backend
        .chat_stream(question())
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    for reply in [&mut whole, &mut streamed] {
        reply.metadata.request_id = None;
    }
    assert_eq!(streamed, whole);
    assert_eq!(whole.finish, Some(FinishReason::Length));
    assert_eq!(whole.usage.unwrap().total_tokens, Some(5));
}

#[tokio::test]
async fn a_question_goes_to_the_responses_below_the_base_url() {
    let server = ModelServer::start().await;
    for base_url in [server.base_url(), server.base_url() + "/"] {
        let backend = OpenAiResponsesBackend::new(&base_url, crate::key()).unwrap();
        server.push(Answer::json(200, &text("Hi")));
        let reply = backend.chat(question()).await.unwrap();
        assert_eq!(reply.text(), "Hi");
        assert_eq!(reply.metadata.rate_limits.requests.remaining, Some(499));
    }
    for request in server.requests() {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/v1/responses")
        );
        assert_eq!(request.bearer(), Some(CANARY));
        let input = json!([{ "role": "user", "content": "Say something." }]);
        assert_eq!(request.json, json!({ "model": "test-model", "input": input }));
    }
}

#[tokio::test]
async fn tokens_are_counted_and_vectors_and_models_are_had() {
    let server = ModelServer::start().await;
    let backend = responses_backend(&server);
    assert_eq!(backend.count_tokens(&question()).await.unwrap(), 2);
    assert_eq!(server.requests()[0].path, "/v1/responses/input_tokens");
    let request = EmbeddingRequest::new(["one", "three"]).with_model("m");
    let vectors = backend.embed(request).await.unwrap().vectors;
    assert_eq!(vectors, [[3.0, 0.5, -0.25], [5.0, 0.5, -0.25]]);
    assert_eq!(backend.models().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_stream_cut_at_every_byte_tells_the_same() {
    let server = ModelServer::start().await;
    let backend = responses_backend(&server);
    let body = stream(&words());
    let mut expected = None;
    for at in 0..body.len() {
        let (first, second) = body.as_bytes().split_at(at);
        server.push(Answer::sse([first.to_vec(), second.to_vec()]));
        let reply = backend
            .chat_stream(question())
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
        let reply = (reply.message, reply.finish, reply.id, reply.model);
        assert_eq!(*expected.get_or_insert(reply.clone()), reply, "cut at {at}");
    }
    assert_eq!(expected.unwrap().0.text(), "Paris is \u{1f980}");
}

#[tokio::test]
async fn a_stream_that_ends_at_any_byte_too_early_keeps_what_had_come() {
    let server = ModelServer::start().await;
    let backend = responses_backend(&server).with_retry(RetryPolicy::never());
    let body = stream(&words());
    let last = body.rfind("event:").unwrap();
    for at in (1..last).step_by(7) {
        server.push(Answer::sse([body.as_bytes()[..at].to_vec()]));
        match backend.chat_stream(question()).await.unwrap().collect().await {
            Err(BackendError::Interrupted { partial, source }) => {
                assert!("Paris is \u{1f980}".starts_with(&partial.text()), "{partial:?}");
                let is_cut = matches!(
                    &*source,
                    BackendError::Network {
                        phase: Phase::Body,
                        ..
                    }
                );
                assert!(is_cut, "{at}: {source:?}");
            }
            other => panic!("{at}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_answers_in_one_piece_is_understood() {
    let server = ModelServer::start().await;
    server.push(Answer::json(200, &text("Hi")));
    let events = responses_backend(&server).chat_stream(question()).await.unwrap();
    assert_eq!(events.collect().await.unwrap().text(), "Hi");
}

#[tokio::test]
async fn a_server_that_only_streams_is_understood() {
    let server = ModelServer::start().await;
    server.push(Answer::text(200, stream(&words())));
    let reply = responses_backend(&server).chat(question()).await.unwrap();
    assert_eq!(
        (reply.text().as_str(), reply.finish),
        ("Paris is \u{1f980}", Some(FinishReason::Stop))
    );
}

#[tokio::test]
async fn a_call_that_the_whole_response_leaves_out_is_told() {
    let server = ModelServer::start().await;
    let call = json!({ "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "time", "arguments": "" });
    let about = |event: &str, more: Value| {
        let mut event = json!({ "type": format!("response.{event}"), "output_index": 0, "item_id": "fc_1" });
        event
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        event
    };
    let begun = about("output_item.added", json!({ "item": call }));
    let told = about(
        "function_call_arguments.done",
        json!({ "arguments": "{\"at\":1}" }),
    );
    let pieces = [
        about("function_call_arguments.delta", json!({ "delta": "{\"at\"" })),
        about("function_call_arguments.delta", json!({ "delta": ":1}" })),
    ];
    let end = json!({ "type": "response.completed", "response": text("") });
    let [first, second] = pieces;
    for events in [
        vec![begun.clone(), told.clone(), end.clone()],
        vec![begun, first, second, told, end],
    ] {
        server.push(Answer::sse([stream(&events)]));
        let events = responses_backend(&server).chat_stream(question()).await.unwrap();
        let reply = events.collect().await.unwrap();
        let calls: Vec<_> = reply
            .tool_calls()
            .map(|call| (&*call.id, &*call.arguments))
            .collect();
        assert_eq!(calls, [("call_1", "{\"at\":1}")]);
        assert_eq!(reply.finish, Some(FinishReason::ToolCalls));
    }
}

#[tokio::test]
async fn a_response_that_failed_is_the_providers_error() {
    let server = ModelServer::start().await;
    let backend = responses_backend(&server).with_retry(RetryPolicy::never());
    let error = json!({ "code": "server_error", "message": format!("boom {CANARY}") });
    server.push(Answer::json(
        200,
        &json!({ "status": "failed", "output": [], "error": error }),
    ));
    match backend.chat(question()).await.unwrap_err() {
        BackendError::Provider(told) => {
            assert_eq!((told.kind, told.status), (ErrorKind::Server, 200));
            assert_eq!(told.code.as_deref(), Some("server_error"));
            assert!(told.message.starts_with("boom") && !told.message.contains(CANARY));
        }
        other => panic!("{other:?}"),
    }
    let mut half = text("half");
    half["status"] = json!("failed");
    half["error"] = error.clone();
    server.push(Answer::json(200, &half));
    match backend.chat(question()).await.unwrap_err() {
        BackendError::Interrupted { partial, source } => {
            assert_eq!(
                (partial.text().as_str(), source.kind()),
                ("half", ErrorKind::Server)
            );
        }
        other => panic!("{other:?}"),
    }
    let failed = json!({ "type": "response.failed", "response": { "status": "failed", "error": error } });
    let limit = json!({ "type": "error", "error": { "type": "tokens", "code": "rate_limit_exceeded", "message": "slow down" } });
    for (event, kind) in [(failed, ErrorKind::Server), (limit, ErrorKind::RateLimit)] {
        let mut events = words().to_vec();
        *events.last_mut().unwrap() = event;
        // With a name and without.
        let named = stream(&events);
        let unnamed: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        for body in [named, unnamed] {
            server.push(Answer::sse([body]));
            match backend.chat_stream(question()).await.unwrap().collect().await {
                Err(error @ BackendError::Interrupted { .. }) => {
                    assert_eq!(error.kind(), kind);
                    assert!(matches!(error.advice(), Advice::Retry { .. }));
                    assert!(!shown(&error).contains(CANARY));
                    let BackendError::Interrupted { partial, .. } = error else {
                        unreachable!()
                    };
                    assert_eq!(partial.text(), "Paris is \u{1f980}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_response_is_an_error_that_quotes_nothing() {
    let server = ModelServer::start().await;
    let backend = responses_backend(&server).with_retry(RetryPolicy::never());
    for body in [
        "",
        "canary",
        "[\"canary\"]",
        "\"canary\"",
        "{\"canary\":1}",
        "{\"output\":",
        "<html>canary</html>",
        "null",
    ] {
        for streamed in [false, true] {
            server.push(Answer::text(200, body));
            let asked = if streamed {
                match backend.chat_stream(question()).await {
                    Ok(events) => events.collect().await,
                    Err(error) => Err(error),
                }
            } else {
                backend.chat(question()).await
            };
            let error = asked.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{body} {streamed}: {error:?}");
            assert!(!shown(&error).contains("canary"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_request_that_is_too_large_is_the_requests_fault() {
    let server = ModelServer::start().await;
    let body =
        json!({ "error": { "message": "image too large", "type": "invalid_request_error", "code": null } });
    server.push(Answer::json(413, &body));
    let error = responses_backend(&server).chat(question()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.advice()),
        (ErrorKind::InvalidRequest, Advice::FixConfig)
    );
    assert!(error.to_string().contains("image too large"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_call_without_an_id_of_its_own_is_answered_by_that_of_its_item() {
    let server = ModelServer::start().await;
    let backend = responses_backend(&server);
    let call =
        json!({ "type": "function_call", "id": "fc_1", "call_id": "", "name": "time", "arguments": "{}" });
    server.push(Answer::json(
        200,
        &json!({ "status": "completed", "output": [call] }),
    ));
    let mut request = question();
    let reply = backend.chat(request.clone()).await.unwrap();
    let result = ToolResult::to_call(reply.tool_calls().next().unwrap(), "noon");
    let result = Message::new(Role::Tool, [Part::ToolResult(result)]);
    request.messages.extend([reply.message, result]);
    backend.chat(request).await.unwrap();
    let sent = server.requests().pop().unwrap().json["input"].clone();
    assert_eq!(
        (&sent[1]["call_id"], &sent[2]["call_id"]),
        (&json!("fc_1"), &json!("fc_1"))
    );
}

#[tokio::test]
async fn an_empty_conversation_is_refused_before_anyone_is_asked() {
    let server = ModelServer::start().await;
    let empty: [Message; 0] = [];
    let error = responses_backend(&server)
        .chat(ChatRequest::new(empty).with_model("m"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(server.requests().is_empty());
}
