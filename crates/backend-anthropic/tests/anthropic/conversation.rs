//! What works: on a server that behaves.

use crate::{CANARY, backend, key, question, sse};
use gatepass_anthropic::AnthropicBackend;
use gatepass_core::{
    AccessToken, ChatRequest, FinishReason, LlmBackend, Message, Part, Role, StaticTokenSource, Tool,
    ToolCall, ToolChoice, ToolResult,
};
use gatepass_testkit::{Answer, ModelServer, ScriptedReply, contract, eventually};
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn it_keeps_the_contract() {
    let server = ModelServer::start().await;
    server.require_bearer(CANARY);
    contract::llm_backend(|| backend(&server), &server).await;
    contract::complete_backend(|| backend(&server), &server, CANARY).await;
}

#[tokio::test]
async fn a_question_goes_to_the_messages_below_the_base_url_with_the_key_in_its_own_header() {
    let server = ModelServer::start().await;
    let with_version = server.base_url();
    let without = with_version.trim_end_matches("/v1").to_owned();
    for base_url in [
        with_version.clone() + "/",
        with_version,
        without.clone() + "/",
        without,
    ] {
        let backend = AnthropicBackend::new(&base_url, key()).unwrap();
        backend.chat(question()).await.unwrap();
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    for request in requests {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/v1/messages")
        );
        assert_eq!(request.header("x-api-key"), Some(CANARY));
        assert_eq!(request.header("authorization"), None);
        assert_eq!(request.header("anthropic-version"), Some("2023-06-01"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        let content = json!([{ "type": "text", "text": "Say something." }]);
        assert_eq!(
            request.json,
            json!({ "model": "test-model", "messages": [{ "role": "user", "content": content }], "max_tokens": 4096 })
        );
    }
}

#[tokio::test]
async fn any_other_token_is_a_bearer() {
    let server = ModelServer::start().await;
    let token = StaticTokenSource::new(AccessToken::bearer("at-1").unwrap());
    let backend = AnthropicBackend::new(&server.base_url(), token).unwrap();
    backend.chat(question()).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.bearer(), Some("at-1"));
    assert_eq!(request.header("x-api-key"), None);
}

#[tokio::test]
async fn a_base_url_that_would_betray_the_key_is_refused() {
    for bad in [
        "http://llm.corp.example/v1",
        "https://u:p@llm.corp.example/v1",
        "llm.corp.example",
        "",
    ] {
        let error = AnthropicBackend::new(bad, key()).unwrap_err().to_string();
        assert!(error.starts_with("base_url"), "{error}");
    }
}

#[tokio::test]
async fn headers_are_added_and_betas_gathered_and_none_replaces_the_credential() {
    let server = ModelServer::start().await;
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-version", HeaderValue::from_static("2030-01-01"));
    headers.insert("anthropic-beta", HeaderValue::from_static("b"));
    headers.append("anthropic-beta", HeaderValue::from_static("c"));
    headers.insert("x-api-key", HeaderValue::from_static("stranger"));
    headers.insert("x-team", HeaderValue::from_static("blue"));
    backend(&server)
        .with_beta(HeaderValue::from_static("a"))
        .with_headers(headers)
        .with_beta(HeaderValue::from_static("d"))
        .chat(question())
        .await
        .unwrap();
    let request = &server.requests()[0];
    let all = |name: &str| -> Vec<_> { request.headers.get_all(name).iter().cloned().collect() };
    assert_eq!(all("anthropic-beta"), ["a,b,c,d"]);
    assert_eq!(all("anthropic-version"), ["2030-01-01"]);
    assert_eq!(all("x-team"), ["blue"]);
    assert_eq!(all("x-api-key"), [CANARY]);
}

#[tokio::test]
async fn a_reply_tells_its_request_and_the_limits() {
    let server = ModelServer::start().await;
    server.push_reply(ScriptedReply::text("Hi").with_usage(3, 1).with_finish("length"));
    let reply = backend(&server).chat(question()).await.unwrap();
    let usage = reply.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (Some(3), Some(1)));
    assert_eq!(reply.finish, Some(FinishReason::Length));
    assert_eq!(
        (reply.id.as_deref(), reply.model.as_deref()),
        (Some("msg_test"), Some("test-model"))
    );
    assert_eq!(reply.metadata.request_id.as_deref(), Some("req-1"));
    assert_eq!(reply.metadata.rate_limits.requests.remaining, Some(499));
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
    request
        .messages
        .push(Message::new(Role::Tool, [Part::ToolResult(result)]));
    assert_eq!(backend.chat(request).await.unwrap().text(), "It is sunny.");
    let sent = &server.requests()[1].json["messages"];
    let called =
        json!({ "type": "tool_use", "id": "toolu_0", "name": "weather", "input": { "city": "Paris" } });
    let result = json!({ "type": "tool_result", "tool_use_id": "toolu_0", "content": "sunny" });
    assert_eq!(sent[1], json!({ "role": "assistant", "content": [called] }));
    assert_eq!(sent[2], json!({ "role": "user", "content": [result] }));
}

#[tokio::test]
async fn tokens_are_counted_without_an_answer() {
    let server = ModelServer::start().await;
    let request = question().with_max_tokens(7).with_temperature(0.5);
    assert_eq!(backend(&server).count_tokens(&request).await.unwrap(), 2);
    let sent = &server.requests()[0];
    assert_eq!(sent.path, "/v1/messages/count_tokens");
    let names: Vec<_> = sent.json.as_object().unwrap().keys().collect();
    assert_eq!(names, ["messages", "model"]);
    server.push(Answer::json(200, &json!({ "tokens": 2 })));
    let error = backend(&server).count_tokens(&request).await.unwrap_err();
    assert!(
        error.to_string().contains("it is JSON of another kind"),
        "{error}"
    );
}

#[tokio::test]
async fn models_are_listed_page_by_page() {
    let server = ModelServer::start().await;
    let model = |id: &str| json!({ "type": "model", "id": id, "display_name": id.to_uppercase() });
    server.push(Answer::json(
        200,
        &json!({ "data": [model("a"), model("b&x=1")], "has_more": true, "first_id": "a", "last_id": "b&x=1" }),
    ));
    server.push(Answer::json(
        200,
        &json!({ "data": [model("c"), { "odd": 1 }], "has_more": false, "last_id": "c" }),
    ));
    let models = backend(&server).models().await.unwrap();
    let names: Vec<_> = models.iter().map(|model| model.id.as_str()).collect();
    assert_eq!(names, ["a", "b&x=1", "c"]);
    assert_eq!(models[0].extra["display_name"], "A");
    let requests = server.requests();
    assert_eq!(requests[0].path, "/v1/models");
    assert_eq!(requests[0].query, [("limit".to_owned(), "1000".to_owned())]);
    assert_eq!(requests[1].query_value("after_id"), Some("b&x=1"));
}

#[tokio::test]
async fn a_list_of_models_that_never_ends_is_left() {
    let server = ModelServer::start().await;
    server.always(Answer::json(
        200,
        &json!({ "data": [{ "id": "a" }], "has_more": true, "last_id": "a" }),
    ));
    assert_eq!(backend(&server).models().await.unwrap().len(), 2);
    assert_eq!(server.requests().len(), 2, "the same page again");
}

#[tokio::test]
async fn a_server_that_never_hangs_up_after_its_answer_does_not_hold_it_up() {
    let server = ModelServer::start().await;
    let events = sse(&[
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "Hi" } }),
        json!({ "type": "message_stop" }),
    ]);
    server.push(Answer::sse(events).then_hang());
    let events = backend(&server).chat_stream(question()).await.unwrap();
    let reply = tokio::time::timeout(Duration::from_secs(5), events.collect()).await;
    assert_eq!(reply.expect("it ends").unwrap().text(), "Hi");
    eventually("its connection is closed", || server.open_connections() == 0).await;
}

#[tokio::test]
async fn a_request_that_cannot_be_said_asks_nobody() {
    let server = ModelServer::start().await;
    let backend = backend(&server);
    let nameless = ChatRequest::new([Message::user("Hi")]);
    assert!(backend.chat(nameless.clone()).await.is_err());
    assert!(backend.count_tokens(&nameless).await.is_err());
    assert!(backend.chat_stream(nameless).await.is_err());
    assert_eq!(server.requests().len(), 0);
}

/// A model's name stands in the body, never in the address.
#[tokio::test]
async fn a_models_name_does_not_change_the_address() {
    let server = ModelServer::start().await;
    for name in ["../../admin", "a/b?c=d#e", "a%2fb"] {
        let request = question().with_model(name);
        let backend = backend(&server);
        backend.chat(request.clone()).await.unwrap();
        backend.count_tokens(&request).await.unwrap();
    }
    for (position, request) in server.requests().iter().enumerate() {
        let expected = ["/v1/messages", "/v1/messages/count_tokens"][position % 2];
        assert_eq!((request.path.as_str(), request.query.len()), (expected, 0));
    }
}
