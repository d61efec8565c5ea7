use crate::client::{form, get, json};
use gatepass_testkit::{Answer, AuthorizationServer, ModelServer, ScriptedReply, Value, eventually};
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncReadExt;

fn chat_url(server: &ModelServer) -> String {
    server.base_url() + "/chat/completions"
}

fn question(more: &Value) -> Value {
    let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Hello you" }] });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

async fn ask(server: &ModelServer, more: &Value) -> Value {
    let reply = json(&chat_url(server), &[], &question(more)).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// The events of a streamed answer.
async fn stream(server: &ModelServer, more: Value) -> Vec<Value> {
    let mut body = question(&more);
    body["stream"] = json!(true);
    let text = json(&chat_url(server), &[], &body).send().await.text();
    let events: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .collect();
    let (last, events) = events.split_last().unwrap();
    assert_eq!(*last, "[DONE]");
    events
        .iter()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect()
}

/// B9
#[tokio::test]
async fn it_answers_whole_and_streamed_with_the_same_text() {
    let server = ModelServer::start().await;
    let whole = ask(&server, &json!({})).await;
    assert_eq!(whole["choices"][0]["message"]["content"], ModelServer::TEXT);
    assert_eq!(whole["choices"][0]["finish_reason"], "stop");
    assert_eq!(whole["model"], "m");
    assert_eq!(
        whole["usage"],
        json!({ "prompt_tokens": 2, "completion_tokens": 9, "total_tokens": 11 })
    );
    let events = stream(&server, json!({ "stream_options": { "include_usage": true } })).await;
    let deltas = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
    assert_eq!(deltas.collect::<String>(), ModelServer::TEXT);
    assert_eq!(events.last().unwrap()["usage"], whole["usage"]);
    let events = stream(&server, json!({})).await;
    assert!(events.iter().all(|event| event.get("usage").is_none()));
    assert_eq!(server.requests()[0].json["messages"][0]["content"], "Hello you");
}

#[tokio::test]
async fn a_demanded_tool_is_called() {
    let server = ModelServer::start().await;
    let schema =
        json!({ "type": "object", "required": ["city"], "properties": { "city": { "type": "string" } } });
    let tools = json!([{ "type": "function", "function": { "name": "weather", "parameters": schema } }]);
    let free = ask(&server, &json!({ "tools": tools })).await;
    assert_eq!(free["choices"][0]["message"]["content"], ModelServer::TEXT);
    for choice in [
        json!("required"),
        json!({ "type": "function", "function": { "name": "weather" } }),
    ] {
        let reply = ask(&server, &json!({ "tools": tools, "tool_choice": choice })).await;
        assert_eq!(reply["choices"][0]["finish_reason"], "tool_calls");
        let call = &reply["choices"][0]["message"]["tool_calls"][0]["function"];
        assert_eq!(
            *call,
            json!({ "name": "weather", "arguments": r#"{"city":"text"}"# })
        );
    }
    let events = stream(&server, json!({ "tools": tools, "tool_choice": "required" })).await;
    let calls = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["tool_calls"].get(0));
    let pieces = calls.filter_map(|call| call["function"]["arguments"].as_str());
    assert_eq!(pieces.collect::<String>(), r#"{"city":"text"}"#);
}

#[tokio::test]
async fn a_schema_is_filled_in() {
    let server = ModelServer::start().await;
    let schema = json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": schema } });
    let reply = ask(&server, &json!({ "response_format": format })).await;
    assert_eq!(reply["choices"][0]["message"]["content"], r#"{"n":1}"#);
}

#[tokio::test]
async fn the_script_decides() {
    let server = ModelServer::start().await;
    server.push_reply(
        ScriptedReply::tool_call("t", "{")
            .with_finish("length")
            .with_usage(7, 8),
    );
    server.push(Answer::text(500, "oh"));
    server.reply_text("always this");
    let first = ask(&server, &json!({})).await;
    assert_eq!(first["choices"][0]["finish_reason"], "length");
    assert_eq!(first["usage"]["total_tokens"], 15);
    let second = json(&chat_url(&server), &[], &question(&json!({}))).send().await;
    assert_eq!(second.status, 500);
    assert_eq!(second.header("x-ratelimit-remaining-requests"), Some("499"));
    for _ in 0..2 {
        let reply = ask(&server, &json!({})).await;
        assert_eq!(reply["choices"][0]["message"]["content"], "always this");
    }
}

#[tokio::test]
async fn only_an_active_token_opens_the_door() {
    let authorization = AuthorizationServer::start().await;
    let server = ModelServer::start().await;
    server.require_token(&authorization);
    let models = server.base_url() + "/models";
    let refused = get(&models, &["authorization: Bearer guess"]).send().await;
    assert_eq!(refused.status, 401);
    assert_eq!(
        refused.header("www-authenticate"),
        Some("Bearer error=\"invalid_token\"")
    );
    assert_eq!(refused.json()["error"]["code"], "invalid_api_key");
    assert!(refused.header("x-request-id").is_some());

    let body = "grant_type=client_credentials&client_id=client&client_secret=secret";
    let issued = form(&authorization.token_url(), &[], body).send().await.json();
    let token = issued["access_token"].as_str().unwrap();
    let header = format!("authorization: Bearer {token}");
    let listed = get(&models, &[&header]).send().await;
    assert_eq!(
        (listed.status, &listed.json()["data"][0]["id"]),
        (200, &json!("test-model"))
    );
    authorization.revoke(token);
    assert_eq!(get(&models, &[&header]).send().await.status, 401);

    server.require_bearer("sk-test");
    assert_eq!(
        get(&models, &["authorization: Bearer sk-test"])
            .send()
            .await
            .status,
        200
    );
    assert_eq!(get(&models, &[]).send().await.status, 401);
}

#[tokio::test]
async fn a_bad_request_is_refused_as_openai_would() {
    let server = ModelServer::start().await;
    for body in [
        json!({}),
        json!({ "model": "m", "messages": [] }),
        json!({ "messages": [{}] }),
    ] {
        let reply = json(&chat_url(&server), &[], &body).send().await;
        assert_eq!(
            (reply.status, &reply.json()["error"]["type"]),
            (400, &json!("invalid_request_error"))
        );
    }
    assert_eq!(get(&chat_url(&server), &[]).send().await.status, 404);
    let embeddings = server.base_url() + "/embeddings";
    let vectors = json(&embeddings, &[], &json!({ "input": ["a", "bc"] }))
        .send()
        .await;
    assert_eq!(vectors.json()["data"][1]["embedding"][0], 2.0);
}

#[tokio::test]
async fn a_reader_that_leaves_is_noticed() {
    let server = ModelServer::start().await;
    server.set_chunk_delay(Duration::from_millis(50));
    let request = json(&chat_url(&server), &[], &question(&json!({ "stream": true })));
    let mut stream = request.open().await;
    stream.read_u8().await.unwrap();
    assert_eq!((server.open_connections(), server.aborted()), (1, 0));
    drop(stream);
    eventually("the answer is given up", || server.aborted() == 1).await;
    eventually("the connection is closed", || server.open_connections() == 0).await;
    server.set_chunk_delay(Duration::ZERO);
    ask(&server, &json!({})).await;
    assert_eq!(server.aborted(), 1, "an answer that was read isn't given up");
}
