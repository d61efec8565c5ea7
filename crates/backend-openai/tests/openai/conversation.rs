//! What works: on a server that behaves.

use crate::{CANARY, backend, question};
use gatepass_core::{
    ChatEvent, ChatRequest, FinishReason, LlmBackend, Message, Role, Tool, ToolCall, ToolChoice, ToolResult,
};
use gatepass_openai::OpenAiBackend;
use gatepass_testkit::{Answer, ModelServer, ScriptedReply, contract, eventually};
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn it_keeps_the_contract() {
    let server = ModelServer::start().await;
    server.require_bearer(CANARY);
    contract::llm_backend(|| backend(&server), &server).await;
    contract::complete_backend(|| backend(&server), &server, CANARY).await;
}

#[tokio::test]
async fn a_question_goes_to_the_chat_below_the_base_url() {
    let server = ModelServer::start().await;
    for base_url in [server.base_url(), server.base_url() + "/"] {
        let backend = OpenAiBackend::new(&base_url, crate::key()).unwrap();
        backend.chat(question()).await.unwrap();
    }
    for request in server.requests() {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/v1/chat/completions")
        );
        assert_eq!(request.bearer(), Some(CANARY));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(
            request.json,
            json!({ "model": "test-model", "messages": [{ "role": "user", "content": "Say something." }] })
        );
    }
}

#[tokio::test]
async fn a_call_goes_back_as_it_came_whatever_its_type() {
    let server = ModelServer::start().await;
    let backend = backend(&server);
    for call in [
        json!({ "id": "a", "type": "function", "function": { "name": "time", "arguments": "{}" } }),
        json!({ "id": "a", "type": "builtin_function", "function": { "name": "$web_search", "arguments": "{}" } }),
        json!({ "id": "a", "type": "custom", "custom": { "name": "sql", "input": "select 1" } }),
        json!({ "id": "a", "type": "web_browser", "web_browser": { "input": "cats", "outputs": [{ "title": "C" }] } }),
    ] {
        let message = json!({ "role": "assistant", "content": null, "tool_calls": [call] });
        let delta =
            json!({ "choices": [{ "delta": { "tool_calls": [call] }, "finish_reason": "tool_calls" }] });
        server.push(Answer::json(200, &json!({ "choices": [{ "message": message }] })));
        server.push(Answer::sse([format!("data: {delta}\n\n")]));
        let whole = backend.chat(question()).await.unwrap();
        let streamed = backend.chat_stream(question()).await.unwrap();
        for reply in [whole, streamed.collect().await.unwrap()] {
            let mut request = question();
            request.messages.push(reply.message);
            backend.chat(request).await.unwrap();
            assert_eq!(server.requests().pop().unwrap().json["messages"][1], message);
        }
    }
}

#[tokio::test]
async fn a_base_url_that_would_betray_the_token_is_refused() {
    for bad in [
        "http://llm.corp.example/v1",
        "https://u:p@llm.corp.example/v1",
        "llm.corp.example",
        "",
    ] {
        let error = OpenAiBackend::new(bad, crate::key()).unwrap_err().to_string();
        assert!(error.starts_with("base_url"), "{error}");
    }
}

#[tokio::test]
async fn a_reply_tells_its_request_and_the_limits() {
    let server = ModelServer::start().await;
    server.push_reply(ScriptedReply::text("Hi").with_usage(3, 1).with_finish("length"));
    let reply = backend(&server).chat(question()).await.unwrap();
    let usage = reply.usage.unwrap();
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.total_tokens),
        (Some(3), Some(1), Some(4))
    );
    assert_eq!(reply.finish, Some(FinishReason::Length));
    assert_eq!(
        (reply.id.as_deref(), reply.model.as_deref()),
        (Some("chatcmpl-test"), Some("test-model"))
    );
    assert_eq!(reply.metadata.request_id.as_deref(), Some("req-1"));
    assert_eq!(reply.metadata.rate_limits.requests.remaining, Some(499));
    assert_eq!(
        reply.metadata.rate_limits.tokens.reset,
        Some(Duration::from_millis(90_500))
    );
}

#[tokio::test]
async fn a_stream_is_told_as_it_is_written() {
    let server = ModelServer::start().await;
    server.reply(ScriptedReply::text("One two three").with_usage(3, 3));
    server.set_chunk_delay(Duration::from_millis(20));
    let mut events = backend(&server).chat_stream(question()).await.unwrap();
    assert_eq!(events.metadata().request_id.as_deref(), Some("req-1"));
    let mut told = Vec::new();
    while let Some(event) = events.try_next().await.unwrap() {
        told.push(event);
    }
    let texts: Vec<_> = told
        .iter()
        .filter_map(|event| match event {
            ChatEvent::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["One ", "two ", "three"]);
    assert!(
        matches!(
            &told[0],
            ChatEvent::Started {
                id: Some(_),
                model: Some(_),
                wire: Some(_),
            }
        ),
        "{told:?}"
    );
    let end = told
        .iter()
        .position(|event| *event == ChatEvent::Finish(FinishReason::Stop))
        .unwrap();
    assert!(
        matches!(&told[end + 1], ChatEvent::Usage(usage) if usage.total_tokens == Some(6)),
        "{told:?}"
    );
    let request = &server.requests()[0].json;
    assert_eq!(
        (&request["stream"], &request["stream_options"]["include_usage"]),
        (&json!(true), &json!(true))
    );
}

#[tokio::test]
async fn a_tool_is_called_answered_and_talked_about() {
    let server = ModelServer::start().await;
    server.push_reply(ScriptedReply::tool_call("weather", r#"{"city":"Paris"}"#));
    server.push_reply(ScriptedReply::text("It is sunny."));
    let backend = backend(&server);
    let weather = Tool::new("weather", json!({ "type": "object" }));
    let mut request = question()
        .with_tools([weather])
        .with_tool_choice(ToolChoice::Auto);
    let reply = backend.chat(request.clone()).await.unwrap();
    assert_eq!(reply.finish, Some(FinishReason::ToolCalls));
    let call: ToolCall = reply.tool_calls().next().unwrap().clone();
    request.messages.push(reply.message);
    let result = ToolResult::to_call(&call, "sunny");
    request.messages.push(Message::new(
        Role::Tool,
        [gatepass_core::Part::ToolResult(result)],
    ));
    assert_eq!(backend.chat(request).await.unwrap().text(), "It is sunny.");
    assert_eq!(
        server.requests()[1].json["messages"],
        json!([
            { "role": "user", "content": "Say something." },
            { "role": "assistant", "content": null, "tool_calls": [
                { "id": "call_0", "type": "function", "function": { "name": "weather", "arguments": "{\"city\":\"Paris\"}" } },
            ] },
            { "role": "tool", "tool_call_id": "call_0", "content": "sunny" },
        ])
    );
}

#[tokio::test]
async fn models_are_listed() {
    let server = ModelServer::start().await;
    let models = backend(&server).models().await.unwrap();
    let names: Vec<_> = models.iter().map(|model| model.id.as_str()).collect();
    assert_eq!(names, ModelServer::MODELS);
    assert_eq!(models[0].extra["owned_by"], "test");
}

#[tokio::test]
async fn headers_are_added_and_never_replace_the_credential() {
    let server = ModelServer::start().await;
    let mut headers = HeaderMap::new();
    headers.insert("openai-organization", HeaderValue::from_static("org-1"));
    headers.insert("authorization", HeaderValue::from_static("Bearer stranger"));
    backend(&server)
        .with_headers(headers)
        .chat(question())
        .await
        .unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.header("openai-organization"), Some("org-1"));
    let credentials: Vec<_> = request.headers.get_all("authorization").iter().collect();
    assert_eq!(credentials, [&format!("Bearer {CANARY}")]);
}

#[tokio::test]
async fn a_connection_serves_one_stream_after_the_other() {
    let server = ModelServer::start().await;
    let (base_url, connections) = count_connections(server.base_url()).await;
    let backend = OpenAiBackend::new(&base_url, crate::key()).unwrap();
    let answer = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let slow_to_end = Answer::slow_sse([answer, ": bye\n\n"], Duration::from_millis(10));
    server.always(slow_to_end);
    for _ in 0..10 {
        backend
            .chat_stream(question())
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
    }
    let connections = connections.load(Ordering::SeqCst);
    assert!(connections <= 3, "{connections}: one, if the machine isn't busy");
}

/// An address that leads to `base_url`, and the number of connections to it.
async fn count_connections(base_url: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = base_url
        .trim_start_matches("http://")
        .trim_end_matches("/v1")
        .to_owned();
    let address = format!("http://{}/v1", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut server = TcpStream::connect(&server).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    (address, connections)
}

#[tokio::test]
async fn a_server_that_never_hangs_up_after_its_answer_does_not_hold_it_up() {
    let server = ModelServer::start().await;
    let chunk = r#"data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#;
    server.push(Answer::sse([format!("{chunk}\n\ndata: [DONE]\n\n")]).then_hang());
    let events = backend(&server).chat_stream(question()).await.unwrap();
    let reply = tokio::time::timeout(Duration::from_secs(5), events.collect()).await;
    assert_eq!(reply.expect("it ends").unwrap().text(), "Hi");
    eventually("its connection is closed", || server.open_connections() == 0).await;
}

#[tokio::test]
async fn the_other_choices_are_kept_as_they_came() {
    let choice = |index, text| json!({ "index": index, "message": { "content": text }, "x": 1 });
    let server = ModelServer::start().await;
    let all = json!({ "choices": [choice(1, "b"), choice(0, "a"), choice(2, "c")] });
    server.push(Answer::json(200, &all));
    let request = question().with_extra("n", 3);
    let reply = backend(&server).chat(request).await.unwrap();
    assert_eq!(server.requests()[0].json["n"], 3);
    assert_eq!(reply.text(), "a");
    assert_eq!(reply.extra["choices"], json!([choice(1, "b"), choice(2, "c")]));
}

#[tokio::test]
async fn a_request_that_cannot_be_said_asks_nobody() {
    let server = ModelServer::start().await;
    let backend = backend(&server);
    let nameless = ChatRequest::new([Message::user("Hi")]);
    assert!(backend.chat(nameless.clone()).await.is_err());
    assert!(backend.chat_stream(nameless).await.is_err());
    assert_eq!(server.requests().len(), 0);
}
