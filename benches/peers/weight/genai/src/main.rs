//! Asks a model: `weight-genai BASE_URL QUESTION`, its key in `MODEL_KEY`.

use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatRequest};
use genai::resolver::{AuthData, Endpoint, ServiceTargetResolver};
use genai::{Client, ModelIden, ServiceTarget};
use std::error::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(base_url), Some(question)) = (arguments.next(), arguments.next()) else {
        return Err("BASE_URL QUESTION".into());
    };
    let key = std::env::var("MODEL_KEY")?;
    let resolver = ServiceTargetResolver::from_resolver_fn(
        move |target: ServiceTarget| -> Result<ServiceTarget, genai::resolver::Error> {
            Ok(ServiceTarget {
                endpoint: Endpoint::from_owned(format!("{base_url}/")),
                auth: AuthData::from_single(key.clone()),
                model: ModelIden::new(AdapterKind::OpenAI, target.model.model_name),
            })
        },
    );
    let client = Client::builder().with_service_target_resolver(resolver).build()?;
    let request = ChatRequest::new(vec![ChatMessage::user(question)]);
    let reply = client.exec_chat("model", request, None).await?;
    println!("{}", reply.first_text().unwrap_or_default());
    Ok(())
}
