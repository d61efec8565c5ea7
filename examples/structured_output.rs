//! An answer that is a Rust type: its JSON Schema goes with the request, and the answer is read into it.
//!
//! Run with: cargo run --example structured_output

#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use gatepass::{AccessToken, Llm, StaticTokenSource, StructuredError, openai::OpenAiBackend};
use gatepass_testkit::ModelServer;

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[expect(dead_code, reason = "they are shown by Debug")]
struct City {
    name: String,
    /// Within its borders, in people
    inhabitants: u64,
    rivers: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A model inside this program; with a key of your own it is `Llm::connect("gpt-4o-mini")`.
    let model = ModelServer::start().await;
    let llm = Llm::new(
        OpenAiBackend::new(
            &model.base_url(),
            StaticTokenSource::new(AccessToken::bearer("key")?),
        )?,
        "my-model",
    );

    model.reply_text(r#"{"name":"Paris","inhabitants":2103000,"rivers":["Seine"]}"#);
    let city: City = llm.ask_as("Which is the largest city of France?").await?;
    println!("{city:?}");

    model.reply_text("It is Paris, of course.");
    match llm.ask_as::<City>("And now in prose?").await {
        Err(error @ StructuredError::Unreadable { .. }) => println!("{error}; {}", error.fix()),
        other => println!("{other:?}"),
    }
    Ok(())
}
