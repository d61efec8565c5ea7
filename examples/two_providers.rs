//! Gemini and Claude side by side: one request type, each with its own credential in its own header.
//!
//! Run with: GOOGLE_API_KEY=… ANTHROPIC_API_KEY=… cargo run --example two_providers -- real
//! Without `real`, both models are inside this program.

#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use gatepass::{ChatRequest, Llm, LlmConfig, Message};
use gatepass_testkit::ModelServer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = ModelServer::start().await;
    let is_real = std::env::args().nth(1).as_deref() == Some("real");
    let mut conversation = vec![Message::user("What is the capital of France? One word.")];
    for model in ["gemini/gemini-2.5-flash", "anthropic/claude-sonnet-4-5"] {
        let mut config = LlmConfig::new(model).with_max_tokens(100);
        if !is_real {
            let root = server.base_url().trim_end_matches("/v1").to_owned();
            config = config.with_api_key("a-key").with_base_url(root);
        }
        let llm = Llm::with_config(&config).await?;
        let reply = llm.chat(ChatRequest::new(conversation.clone())).await?;
        println!(
            "{model}: {} ({:?} tokens)",
            reply.text(),
            reply.usage.and_then(|usage| usage.total_tokens)
        );

        // What one has said goes on to the next: it is sent what it can take.
        conversation.push(reply.message);
        conversation.push(Message::user("Do you agree?"));
    }
    Ok(())
}
