//! The whole path on one machine: a configuration file, a token, an answer; then everything that can happen to
//! a token. The authorization server and the model run inside this program, on free ports of 127.0.0.1.
//!
//! Run with: cargo run --example quickstart

#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use gatepass::{ChatEvent, ChatRequest, ExposeSecret, Llm, LlmConfig, Message};
use gatepass_testkit::{AuthorizationServer, ModelServer};
use std::io::Write;
use std::time::{Duration, Instant};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Result {
    let authorization = AuthorizationServer::start().await;
    authorization.set_lifetime(Duration::from_secs(2));
    let model = ModelServer::start().await;
    model.require_token(&authorization);
    model.reply_text("The capital of France is Paris.");

    // 1. This file is all that a user writes.
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("litellm_config.json");
    std::fs::write(&path, config_file(&authorization, &model))?;
    println!("{}\n", path.display());

    // 2. And this is all of the program: the model's name, and the question.
    let config = LlmConfig::new("corp/my-model").with_config_path(&path);
    let llm = Llm::with_config(&config).await?;

    let ask = async |what: &str| -> Result {
        let (requests, began) = (authorization.token_requests(), Instant::now());
        let answer = llm.ask("What is the capital of France?").await?;
        let (requests, time) = (authorization.token_requests() - requests, began.elapsed());
        println!("{what:44} {time:>9.2?}  token requests: {requests}  {answer}");
        Ok(())
    };

    ask("first call: asks for a token").await?;
    ask("second call: the token is cached").await?;
    tokio::time::sleep(Duration::from_millis(2100)).await;
    ask("after its 2 s of life: a new one").await?;
    let source = gatepass::token_source("corp", Some(&path))?;
    authorization.revoke(source.token().await?.expose_secret());
    ask("revoked at the server: refused, replayed").await?;

    print!("{:44} ", "streamed:");
    let began = Instant::now();
    let mut events = llm
        .chat_stream(ChatRequest::new([Message::user("And of Italy?")]))
        .await?;
    while let Some(event) = events.try_next().await? {
        if let ChatEvent::Text(text) = event {
            print!("{text}|");
            std::io::stdout().flush()?;
        }
    }
    println!("  {:.2?}", began.elapsed());
    Ok(())
}

fn config_file(authorization: &AuthorizationServer, model: &ModelServer) -> String {
    format!(
        r#"{{
  "oauth2_providers": {{
    "corp": {{
      "client_id": "{}",
      "client_secret": "{}",
      "token_url": "{}",
      "base_url": "{}"
    }}
  }}
}}"#,
        AuthorizationServer::CLIENT_ID,
        AuthorizationServer::CLIENT_SECRET,
        authorization.token_url(),
        model.base_url(),
    )
}
