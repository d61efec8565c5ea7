//! An answer as it is written: text, thoughts, tool calls and usage are events of one stream. Stop reading, and
//! the connection is closed.
//!
//! Run with: cargo run --example streaming

#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use gatepass::{AccessToken, ChatEvent, ChatRequest, Llm, Message, StaticTokenSource, openai::OpenAiBackend};
use gatepass_testkit::ModelServer;
use std::io::Write;
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A model inside this program; with a key of your own it is `Llm::connect("gpt-4o-mini")`.
    let model = ModelServer::start().await;
    model.reply_text("Packets depart in rows, / each one waits for its echo: / nothing is lost here.");
    model.set_chunk_delay(Duration::from_millis(10));
    let llm = Llm::new(
        OpenAiBackend::new(
            &model.base_url(),
            StaticTokenSource::new(AccessToken::bearer("key")?),
        )?,
        "my-model",
    );

    let request = ChatRequest::new([Message::user("Explain TCP in a haiku")]).with_max_tokens(100);
    let mut events = llm.chat_stream(request).await?;
    while let Some(event) = events.try_next().await? {
        match event {
            ChatEvent::Text(text) => print!("{text}"),
            ChatEvent::Reasoning(thought) => print!("({})", thought.text),
            ChatEvent::ToolCallStart { name, .. } => print!("[{name}]"),
            ChatEvent::Usage(usage) => print!("\n{:?} tokens in all", usage.total_tokens.unwrap_or_default()),
            ChatEvent::Finish(reason) => print!("\nended: {reason:?}"),
            _ => {}
        }
        std::io::stdout().flush()?;
    }
    println!();
    Ok(())
}
