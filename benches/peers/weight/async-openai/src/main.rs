//! Asks a model: `weight-async-openai BASE_URL QUESTION`, its key in `MODEL_KEY`.

use async_openai::config::OpenAIConfig;
use async_openai::types::chat::{ChatCompletionRequestUserMessageArgs, CreateChatCompletionRequestArgs};
use std::error::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(base_url), Some(question)) = (arguments.next(), arguments.next()) else {
        return Err("BASE_URL QUESTION".into());
    };
    let key = std::env::var("MODEL_KEY")?;
    let config = OpenAIConfig::new().with_api_base(base_url).with_api_key(key);
    let message = ChatCompletionRequestUserMessageArgs::default()
        .content(question)
        .build()?;
    let request = CreateChatCompletionRequestArgs::default()
        .model("model")
        .messages([message.into()])
        .build()?;
    let reply = async_openai::Client::with_config(config)
        .chat()
        .create(request)
        .await?;
    let choice = reply.choices.into_iter().next();
    println!(
        "{}",
        choice
            .and_then(|choice| choice.message.content)
            .unwrap_or_default()
    );
    Ok(())
}
