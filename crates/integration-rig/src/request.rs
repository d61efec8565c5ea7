//! Rig's request, in gatepass's words.

use crate::kept::Kept;
use gatepass_core::{
    ChatRequest, JsonObject, Media, MediaSource, Message, Part, Reasoning, ReasoningEffort, ReasoningOptions,
    Role, Tool, ToolCall, ToolChoice, ToolResult,
};
use rig_core::completion::{CompletionRequest, Effort};
use rig_core::error::EncodeError;
use rig_core::message::{
    self as rig, AssistantContent, AssistantMessage, DocumentSourceKind, MimeType, ToolResultContent,
    UserContent,
};
use serde_json::Value;

type Translated<T> = Result<T, EncodeError>;

pub(crate) fn translate(request: CompletionRequest) -> Translated<ChatRequest> {
    let schema_name = request.output_schema_name();
    let mut chat = ChatRequest::new(messages(request.chat_history)?);
    chat.model = request.model;
    chat.tools = request.tools.into_iter().map(tool).collect();
    chat.tool_choice = request.tool_choice.map(tool_choice).transpose()?;
    chat.temperature = request.temperature;
    chat.max_tokens = request
        .max_tokens
        .map(|most| u32::try_from(most).unwrap_or(u32::MAX));
    if let (Some(name), Some(schema)) = (schema_name, request.output_schema) {
        chat = chat.with_json_schema(name, schema.to_value());
    }
    let options = request.options;
    chat.top_p = options.top_p;
    chat.seed = options
        .seed
        .map(|seed| i64::try_from(seed).map_err(EncodeError::request))
        .transpose()?;
    chat.stop = options.stop;
    chat.parallel_tool_calls = options.parallel_tool_calls;
    chat.reasoning = options.reasoning.and_then(reasoning);
    add_params(&mut chat, request.additional_params)?;
    Ok(chat)
}

/// Tools that the provider runs stand among rig's additional parameters.
fn add_params(chat: &mut ChatRequest, params: Option<Value>) -> Translated<()> {
    match params {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Object(mut params)) => {
            if let Some(Value::Array(tools)) = params.remove("tools") {
                for tool in tools {
                    match tool {
                        Value::Object(tool) => chat.provider_tools.push(tool),
                        _ => return Err(refused("a provider's tool must be a JSON object")),
                    }
                }
            }
            chat.extra = params;
            Ok(())
        }
        Some(_) => Err(refused("additional_params must be a JSON object")),
    }
}

fn messages(history: Vec<rig::Message>) -> Translated<Vec<Message>> {
    let mut messages = Vec::with_capacity(history.len());
    for message in history {
        match message {
            rig::Message::System { content } => messages.push(Message::system(content)),
            rig::Message::User { content } => add_user(&mut messages, content)?,
            rig::Message::Assistant(turn) => messages.extend(assistant(turn)?),
        }
    }
    Ok(messages)
}

/// Rig's user answers for the tools too; here a message is of the one or of the others.
fn add_user(messages: &mut Vec<Message>, content: Vec<UserContent>) -> Translated<()> {
    let mut own: Vec<Message> = Vec::new();
    for content in content {
        let (role, part) = user_part(content)?;
        match own.last_mut() {
            Some(message) if message.role == role => message.parts.push(part),
            _ => own.push(Message::new(role, [part])),
        }
    }
    messages.append(&mut own);
    Ok(())
}

fn user_part(content: UserContent) -> Translated<(Role, Part)> {
    let part = match content {
        UserContent::Text(text) => Part::text(text.text),
        UserContent::ToolResult(result) => return Ok((Role::Tool, Part::ToolResult(tool_result(result)?))),
        UserContent::Image(image) => Part::Image(image_from_rig(image)?),
        UserContent::Audio(audio) => Part::Audio(media(audio.data, audio.media_type.as_ref())?),
        UserContent::Video(video) => Part::File(media(video.data, video.media_type.as_ref())?),
        UserContent::Document(document) => match document.data {
            DocumentSourceKind::String(text) => Part::text(text),
            data => Part::File(media(data, document.media_type.as_ref())?),
        },
    };
    Ok((Role::User, part))
}

fn tool_result(result: rig::ToolResult) -> Translated<ToolResult> {
    let mut content = String::new();
    let mut parts = Vec::new();
    for piece in result.content {
        let text = match piece {
            ToolResultContent::Text(text) => text.text,
            ToolResultContent::Json { value } => value.to_string(),
            ToolResultContent::Image(image) => {
                parts.push(Part::Image(image_from_rig(image)?));
                continue;
            }
        };
        if !content.is_empty() {
            content.push('\n');
        }
        content.push_str(&text);
    }
    let mut answer = ToolResult::new(result.call.wire(), content);
    answer.name = Some(result.name.into());
    answer.parts = parts;
    answer.is_error = result.is_error;
    Ok(answer)
}

/// The model's turn. What was kept of it goes back as it came.
fn assistant(turn: AssistantMessage) -> Translated<Option<Message>> {
    let mut message = Message::new(Role::Assistant, []);
    for content in turn.content {
        let item = match &content {
            AssistantContent::Opaque(opaque) => Some(&opaque.item),
            known => known.native_item(),
        };
        match item.and_then(Kept::read) {
            Some(kept) => {
                message.wire = message.wire.or(kept.wire);
                message.extra.extend(kept.message);
                message
                    .parts
                    .extend(kept.part.map(|part| with_id_of(part, &content)));
            }
            None => message.parts.extend(assistant_part(content)?),
        }
    }
    Ok((!message.parts.is_empty()).then_some(message))
}

/// Rig renames a call whose id was given twice; its result names the new one.
fn with_id_of(mut part: Part, content: &AssistantContent) -> Part {
    if let (Part::ToolCall(kept), AssistantContent::ToolCall(call)) = (&mut part, content) {
        kept.id = call.id.wire().into_owned();
    }
    part
}

fn assistant_part(content: AssistantContent) -> Translated<Option<Part>> {
    Ok(Some(match content {
        AssistantContent::Text(text) => Part::text(text.text),
        AssistantContent::Reasoning(thought) => Part::Reasoning(Reasoning::new(thought.text)),
        AssistantContent::Image(image) => Part::Image(image_from_rig(image)?),
        AssistantContent::ToolCall(call) => {
            let arguments = match call.function.invalid_arguments {
                Some(text) => text,
                None => Value::Object(call.function.arguments).to_string(),
            };
            let name: String = call.function.name.into();
            Part::ToolCall(ToolCall::new(call.id.wire(), name, arguments))
        }
        // Another model's, of no meaning to this one.
        _ => return Ok(None),
    }))
}

fn image_from_rig(image: rig::Image) -> Translated<Media> {
    let mut picture = media(image.data, image.media_type.as_ref())?;
    if let Some(detail) = image.detail {
        let detail = serde_json::to_value(detail).unwrap_or_default();
        if detail != "auto" {
            picture.extra = JsonObject::from_iter([("detail".to_owned(), detail)]);
        }
    }
    Ok(picture)
}

pub(crate) fn image_to_rig(image: &Media) -> rig::Image {
    let data = match &image.source {
        MediaSource::Url(url) => DocumentSourceKind::Url(url.clone()),
        MediaSource::Base64(content) => DocumentSourceKind::Base64(content.clone()),
        MediaSource::Id(id) => DocumentSourceKind::FileId(id.clone()),
        _ => DocumentSourceKind::Unknown,
    };
    let media_type = image.media_type.as_deref();
    rig::Image {
        data,
        media_type: media_type.and_then(rig::ImageMediaType::from_mime_type),
        ..rig::Image::default()
    }
}

fn media(data: DocumentSourceKind, media_type: Option<&impl MimeType>) -> Translated<Media> {
    let mut media = match data {
        DocumentSourceKind::Url(url) => Media::url(url),
        DocumentSourceKind::FileId(id) => Media::id(id),
        // Rig made base64 of raw bytes before it came here.
        DocumentSourceKind::Base64(content) => Media::base64("", content),
        _ => return Err(refused("media must be an address, base64 or a file's id")),
    };
    media.media_type = media_type.map(|known| known.to_mime_type().to_owned());
    Ok(media)
}

fn tool(tool: rig_core::completion::ToolDefinition) -> Tool {
    let name: String = tool.name.into();
    Tool::new(name, tool.parameters).with_description(tool.description)
}

fn tool_choice(choice: rig::ToolChoice) -> Translated<ToolChoice> {
    match choice {
        rig::ToolChoice::Auto => Ok(ToolChoice::Auto),
        rig::ToolChoice::None => Ok(ToolChoice::None),
        rig::ToolChoice::Required => Ok(ToolChoice::Required),
        rig::ToolChoice::Specific { function_names } => match <[_; 1]>::try_from(function_names) {
            Ok([name]) => Ok(ToolChoice::Tool(name.into())),
            Err(_) => Err(refused("a choice of several tools; name one, or require any")),
        },
    }
}

/// Rig asked before which of them there are.
const fn reasoning(reasoning: rig_core::completion::Reasoning) -> Option<ReasoningOptions> {
    use rig_core::completion::Reasoning as Asked;
    Some(match reasoning {
        Asked::Off => ReasoningOptions::effort(ReasoningEffort::None),
        Asked::Budget { tokens } => ReasoningOptions::max_tokens(tokens),
        Asked::Effort(Effort::Minimal) => ReasoningOptions::effort(ReasoningEffort::Minimal),
        Asked::Effort(Effort::Low) => ReasoningOptions::effort(ReasoningEffort::Low),
        Asked::Effort(Effort::Medium) => ReasoningOptions::effort(ReasoningEffort::Medium),
        Asked::Effort(Effort::High) => ReasoningOptions::effort(ReasoningEffort::High),
        _ => return None,
    })
}

fn refused(why: &str) -> EncodeError {
    EncodeError::request(why)
}
