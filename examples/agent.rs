//! An agent: a prompt with places to fill in, a role, a goal and a backstory, bound to a model of a
//! configuration file. Its token is looked at before each request.
//!
//! Run with: cargo run --example agent

#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use gatepass::{Agent, Llm, LlmConfig};
use gatepass_testkit::{AuthorizationServer, ModelServer};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (authorization, model) = (AuthorizationServer::start().await, ModelServer::start().await);
    model.require_token(&authorization);
    model.reply_text("Bonjour tout le monde");
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("litellm_config.json");
    let entry = json!({
        "client_id": AuthorizationServer::CLIENT_ID,
        "client_secret": AuthorizationServer::CLIENT_SECRET,
        "token_url": authorization.token_url(),
        "base_url": model.base_url(),
    });
    std::fs::write(
        &path,
        json!({ "oauth2_providers": { "corp": entry } }).to_string(),
    )?;

    let llm = Llm::with_config(&LlmConfig::new("corp/my-model").with_config_path(&path)).await?;
    let translator = Agent::new("translator", "Translate '{{ text }}' to {{ language }}", llm)?
        .with_role("a translator of literature")
        .with_goal("keep the tone of the original")
        .with_backstory("You grew up in Paris and in London.");

    let answer = translator
        .run(json!({ "text": "Hello world", "language": "French" }))
        .await?;
    println!("{answer}");
    for message in &translator
        .request(json!({ "text": "Hello world", "language": "French" }))?
        .messages
    {
        println!(
            "  it was asked: {:?} {}",
            message.role,
            message.text().replace('\n', " ")
        );
    }
    println!("  token requests: {}", authorization.token_requests());
    Ok(())
}
