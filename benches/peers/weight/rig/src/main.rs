//! Asks a model: `weight-rig BASE_URL QUESTION`, its key in `MODEL_KEY`.

use rig_core::completion::CompletionRequest;
use rig_core::providers::openai::OpenAIConfig;
use std::error::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(base_url), Some(question)) = (arguments.next(), arguments.next()) else {
        return Err("BASE_URL QUESTION".into());
    };
    let config = OpenAIConfig::new(std::env::var("MODEL_KEY")?).with_base_url(base_url);
    let model = config.client().chat("model").erase();
    let reply = model.call(CompletionRequest::new(question)).await?;
    println!("{}", reply.text());
    Ok(())
}
