//! Asks a model: `weight-gatepass BASE_URL QUESTION`, its key in `MODEL_KEY`.

use gatepass::{AccessToken, Llm, StaticTokenSource, openai::OpenAiBackend};
use std::error::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(base_url), Some(question)) = (arguments.next(), arguments.next()) else {
        return Err("BASE_URL QUESTION".into());
    };
    let key = StaticTokenSource::new(AccessToken::bearer(std::env::var("MODEL_KEY")?)?);
    let llm = Llm::new(OpenAiBackend::new(&base_url, key)?, "model");
    println!("{}", llm.ask(question).await?);
    Ok(())
}
