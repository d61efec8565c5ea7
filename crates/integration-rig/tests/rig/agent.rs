use crate::model_of;
use gatepass::{Llm, LlmConfig};
use gatepass_testkit::{AuthorizationServer, ModelServer, ScriptedReply};
use rig_agent::AgentBuilder;
use rig_core::message::Message;
use rig_core::tool::PortableTool;
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;

struct Adder;

#[derive(Deserialize)]
struct Sum {
    x: i64,
    y: i64,
}

impl PortableTool for Adder {
    const NAME: &'static str = "add";
    type Args = Sum;
    type Output = i64;
    type Error = Infallible;

    fn description(&self) -> String {
        "adds".into()
    }

    fn parameters(&self) -> Value {
        json!({"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}})
    }

    async fn call(&self, sum: Sum) -> Result<i64, Infallible> {
        Ok(sum.x + sum.y)
    }
}

/// C9
#[tokio::test]
async fn an_agents_tool_is_called_and_its_result_sent_back() {
    let server = ModelServer::start().await;
    server.push_reply(ScriptedReply::tool_call("add", r#"{"x":20,"y":22}"#));
    server.push_reply(ScriptedReply::text("It is 42."));
    let agent = AgentBuilder::new(model_of(&server)).tool(Adder).build();
    let answer = agent
        .prompt("What is 20 + 22?")
        .max_turns(3)
        .await
        .expect("it answers");

    assert_eq!(answer.output(), "It is 42.");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    let messages = requests[1].json["messages"].as_array().expect("a list");
    let (asked, told) = (&messages[messages.len() - 2], &messages[messages.len() - 1]);
    assert_eq!(asked["tool_calls"][0]["function"]["name"], "add");
    assert_eq!(told["role"], "tool");
    assert_eq!(told["tool_call_id"], asked["tool_calls"][0]["id"]);
    assert_eq!(told["content"], "42");
}

#[tokio::test]
async fn a_chat_remembers_its_turns() {
    let server = ModelServer::start().await;
    server.push_reply(ScriptedReply::text("Paris."));
    server.push_reply(ScriptedReply::text("Rome."));
    let agent = AgentBuilder::new(model_of(&server)).preamble("Be brief.").build();
    let mut history = Vec::<Message>::new();
    agent
        .chat("Capital of France?", &mut history)
        .await
        .expect("it answers");
    let answer = agent
        .chat("And of Italy?", &mut history)
        .await
        .expect("it answers");

    assert_eq!((answer.output().as_str(), history.len()), ("Rome.", 4));
    let requests = server.requests();
    let texts: Vec<_> = requests[1].json["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|message| message["content"].as_str())
        .collect();
    assert_eq!(
        texts,
        ["Be brief.", "Capital of France?", "Paris.", "And of Italy?"]
    );
}

#[tokio::test]
async fn an_agent_goes_on_when_its_token_is_revoked_between_two_turns() {
    let authorization = AuthorizationServer::start().await;
    let server = ModelServer::start().await;
    server.require_token(&authorization);
    server.push_reply(ScriptedReply::text("One."));
    server.push_reply(ScriptedReply::text("Two."));
    let directory = tempfile::tempdir().expect("a folder");
    let path = directory.path().join("litellm_config.json");
    let config = json!({ "oauth2_providers": { "corp": {
        "client_id": AuthorizationServer::CLIENT_ID,
        "client_secret": AuthorizationServer::CLIENT_SECRET,
        "token_url": authorization.token_url(),
        "base_url": server.base_url(),
    } } });
    std::fs::write(&path, config.to_string()).expect("written");
    let llm = Llm::with_config(&LlmConfig::new("corp/test-model").with_config_path(&path))
        .await
        .expect("a good file");

    let agent = AgentBuilder::new(gatepass_rig::completion_model(llm.backend().clone(), llm.model())).build();
    assert_eq!(agent.prompt("Count.").await.expect("it answers").output(), "One.");
    let first = server.requests()[0].bearer().expect("a token").to_owned();
    authorization.revoke(&first);
    assert_eq!(agent.prompt("Go on.").await.expect("it answers").output(), "Two.");

    assert_eq!(authorization.token_requests(), 2);
    let last = server.requests().pop().expect("a request");
    assert!(last.bearer().is_some_and(|token| token != first));
}
