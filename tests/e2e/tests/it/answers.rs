//! The library's answers, whole and streamed.

use crate::support::{Setup, World, say};
use gatepass::{
    BackendError, ChatEvent, ChatReply, ChatRequest, ErrorKind, FinishReason, Llm, Message, Part, Role, Tool,
    ToolChoice, ToolResult,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// An object with two required fields, short enough for a model that doesn't know when to stop.
pub(crate) fn city_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "city": {"type": "string", "maxLength": 20},
            "population": {"type": "integer", "minimum": 0, "maximum": 99_999_999},
        },
        "required": ["city", "population"],
        "additionalProperties": false,
    })
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct City {
    city: String,
    population: u32,
}

async fn llm(world: &World) -> Llm {
    Llm::with_config(&world.llm_config("corp", &world.corp()))
        .await
        .unwrap()
}

fn question(text: &str) -> ChatRequest {
    ChatRequest::new([Message::user(text)])
}

/// A streamed answer, in how many pieces it came, and when.
#[derive(Default)]
struct Watched {
    reply: ChatReply,
    text: usize,
    arguments: usize,
    first: Duration,
    all: Duration,
}

async fn watch(llm: &Llm, request: ChatRequest) -> Result<Watched, BackendError> {
    let started = Instant::now();
    let mut events = llm.chat_stream(request).await?;
    let mut watched = Watched::default();
    while let Some(event) = events.try_next().await? {
        match event {
            ChatEvent::Text(_) => watched.text += 1,
            ChatEvent::ToolCallArguments { .. } => watched.arguments += 1,
            _ => {}
        }
        if watched.text == 1 && watched.first.is_zero() {
            watched.first = started.elapsed();
        }
        watched.reply.add(event);
    }
    watched.all = started.elapsed();
    Ok(watched)
}

#[tokio::test]
async fn a_streamed_answer_begins_long_before_it_ends_and_is_the_whole_one() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let llm = llm(&world).await;
    let request = question("Write a long story about a lighthouse and the sea.").with_max_tokens(120);
    let started = Instant::now();
    let whole = llm.chat(request.clone()).await.unwrap();
    let whole_took = started.elapsed();
    let streamed = watch(&llm, request).await.unwrap();

    assert_eq!(streamed.reply.text(), whole.text());
    assert_eq!(streamed.reply.usage.as_ref().unwrap().output_tokens, Some(120));
    assert_eq!(
        whole.usage.unwrap().total_tokens,
        streamed.reply.usage.unwrap().total_tokens
    );
    assert_eq!(
        (&whole.finish, &streamed.reply.finish),
        (&Some(FinishReason::Length), &Some(FinishReason::Length))
    );
    let Watched { text, first, all, .. } = streamed;
    assert!(text > 60, "passed on as it is written: {text} pieces");
    assert!(first < all / 2, "the first piece after {first:.1?} of {all:.1?}");
    say(format!(
        "120 tokens: {whole_took:.1?} whole; streamed {first:.1?} to the first of {text} pieces, {all:.1?} in all"
    ));
}

#[tokio::test]
async fn a_schema_forms_the_answer_whole_and_streamed() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let llm = llm(&world).await;
    let request = question("The capital of France, as JSON.")
        .with_max_tokens(100)
        .with_json_schema("city", city_schema());
    let whole = llm.chat(request.clone()).await.unwrap();
    let city: City = serde_json::from_str(&whole.text()).unwrap();
    assert_eq!(whole.finish, Some(FinishReason::Stop));
    let streamed = watch(&llm, request).await.unwrap().reply;
    assert_eq!(serde_json::from_str::<City>(&streamed.text()).unwrap(), city);
    say(format!("{city:?}"));
}

fn weather() -> Tool {
    let parameters = json!({
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
    });
    Tool::new("weather", parameters).with_description("Tells the weather of a city")
}

/// The one thing that so small a model does reliably is to say it after us. What it says is then parsed, and held
/// to the schema, by llama.cpp.
const CALL: &str = r#"Repeat exactly: <tool_call>
{"name": "weather", "arguments": {"city": "Paris"}}
</tool_call>"#;

#[tokio::test]
async fn a_model_calls_a_tool_and_reads_its_result() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let llm = llm(&world).await;
    let request = question(CALL).with_max_tokens(60).with_tools([weather()]);
    let whole = llm.chat(request.clone()).await.unwrap();
    assert_eq!(whole.finish, Some(FinishReason::ToolCalls));
    let call = whole.tool_calls().next().unwrap();
    assert_eq!(
        (call.name.as_str(), call.parse().ok()),
        ("weather", Some(json!({"city": "Paris"})))
    );

    let watched = watch(&llm, request.clone()).await.unwrap();
    assert!(watched.arguments > 1, "passed on as they are written");
    assert_eq!(watched.reply.finish, whole.finish);
    let streamed: Vec<_> = watched
        .reply
        .tool_calls()
        .map(|call| (&call.name, &call.arguments))
        .collect();
    assert_eq!(streamed, [(&call.name, &call.arguments)]);

    let mut answered = request;
    let result = Part::ToolResult(ToolResult::to_call(call, "sunny, 24 degrees"));
    answered
        .messages
        .extend([whole.message.clone(), Message::new(Role::Tool, [result])]);
    let reply = llm.chat(answered).await.unwrap();
    assert!(!reply.text().is_empty());
    say(format!(
        "{}{} in {} pieces; then {:?}",
        call.name,
        call.arguments,
        watched.arguments,
        reply.text()
    ));
}

#[tokio::test]
async fn a_model_that_may_call_no_tool_answers_in_words() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let llm = llm(&world).await;
    let request = question(CALL).with_max_tokens(60).with_tools([weather()]);
    let reply = llm
        .chat(request.with_tool_choice(ToolChoice::None))
        .await
        .unwrap();
    assert_eq!(
        (reply.tool_calls().count(), reply.finish),
        (0, Some(FinishReason::Stop))
    );
    assert!(reply.message.text().contains("weather"));
}

#[tokio::test]
async fn an_input_longer_than_the_context_is_an_error_of_its_own_kind() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let llm = llm(&world).await;
    let too_long = question(&"word ".repeat(3000));
    for error in [
        llm.chat(too_long.clone()).await.unwrap_err(),
        llm.chat_stream(too_long).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::ContextLength, "{error:?}");
        assert!(error.to_string().contains("exceed_context_size_error"), "{error}");
    }
    assert_eq!(world.gateway.visits().len(), 2, "it isn't tried again");
}

#[tokio::test]
async fn the_gateways_models_are_listed() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let models = llm(&world).await.backend().models().await.unwrap();
    assert_eq!(
        models.iter().map(|model| model.id.as_str()).collect::<Vec<_>>(),
        [crate::support::MODEL]
    );
}
