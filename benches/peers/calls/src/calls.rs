use async_openai::config::OpenAIConfig;
use async_openai::types::chat::{
    ChatCompletionRequestMessage, ChatCompletionRequestSystemMessageArgs,
    ChatCompletionRequestUserMessageArgs, CreateChatCompletionRequest, CreateChatCompletionRequestArgs,
};
use gatepass_benches::clients::{KEY, MODEL, PROMPT, SYSTEM};
use gatepass_benches::{Job, TEXT};
use genai::adapter::AdapterKind;
use genai::resolver::{AuthData, Endpoint, ServiceTargetResolver};
use genai::{ModelIden, ServiceTarget};
use rig_core::completion::CompletionRequest;
use std::error::Error;

pub(crate) const ASYNC_OPENAI: &str = "async-openai 0.43.0";
pub(crate) const GENAI: &str = "genai 0.7.2";
pub(crate) const RIG: &str = "rig-core 0.44.0";

pub(crate) fn jobs(base_url: &str) -> Result<Vec<Job>, Box<dyn Error>> {
    let (async_openai, genai, rig) = (async_openai(base_url), genai(base_url)?, rig(base_url));
    Ok(vec![
        Job::new(ASYNC_OPENAI, TEXT.len(), move || {
            let client = async_openai.clone();
            async move {
                let Ok(request) = async_openai_request() else {
                    return 0;
                };
                let reply = client.chat().create(request).await.ok();
                let first = reply.and_then(|reply| reply.choices.into_iter().next());
                first
                    .and_then(|choice| choice.message.content)
                    .map_or(0, |text| text.len())
            }
        }),
        Job::new(GENAI, TEXT.len(), move || {
            let client = genai.clone();
            async move {
                let reply = client.exec_chat(MODEL, genai_request(), None).await.ok();
                reply
                    .as_ref()
                    .and_then(|reply| reply.first_text())
                    .map_or(0, str::len)
            }
        }),
        Job::new(RIG, TEXT.len(), move || {
            let model = rig.clone();
            async move {
                let reply = model.call(rig_request()).await.ok();
                reply.map_or(0, |reply| reply.text().len())
            }
        }),
    ])
}

pub(crate) fn async_openai(base_url: &str) -> async_openai::Client<OpenAIConfig> {
    let config = OpenAIConfig::new().with_api_base(base_url).with_api_key(KEY);
    async_openai::Client::with_config(config)
}

pub(crate) fn async_openai_request() -> Result<CreateChatCompletionRequest, Box<dyn Error + Send + Sync>> {
    let messages: [ChatCompletionRequestMessage; 2] = [
        ChatCompletionRequestSystemMessageArgs::default()
            .content(SYSTEM)
            .build()?
            .into(),
        ChatCompletionRequestUserMessageArgs::default()
            .content(PROMPT)
            .build()?
            .into(),
    ];
    Ok(CreateChatCompletionRequestArgs::default()
        .model(MODEL)
        .messages(messages)
        .build()?)
}

pub(crate) fn genai(base_url: &str) -> Result<genai::Client, Box<dyn Error>> {
    let base_url = format!("{base_url}/");
    let resolver = ServiceTargetResolver::from_resolver_fn(
        move |target: ServiceTarget| -> Result<ServiceTarget, genai::resolver::Error> {
            Ok(ServiceTarget {
                endpoint: Endpoint::from_owned(base_url.clone()),
                auth: AuthData::from_single(KEY),
                model: ModelIden::new(AdapterKind::OpenAI, target.model.model_name),
            })
        },
    );
    Ok(genai::Client::builder()
        .with_service_target_resolver(resolver)
        .build()?)
}

pub(crate) fn genai_request() -> genai::chat::ChatRequest {
    use genai::chat::{ChatMessage, ChatRequest};
    ChatRequest::new(vec![ChatMessage::system(SYSTEM), ChatMessage::user(PROMPT)])
}

pub(crate) fn rig(base_url: &str) -> rig_core::DynModel<rig_core::operation::Completion> {
    let config = rig_core::providers::openai::OpenAIConfig::new(KEY).with_base_url(base_url);
    config.client().chat(MODEL).erase()
}

pub(crate) fn rig_request() -> CompletionRequest {
    CompletionRequest::new(PROMPT).preamble(SYSTEM)
}
