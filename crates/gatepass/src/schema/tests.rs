use super::*;
use crate::scripted::Scripted;
use gatepass_core::{Part, ResponseFormat, ToolCall};
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct City {
    /// As its inhabitants call it
    name: String,
    mayor: Option<Person>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Person {
    age: u8,
}

#[test]
fn a_schema_is_closed_whole_and_in_one_piece() {
    let schema = schema_of::<City>();
    assert_eq!(schema["required"], json!(["mayor", "name"]));
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(
        schema["properties"]["name"]["description"],
        json!("As its inhabitants call it")
    );
    assert!(!schema.to_string().contains("$ref"), "{schema}");
    assert!(
        schema.to_string().matches("additionalProperties").count() == 2,
        "{schema}"
    );
}

#[tokio::test]
async fn an_answer_is_read_into_a_type() {
    for text in [
        r#"{"name":"Paris","mayor":{"age":60}}"#,
        "```json\n{\"name\":\"Paris\",\"mayor\":{\"age\":60}}\n```",
    ] {
        let backend = Scripted::default().says(text);
        let city: City = Llm::new(backend.clone(), "m").ask_as("?").await.unwrap();
        assert_eq!(city.mayor, Some(Person { age: 60 }));
        let Some(ResponseFormat::JsonSchema { name, strict, .. }) = &backend.asked()[0].response_format
        else {
            panic!("no schema was sent")
        };
        assert_eq!((name.as_str(), *strict), ("City", true));
    }
}

#[tokio::test]
async fn another_answer_is_an_error_that_keeps_it() {
    for (finish, what) in [
        (FinishReason::Stop, "the model's answer is not of the wanted type"),
        (
            FinishReason::Length,
            "the model's answer was cut off before it was whole",
        ),
    ] {
        let backend = Scripted::default().answers([Part::text("{\"name\":")], finish);
        let error = Llm::new(backend, "m").ask_as::<City>("?").await.unwrap_err();
        assert_eq!(error.to_string(), what);
        match error {
            StructuredError::Unreadable { reply, .. } => assert_eq!(reply.text(), "{\"name\":"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_functions_arguments_are_read_into_its_type() {
    let tools = Toolbox::new().with_function("greet", "Greets", |person: Person| async move {
        Ok(format!("hello, {}", person.age))
    });
    let tool = tools.tools().next().unwrap();
    assert_eq!(tool.parameters["required"], json!(["age"]));
    let calls = [
        ToolCall::new("1", "greet", r#"{"age":7}"#),
        ToolCall::new("2", "greet", r#"{"age":700}"#),
    ];
    let answers = tools.answer(&calls).await;
    assert_eq!(answers[0].content, "hello, 7");
    assert!(answers[1].is_error && answers[1].content.starts_with("the arguments don't fit: "));
}
