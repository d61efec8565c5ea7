//! A backend of your own is one method: here it sends text and gets text, in the words of chat completions.
//! `AuthorizedClient` adds the token, retries, the replay after a 401, and limits. The contract suite proves all that a
//! backend promises.
//!
//! Run with: cargo run --example custom_backend

#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use gatepass::http_client::{
    AuthorizedClient, ErrorAnswer, HttpClient, HttpOptions, ServerUrl, Transport, request_id,
};
use gatepass::{
    AccessToken, BackendError, ChatReply, ChatRequest, FinishReason, Llm, LlmBackend, Message, ProviderError,
    Role, StaticTokenSource, TokenSource, Usage, async_trait, printable,
};
use gatepass_testkit::{ModelServer, contract};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

struct TextBackend(AuthorizedClient);

impl TextBackend {
    fn new(http: HttpClient, base_url: ServerUrl, source: impl TokenSource + 'static) -> Self {
        Self(AuthorizedClient::new(
            http,
            base_url,
            Arc::new(source),
            read_error,
        ))
    }
}

#[async_trait]
impl LlmBackend for TextBackend {
    async fn chat(&self, request: ChatRequest) -> Result<ChatReply, BackendError> {
        let body = body_of(&request)?;
        let mut answer = self.0.post_json("chat/completions", body.to_string()).await?;
        let request_id = request_id(answer.headers());
        let read: Answer =
            serde_json::from_slice(&answer.read(16 << 20).await?).map_err(|error| BackendError::Decode {
                host: answer.host().to_owned(),
                what: "it is no chat completion".into(),
                request_id: request_id.clone(),
                source: Some(Arc::new(error)),
            })?;
        let ([choice], tokens) = (read.choices, read.usage);
        let mut usage = Usage::default();
        usage.input_tokens = tokens.prompt_tokens;
        usage.output_tokens = tokens.completion_tokens;

        let mut reply = ChatReply::new(Message::assistant(choice.message.content));
        reply.finish = choice.finish_reason.map(|reason| match &*reason {
            "stop" => FinishReason::Stop,
            "length" => FinishReason::Length,
            _ => FinishReason::Other(reason),
        });
        reply.usage = Some(usage);
        reply.metadata.request_id = request_id;
        Ok(reply)
    }
}

/// What this backend can't say is an error, and not left out.
fn body_of(request: &ChatRequest) -> Result<Value, BackendError> {
    if request.messages.is_empty() {
        let what = "there is no message".into();
        return Err(BackendError::Request { what });
    }
    if !request.tools.is_empty() || request.response_format.is_some() {
        let what = "tools and schemas";
        return Err(BackendError::Unsupported { what });
    }
    let mut parts = request.messages.iter().flat_map(|message| &message.parts);
    if parts.any(|part| part.as_text().is_none()) {
        let what = "anything but text";
        return Err(BackendError::Unsupported { what });
    }
    let messages = request.messages.iter().map(|message| {
        let role = match message.role {
            Role::System => "system",
            Role::Assistant => "assistant",
            _ => "user",
        };
        json!({ "role": role, "content": message.text() })
    });
    Ok(json!({
        "model": request.model,
        "messages": messages.collect::<Vec<_>>(),
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
    }))
}

/// Status and headers are read already.
fn read_error(answer: &ErrorAnswer<'_>, error: &mut ProviderError) {
    let body: Value = serde_json::from_slice(answer.body).unwrap_or_default();
    if let Some(Value::String(message)) = body.pointer("/error/message") {
        error.message = printable(message);
    }
}

#[derive(Deserialize)]
struct Answer {
    choices: [Choice; 1],
    usage: Tokens,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    content: String,
}

#[derive(Deserialize)]
struct Tokens {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = ModelServer::start().await;
    server.require_bearer("a-key");
    let source = StaticTokenSource::new(AccessToken::bearer("a-key")?);
    let http = HttpClient::new(HttpOptions::default())?;
    let base_url = ServerUrl::parse(&server.base_url(), "base_url", Transport::Encrypted)?;
    let backend = || TextBackend::new(http.clone(), base_url.clone(), source.clone());

    contract::llm_backend(backend, &server).await;
    println!("the backend keeps the contract");

    let llm = Llm::new(backend(), "my-model");
    println!("{}", llm.ask("What is the capital of France?").await?);
    Ok(())
}
