//! The Messages wire, with tokens of a real authorization server, before a real model.

use crate::answers::{CALL, watch, weather};
use crate::support::{MODEL, Setup, World, say};
use gatepass::{
    ChatRequest, ErrorKind, FinishReason, Llm, LlmBackend, Message, Part, Role, ToolResult, token_source,
};
use gatepass_anthropic::AnthropicBackend;
use serde_json::json;

fn llm(world: &World) -> Llm {
    let source = token_source("corp", Some(&world.corp())).unwrap();
    let backend = AnthropicBackend::new(&world.gateway.base_url(), source).unwrap();
    Llm::new(backend, MODEL)
}

fn question(text: &str) -> ChatRequest {
    ChatRequest::new([Message::user(text)])
        .with_model(MODEL)
        .with_temperature(0.0)
}

#[tokio::test]
async fn a_message_is_answered_whole_and_as_it_is_written() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let llm = llm(&world);
    let mut request = question("What is the capital of France?").with_max_tokens(24);
    request.messages.insert(0, Message::system("Be brief."));
    let whole = llm.chat(request.clone()).await.unwrap();
    assert!(whole.text().contains("Paris"), "{whole:?}");
    let streamed = watch(&llm, request).await.unwrap();
    assert_eq!(streamed.reply.message, whole.message);
    assert_eq!(streamed.reply.finish, whole.finish);
    for reply in [&whole, &streamed.reply] {
        let usage = reply.usage.as_ref().unwrap();
        assert!(
            usage.input_tokens > Some(5) && usage.output_tokens > Some(3),
            "{usage:?}"
        );
    }
    let request_id = whole.metadata.request_id.as_deref().unwrap();
    assert!(request_id.starts_with("gateway-"), "{request_id}");
    assert!(streamed.text > 1, "passed on as it is written");
    assert_eq!((world.gateway.admitted(), world.gateway.refused()), (2, 0));
    say(format!("{:?} in {} pieces", whole.text(), streamed.text));
}

#[tokio::test]
async fn a_model_calls_a_tool_and_reads_its_result_as_messages() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let llm = llm(&world);
    let request = question(CALL).with_max_tokens(60).with_tools([weather()]);
    let whole = llm.chat(request.clone()).await.unwrap();
    assert_eq!(whole.finish, Some(FinishReason::ToolCalls));
    let call = whole.tool_calls().next().unwrap();
    assert_eq!(
        (call.name.as_str(), call.parse().ok()),
        ("weather", Some(json!({"city": "Paris"})))
    );

    let watched = watch(&llm, request.clone()).await.unwrap();
    assert_eq!(watched.reply.finish, whole.finish);
    let streamed = watched.reply.tool_calls().next().unwrap();
    assert_eq!(streamed.name, call.name);
    assert_eq!(streamed.parse().ok(), Some(json!({"city": "Paris"})));

    let mut answered = request;
    let result = Part::ToolResult(ToolResult::to_call(call, "sunny, 24 degrees"));
    answered
        .messages
        .extend([whole.message.clone(), Message::new(Role::Tool, [result])]);
    let reply = llm.chat(answered).await.unwrap();
    assert!(!reply.text().is_empty());
    say(format!(
        "{}{}; then {:?}",
        call.name,
        call.arguments,
        reply.text()
    ));
}

#[tokio::test]
async fn tokens_are_counted_as_the_model_then_counts_them() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let llm = llm(&world);
    let request = question("What is the capital of France?").with_max_tokens(1);
    let counted = llm.backend().count_tokens(&request).await.unwrap();
    let usage = llm.chat(request).await.unwrap().usage.unwrap();
    assert_eq!(usage.input_tokens, Some(counted));
    say(format!("{counted} tokens"));
}

#[tokio::test]
async fn a_message_longer_than_the_context_is_an_error_of_its_own_kind() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let llm = llm(&world);
    let error = llm.chat(question(&"word ".repeat(3000))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContextLength, "{error:?}");
    assert_eq!(world.gateway.visits().len(), 1, "it isn't tried again");
}
