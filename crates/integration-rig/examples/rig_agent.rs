//! An agent of rig with a role, a goal, a backstory and a task, on a provider that is nothing but an entry of
//! `litellm_config.json`. The authorization server and the model run inside this program.
//!
//! Run with: cargo run --manifest-path crates/integration-rig/Cargo.toml --example rig_agent

#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use gatepass::{Llm, LlmConfig};
use gatepass_rig::completion_model;
use gatepass_testkit::{AuthorizationServer, ModelServer, ScriptedReply};
use rig_agent::AgentBuilder;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let authorization = AuthorizationServer::start().await;
    let server = ModelServer::start().await;
    server.require_token(&authorization);
    server.reply(ScriptedReply::text(
        "Three trends: smaller models, longer contexts, agents that check each other.",
    ));

    // 1. This file is all that a user writes.
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("litellm_config.json");
    let config = json!({ "oauth2_providers": { "corp": {
        "client_id": AuthorizationServer::CLIENT_ID,
        "client_secret": AuthorizationServer::CLIENT_SECRET,
        "token_url": authorization.token_url(),
        "base_url": server.base_url(),
    } } });
    std::fs::write(&path, config.to_string())?;

    // 2. The model of that entry, as a model of rig.
    let llm = Llm::with_config(&LlmConfig::new("corp/my-model").with_config_path(&path)).await?;
    let model = completion_model(llm.backend().clone(), llm.model());

    // 3. The agent: who it is …
    let agent = AgentBuilder::new(model)
        .name("researcher")
        .preamble("You are a senior researcher.")
        .append_preamble("Your goal: uncover what is new in artificial intelligence.")
        .append_preamble("Your backstory: you have worked at a leading think tank for ten years.")
        .temperature(0.2)
        .build();

    // … and what it shall do.
    let task = "Name three trends of this year. Expected output: one sentence.";
    let answer = agent.prompt(task).await?;
    println!("{}", answer.output());
    println!(
        "token requests: {}, model requests: {}",
        authorization.token_requests(),
        answer.requests()
    );
    Ok(())
}
