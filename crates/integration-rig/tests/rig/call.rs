use crate::model_of;
use futures_util::StreamExt;
use gatepass_testkit::{ModelServer, ScriptedReply};
use rig_core::completion::{CompletionRequest, Document, Effort, FinishReason, ToolDefinition};
use rig_core::message::{Message, ToolChoice, ToolName};
use rig_core::streaming::{Item, StreamEvent};
use serde_json::json;

#[tokio::test]
async fn a_prompt_is_answered_with_text_usage_and_reason() {
    let server = ModelServer::start().await;
    server.reply(ScriptedReply::text("Paris.").with_usage(12, 3));
    let request = CompletionRequest::new("Capital of France?")
        .preamble("Be brief.")
        .temperature(0.5)
        .max_tokens(20_u64)
        .seed(7)
        .stop(["END"]);
    let response = model_of(&server).call(request).await.expect("it answers");

    assert_eq!(response.text(), "Paris.");
    assert_eq!(response.finish_reason(), Some(FinishReason::Stop));
    assert_eq!(
        (response.usage.input_tokens, response.usage.output_tokens),
        (Some(12), Some(3))
    );
    assert_eq!(response.provider(), "gatepass");
    assert!(response.provider_request_id.is_some() && response.raw.is_object());
    let requests = server.requests();
    let sent = &requests[0].json;
    assert_eq!(sent["model"], "test-model");
    assert_eq!((&sent["temperature"], &sent["seed"]), (&json!(0.5), &json!(7)));
    assert_eq!(sent["messages"][0]["role"], "system");
    assert_eq!(sent["messages"][1]["content"], "Capital of France?");
    assert!(sent.to_string().contains("20") && sent.to_string().contains("END"));
}

#[tokio::test]
async fn a_stream_tells_the_same_answer_in_pieces() {
    let server = ModelServer::start().await;
    server.reply(
        ScriptedReply::text("Paris is the capital.")
            .with_tool_call("lookup", r#"{"city":"Paris"}"#)
            .with_usage(12, 3),
    );
    let request = || {
        let lookup = ToolName::new("lookup").expect("a name");
        CompletionRequest::new("Capital?").tool(ToolDefinition::new(
            lookup,
            "looks up",
            json!({"type": "object"}),
        ))
    };
    let whole = model_of(&server).call(request()).await.expect("it answers");

    let mut stream = model_of(&server).stream(request()).expect("it opens");
    let (mut text, mut arguments, mut pieces) = (String::new(), String::new(), 0);
    while let Some(item) = stream.next().await {
        match item.expect("no error") {
            Item::Event(StreamEvent::Text { text: more, .. }) => {
                text.push_str(&more);
                pieces += 1;
            }
            Item::Event(StreamEvent::Arguments { json, .. }) => arguments.push_str(&json),
            _ => {}
        }
    }
    let response = stream.finish().await.expect("it ended");
    assert!(pieces > 1, "{pieces} pieces");
    assert_eq!(
        (text.as_str(), arguments.as_str()),
        ("Paris is the capital.", r#"{"city":"Paris"}"#)
    );
    assert_eq!(response.choice, whole.choice);
    assert_eq!(response.usage, whole.usage);
    assert_eq!(response.finish_reason(), Some(FinishReason::ToolCalls));
    assert_eq!(response.raw["usage"], whole.raw["usage"]);
}

#[tokio::test]
async fn a_conversation_documents_and_tools_are_sent() {
    let server = ModelServer::start().await;
    let weather = ToolName::new("weather").expect("a name");
    let request = CompletionRequest::new("And of Italy?")
        .messages([Message::user("Capital of France?"), Message::assistant("Paris.")])
        .document(Document {
            id: "1".into(),
            text: "Rome is old.".into(),
            additional_props: Default::default(),
        })
        .tool(ToolDefinition::new(
            weather.clone(),
            "tells",
            json!({"type": "object"}),
        ))
        .tool_choice(ToolChoice::Specific {
            function_names: vec![weather],
        })
        .additional_params(json!({ "user": "u-1" }));
    model_of(&server).call(request).await.expect("it answers");

    let requests = server.requests();
    let sent = &requests[0].json;
    let messages = sent["messages"].as_array().expect("a list");
    let roles: Vec<_> = messages
        .iter()
        .filter_map(|message| message["role"].as_str())
        .collect();
    assert_eq!(roles, ["user", "assistant", "user"], "{messages:?}");
    assert!(messages[0].to_string().contains("Rome is old."));
    assert_eq!(sent["tools"][0]["function"]["name"], "weather");
    assert_eq!(sent["tool_choice"]["function"]["name"], "weather");
    assert_eq!(sent["user"], "u-1");
}

#[tokio::test]
async fn an_option_that_cannot_be_said_is_refused_before_anything_is_sent() {
    let server = ModelServer::start().await;
    let request = CompletionRequest::new("hi").reasoning(Effort::Max);
    let error = model_of(&server).call(request).await.expect_err("refused");
    assert!(error.to_string().contains("`reasoning`"), "{error}");
    assert!(server.requests().is_empty());
}
