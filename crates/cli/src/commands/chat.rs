use crate::args::{ChatArgs, Form};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Printer};
use crate::{input, report, runtime, spinner};
use gatepass::{
    BackendError, ChatEvent, ChatReply, ChatRequest, ChatStream, ConfigError, FinishReason, Llm, LlmConfig,
    Message, ToolCall,
};
use serde_json::{Value, json};

pub(crate) fn run(args: &ChatArgs, form: Form) -> Result<Exit, Failure> {
    runtime::run(async {
        let llm = Llm::with_config(&config(args)?).await.map_err(in_our_words)?;
        let request = request(args).await?;
        match form {
            Form::Text => answer_in_text(&llm, request, args).await?,
            Form::Json => out::json(&described(&spinner::during(whole(&llm, request, args)).await?))?,
        }
        Ok(Exit::Success)
    })
}

fn config(args: &ChatArgs) -> Result<LlmConfig, Failure> {
    let mut config = args.connection.config(&args.model)?;
    if let Some(provider) = &args.oauth2 {
        config = config.with_oauth2(provider);
    }
    config.temperature = args.temperature;
    config.max_tokens = args.max_tokens;
    Ok(config)
}

/// The option's name, where a library would speak of its own.
fn in_our_words(mut error: ConfigError) -> ConfigError {
    if let ConfigError::Invalid(problem) = &mut error
        && problem.field.as_deref() == Some("oauth_provider")
    {
        problem.field = Some("--oauth2".into());
    }
    error
}

async fn request(args: &ChatArgs) -> Result<ChatRequest, Failure> {
    let schema = args.schema.as_deref().map(input::schema).transpose()?;
    let prompt = Message::user(input::prompt(args.prompt.as_deref()).await?);
    let messages: Vec<_> = args
        .system
        .as_deref()
        .map(Message::system)
        .into_iter()
        .chain([prompt])
        .collect();
    let request = ChatRequest::new(messages);
    Ok(match schema {
        Some(schema) => request.with_json_schema("answer", schema),
        None => request,
    })
}

async fn whole(llm: &Llm, request: ChatRequest, args: &ChatArgs) -> Result<ChatReply, BackendError> {
    match args.no_stream {
        true => llm.chat(request).await,
        false => llm.chat_stream(request).await?.collect().await,
    }
}

async fn answer_in_text(llm: &Llm, request: ChatRequest, args: &ChatArgs) -> Result<(), Failure> {
    let reply = match args.no_stream {
        true => {
            let reply = spinner::during(llm.chat(request)).await?;
            Printer::new().print(&reply.text())?;
            reply
        }
        false => stream_text(llm, request).await?,
    };
    if let Some(note) = note(&reply) {
        report::note(note);
    }
    Ok(())
}

/// Prints the text as it comes, and returns all that came.
async fn stream_text(llm: &Llm, request: ChatRequest) -> Result<ChatReply, Failure> {
    let mut reply = ChatReply::default();
    let mut printer = Printer::new();
    let (mut events, mut text) = spinner::during(async {
        let mut events = llm.chat_stream(request).await?;
        let text = next_text(&mut events, &mut reply).await?;
        Ok::<_, BackendError>((events, text))
    })
    .await?;
    while let Some(piece) = text {
        printer.print(&piece)?;
        text = next_text(&mut events, &mut reply).await?;
    }
    Ok(reply)
}

/// The next piece of text; what comes between goes into `reply`.
async fn next_text(events: &mut ChatStream, reply: &mut ChatReply) -> Result<Option<String>, BackendError> {
    while let Some(event) = events.try_next().await? {
        match event {
            ChatEvent::Text(text) => return Ok(Some(text)),
            other => reply.add(other),
        }
    }
    Ok(None)
}

/// What a reader of the text alone would miss.
fn note(reply: &ChatReply) -> Option<&'static str> {
    match reply.finish {
        Some(FinishReason::Length) => {
            Some("the answer is cut off: it reached --max-tokens, or the model's limit")
        }
        Some(FinishReason::ContentFilter) => Some("the provider withheld something"),
        _ if reply.tool_calls().next().is_some() => Some("the model asks for a tool: --json shows which"),
        _ => None,
    }
}

fn described(reply: &ChatReply) -> Value {
    json!({
        "text": reply.text(),
        "tool_calls": reply.tool_calls().map(described_call).collect::<Vec<_>>(),
        "finish": reply.finish.as_ref().map(finish_name),
        "usage": reply.usage,
        "model": reply.model,
        "id": reply.id,
        "request_id": reply.metadata.request_id,
    })
}

fn described_call(call: &ToolCall) -> Value {
    json!({ "id": call.id, "name": call.name, "arguments": call.arguments })
}

fn finish_name(reason: &FinishReason) -> &str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter => "content_filter",
        FinishReason::Other(reason) => reason,
        _ => "other",
    }
}
