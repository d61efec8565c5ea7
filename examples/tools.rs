//! Tools with the functions behind them: the model asks, gatepass runs them and tells the answers, until the
//! model has done. The JSON Schema of a function's arguments is made from their type.
//!
//! Run with: cargo run --example tools

#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use gatepass::{AccessToken, ChatRequest, Llm, Message, StaticTokenSource, Toolbox, openai::OpenAiBackend};
use gatepass_testkit::{ModelServer, ScriptedReply};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Place {
    /// The city's name, in English
    city: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A model inside this program, which asks for the weather first.
    let model = ModelServer::start().await;
    let two_calls = ScriptedReply::tool_call("weather", r#"{"city":"Paris"}"#);
    model.push_reply(two_calls.with_tool_call("weather", r#"{"city":"Rome"}"#));
    model.reply_text("It is sunny in Paris and in Rome.");
    let llm = Llm::new(
        OpenAiBackend::new(
            &model.base_url(),
            StaticTokenSource::new(AccessToken::bearer("key")?),
        )?,
        "my-model",
    );

    let tools = Toolbox::new().with_function("weather", "The weather in a city", |place: Place| async move {
        println!("  looking up {}", place.city);
        match place.city.as_str() {
            "Paris" | "Rome" => Ok("sunny, 21 °C".to_owned()),
            other => Err(format!("nobody knows {other}")), // the model is told
        }
    });
    let request = ChatRequest::new([Message::user("How is the weather in Paris and Rome?")]);
    let run = llm.run_tools(request, &tools).await?;
    println!(
        "{} (after {} answers, {} messages)",
        run.reply.text(),
        run.rounds,
        run.messages.len()
    );
    Ok(())
}
