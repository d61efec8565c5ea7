//! The Responses API, beside chat completions, on the same model.

use crate::support::{MODEL, Setup, World, say};
use gatepass::openai::{OpenAiBackend, OpenAiResponsesBackend};
use gatepass::{
    ChatEvent, ChatRequest, FinishReason, LlmBackend, Message, Part, Role, TokenSource, Tool, ToolCall,
    ToolResult, token_source,
};
use gatepass_anthropic::AnthropicBackend;
use serde_json::json;
use std::sync::Arc;

pub(crate) fn source(world: &World) -> Arc<dyn TokenSource> {
    token_source("corp", Some(&world.corp())).unwrap()
}

fn backend(world: &World) -> OpenAiResponsesBackend {
    OpenAiResponsesBackend::new(&world.gateway.base_url(), source(world)).unwrap()
}

fn question() -> ChatRequest {
    let messages = [
        Message::system("Be brief."),
        Message::user("What is the capital of France?"),
    ];
    ChatRequest::new(messages)
        .with_model(MODEL)
        .with_temperature(0.0)
        .with_max_tokens(24)
}

#[tokio::test]
async fn the_same_question_has_the_same_answer_on_all_three_wires_streamed_and_whole() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let backend = backend(&world);
    let whole = backend.chat(question()).await.unwrap();
    assert!(whole.text().contains("Paris"), "{whole:?}");
    assert_eq!(whole.finish, Some(FinishReason::Stop));
    assert_eq!(whole.model.as_deref(), Some(MODEL));

    let mut events = backend.chat_stream(question()).await.unwrap();
    let (mut streamed, mut pieces) = (gatepass::ChatReply::default(), 0);
    while let Some(event) = events.try_next().await.unwrap() {
        pieces += usize::from(matches!(event, ChatEvent::Text(_)));
        streamed.add(event);
    }
    assert!(pieces > 3, "it comes as it is written, here in {pieces} pieces");
    assert_eq!(streamed.text(), whole.text());
    assert_eq!((&streamed.finish, &streamed.model), (&whole.finish, &whole.model));
    assert_eq!(streamed.message.parts.len(), whole.message.parts.len());
    assert_eq!(streamed.usage, whole.usage);

    let chat = OpenAiBackend::new(&world.gateway.base_url(), source(&world)).unwrap();
    let chat = chat.chat(question()).await.unwrap();
    assert_eq!(chat.text(), whole.text());
    let messages = AnthropicBackend::new(&world.gateway.base_url(), source(&world)).unwrap();
    let answer = messages.chat(question()).await.unwrap();
    assert_eq!(answer.text(), whole.text());
    let streamed = messages.chat_stream(question()).await.unwrap();
    assert_eq!(streamed.collect().await.unwrap().text(), whole.text());
    say(format!("on all three wires: {:?}", whole.text()));

    let counted = backend.count_tokens(&question()).await.unwrap();
    assert_eq!(Some(counted), whole.usage.unwrap().input_tokens);
    assert_eq!(world.gateway.refused(), 0);
}

#[tokio::test]
async fn a_conversation_with_tools_goes_on_from_either_wire() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let parameters =
        json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
    let first = backend(&world).chat(question()).await.unwrap();
    for wire in ["openai-responses", "another"] {
        let asked = Message::new(
            Role::Assistant,
            [Part::ToolCall(ToolCall::new(
                "call_1",
                "weather",
                r#"{"city":"Paris"}"#,
            ))],
        );
        let answered = Message::new(
            Role::Tool,
            [Part::ToolResult(ToolResult::new("call_1", "sunny, 21 degrees"))],
        );
        let messages = [
            Message::user("What is the capital of France?"),
            first.message.clone(),
            Message::user("And how is the weather there?"),
            asked.with_wire(wire),
            answered,
        ];
        let request = ChatRequest::new(messages)
            .with_model(MODEL)
            .with_max_tokens(4)
            .with_tools([Tool::new("weather", parameters.clone())]);
        let reply = backend(&world).chat(request.clone()).await.unwrap();
        assert!(!reply.message.parts.is_empty(), "{reply:?}");
        let chat = OpenAiBackend::new(&world.gateway.base_url(), source(&world)).unwrap();
        let reply = chat.chat(request).await.unwrap();
        assert!(!reply.message.parts.is_empty(), "{reply:?}");
    }
}
