use crate::args::{Form, ModelsArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{out, runtime, spinner};
use gatepass::{Llm, LlmConfig, ModelInfo, ProviderName, printable};
use serde_json::json;

/// The names as requests use them, in the provider's order.
pub(crate) fn run(args: &ModelsArgs, form: Form) -> Result<Exit, Failure> {
    let models = runtime::run(async {
        let llm = Llm::with_config(&config(args)?).await?;
        Ok(spinner::during(llm.models()).await?)
    })?;
    match form {
        Form::Text => out::write(text(&models).as_bytes())?,
        Form::Json => out::json(&json!({ "models": models }))?,
    }
    Ok(Exit::Success)
}

fn config(args: &ModelsArgs) -> Result<LlmConfig, Failure> {
    let provider = ProviderName::parse(&args.provider)?;
    // A connection is for a model; which one doesn't matter here.
    Ok(args.connection.config(format!("{provider}/any"))?)
}

/// One name a line; a server's words don't drive the terminal.
fn text(models: &[ModelInfo]) -> String {
    let lines = models.iter().map(|model| printable(&model.id) + "\n");
    lines.collect()
}
