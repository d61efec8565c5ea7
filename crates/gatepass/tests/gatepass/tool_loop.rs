//! G7: the token is looked at before each request, also where tools take their time in between.

use crate::World;
#[cfg(feature = "agent")]
use gatepass::Agent;
use gatepass::{ChatRequest, Llm, Message, Tool, Toolbox};
use gatepass_testkit::ScriptedReply;
use serde_json::json;
use std::time::Duration;

/// Long enough that a busy machine gets a request off in a part of it.
const LIFETIME: Duration = Duration::from_secs(2);

/// A model that asks for a tool once, a tool that outlives the token, and a server that refuses what has run out.
async fn world() -> (World, Llm, Toolbox) {
    let world = World::new().await;
    world.authorization.set_lifetime(LIFETIME);
    world
        .model
        .push_reply(ScriptedReply::tool_call("look_up", r#"{"what":"France"}"#));
    let llm = Llm::with_config(&world.config("corp/a")).await.unwrap();
    let tool = Tool::new("look_up", json!({ "type": "object" }));
    let tools = Toolbox::new().with(tool, |_| async {
        tokio::time::sleep(LIFETIME + Duration::from_millis(200)).await;
        Ok("found".into())
    });
    (world, llm, tools)
}

/// Two requests, each with a token of its own that the server had not refused before.
fn two_tokens_and_no_refusal(world: &World) {
    let requests = world.model.requests();
    let tokens: Vec<_> = requests.iter().map(|request| request.bearer().unwrap()).collect();
    let [first, second] = tokens[..] else {
        panic!("a refused request would have come again: {tokens:?}");
    };
    assert_ne!(first, second);
    assert!(!world.authorization.is_active(first));
    assert!(world.authorization.is_active(second));
    assert_eq!(world.authorization.token_requests(), 2);
}

/// G7
#[tokio::test]
async fn a_token_that_runs_out_while_a_tool_works_is_replaced_before_the_next_request() {
    let (world, llm, tools) = world().await;
    let request = ChatRequest::new([Message::user("What is the capital of France?")]);
    let run = llm.run_tools(request, &tools).await.unwrap();
    assert_eq!((run.reply.text().as_str(), run.rounds), ("Paris", 2));
    two_tokens_and_no_refusal(&world);
}

/// G7
#[cfg(feature = "agent")]
#[tokio::test]
async fn an_agent_whose_tool_outlives_the_token_is_never_refused() {
    let (world, llm, tools) = world().await;
    let agent = Agent::new("guide", "What is the capital of {{ country }}?", llm).unwrap();
    let agent = agent.with_tools(tools);
    let answer = agent.run(json!({ "country": "France" })).await.unwrap();
    assert_eq!(answer, "Paris");
    two_tokens_and_no_refusal(&world);
}
