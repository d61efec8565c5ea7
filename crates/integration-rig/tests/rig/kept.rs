//! What gatepass knows of an answer and rig has no words for.

use futures_util::StreamExt;
use gatepass_core::{
    BackendError, ChatReply, ChatRequest, JsonObject, LlmBackend, Media, Message, Part, Reasoning, Role,
    Text, ToolCall, async_trait,
};
use rig_core::completion::CompletionRequest;
use rig_core::message as rig;
use rig_core::{DynModel, operation::Completion};
use serde_json::json;
use std::sync::{Arc, Mutex};

/// Answers the same each time, and remembers what it was asked.
#[derive(Clone, Default)]
struct Backend(Arc<Mutex<Vec<ChatRequest>>>);

#[async_trait]
impl LlmBackend for Backend {
    async fn chat(&self, request: ChatRequest) -> Result<ChatReply, BackendError> {
        self.0.lock().expect("no panic").push(request);
        Ok(ChatReply::new(answer()))
    }
}

fn answer() -> Message {
    let mut call = ToolCall::new("call-1", "weather", r#"{"city":"Paris"}"#);
    call.signature = Some("proof of the call".into());
    let mut message = Message::new(
        Role::Assistant,
        [
            Part::Reasoning(Reasoning::new("hm").with_signature("proof")),
            Part::Reasoning(Reasoning::new("").with_signature("withheld")),
            Part::Text(Text::new("Let me ")).with_extra("citations", json!([1])),
            Part::text("see."),
            Part::Image(Media::base64("image/png", "iVBORw0KGgo=")),
            Part::Other(JsonObject::from_iter([("type".into(), "server_tool_use".into())])),
            Part::ToolCall(call),
            Part::ToolCall(ToolCall::new("call-2", "weather", r#"{"city":"Rome"}"#)),
        ],
    )
    .with_wire("test");
    message.extra.insert("annotations".into(), json!(["kept"]));
    message
}

fn tools() -> rig_core::completion::ToolDefinition {
    let name = rig::ToolName::new("weather").expect("a name");
    rig_core::completion::ToolDefinition::new(name, "tells", json!({"type": "object"}))
}

async fn sent_back(model: &DynModel<Completion>, backend: &Backend, turn: rig::Message) -> Message {
    let results = match &turn {
        rig::Message::Assistant(turn) => turn
            .tool_calls()
            .map(|call| call.result(vec![rig::ToolResultContent::text("mild")]))
            .collect(),
        _ => Vec::new(),
    };
    let request = CompletionRequest::new(rig::Message::tool_results(results))
        .messages([rig::Message::user("Weather?"), turn])
        .tool(tools());
    model.call(request).await.expect("it answers");
    let mut asked = backend.0.lock().expect("no panic");
    asked.pop().expect("a request").messages.swap_remove(1)
}

#[tokio::test]
async fn a_called_answer_goes_back_as_it_came() {
    let backend = Backend::default();
    let model = gatepass_rig::completion_model(backend.clone(), "m");
    let response = model
        .call(CompletionRequest::new("Weather?").tool(tools()))
        .await
        .expect("it answers");
    assert_eq!(response.text(), "Let me see.");
    assert_eq!(response.reasoning(), "hm");
    assert_eq!(response.tool_calls().count(), 2);
    let turn = response.message().expect("not empty");
    assert_eq!(sent_back(&model, &backend, turn).await, answer());
}

#[tokio::test]
async fn a_streamed_answer_goes_back_as_it_came() {
    let backend = Backend::default();
    let model = gatepass_rig::completion_model(backend.clone(), "m");
    let mut stream = model
        .stream(CompletionRequest::new("Weather?").tool(tools()))
        .expect("it opens");
    while let Some(item) = stream.next().await {
        item.expect("no error");
    }
    let turn = stream
        .finish()
        .await
        .expect("it ended")
        .message()
        .expect("not empty");
    assert_eq!(sent_back(&model, &backend, turn).await, answer());
}

#[tokio::test]
async fn a_conversation_saved_and_loaded_goes_back_as_it_came() {
    let backend = Backend::default();
    let model = gatepass_rig::completion_model(backend.clone(), "m");
    let response = model
        .call(CompletionRequest::new("Weather?").tool(tools()))
        .await
        .expect("it answers");
    let saved = serde_json::to_string(&response.message().expect("not empty")).expect("it can be saved");
    let turn = serde_json::from_str(&saved).expect("it can be loaded");
    assert_eq!(sent_back(&model, &backend, turn).await, answer());
}

#[tokio::test]
async fn another_model_gets_what_it_can_understand() {
    let backend = Backend::default();
    let first = gatepass_rig::completion_model(backend.clone(), "m");
    let response = first
        .call(CompletionRequest::new("Weather?").tool(tools()))
        .await
        .expect("it answers");
    let second = gatepass_rig::completion_model(backend.clone(), "another");
    let turn = sent_back(&second, &backend, response.message().expect("not empty")).await;
    assert!(turn.text().contains("Let me see."), "{turn:?}");
    assert_eq!(turn.tool_calls().count(), 2);
    let told = format!("{turn:?}");
    assert!(
        !told.contains("proof") && !told.contains("server_tool_use"),
        "{told}"
    );
}
