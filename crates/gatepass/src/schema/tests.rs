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

/// What OpenAI refuses with `strict`: other formats, `default` and `oneOf`.
#[test]
fn a_schema_has_no_keyword_that_strict_providers_refuse() {
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "their schema alone is read")]
    struct Odd {
        /// A field may be called as a keyword is.
        properties: Vec<String>,
        #[serde(default)]
        note: Option<String>,
        small: u8,
        share: f64,
        kind: Kind,
        shape: Shape,
        nothing: Nothing,
    }
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "its schema alone is read")]
    #[serde(tag = "type")]
    enum Shape {
        Circle { radius: f64 },
        Point,
    }
    #[derive(JsonSchema)]
    struct Nothing {}

    let schema = schema_of::<Odd>();
    let names = json!(["kind", "note", "nothing", "properties", "shape", "share", "small"]);
    assert_eq!(schema["required"], names);
    let properties = &schema["properties"];
    assert_eq!(properties.as_object().unwrap().len(), 7, "{schema}");
    assert_eq!(properties["properties"]["items"], json!({ "type": "string" }));
    assert_eq!(properties["note"], json!({ "type": ["string", "null"] }));
    assert_eq!(
        properties["small"],
        json!({ "type": "integer", "minimum": 0, "maximum": 255 })
    );
    assert_eq!(properties["share"], json!({ "type": "number" }));
    assert_eq!(properties["kind"]["anyOf"][0]["const"], json!("Good"));
    assert_eq!(
        properties["shape"]["anyOf"][0]["required"],
        json!(["radius", "type"])
    );
    let nothing =
        json!({ "type": "object", "properties": {}, "required": [], "additionalProperties": false });
    assert_eq!(properties["nothing"], nothing);
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
enum Kind {
    /// As it should be
    Good,
    /// As it should not be
    Bad,
}

#[tokio::test]
async fn what_is_no_object_is_asked_for_in_one() {
    let listed = |text: &str| {
        let llm = Llm::new(Scripted::default().says(text), "m");
        async move {
            llm.ask_as::<Vec<Person>>("?")
                .await
                .map_err(|error| error.to_string())
        }
    };
    let people = Ok(vec![Person { age: 7 }]);
    assert_eq!(listed(r#"{"answer":[{"age":7}]}"#).await, people);
    assert_eq!(
        listed(r#"[{"age":7}]"#).await,
        people,
        "from who keeps to no schema"
    );
    assert!(listed(r#"{"answer":[7]}"#).await.is_err());

    let backend = Scripted::default().says(r#"{"answer":"Bad"}"#);
    let kind: Kind = Llm::new(backend.clone(), "m").ask_as("?").await.unwrap();
    assert_eq!(kind, Kind::Bad);
    let Some(ResponseFormat::JsonSchema { schema, .. }) = &backend.asked()[0].response_format else {
        panic!("no schema was sent")
    };
    assert_eq!(schema["type"], json!("object"));
    assert_eq!(schema["properties"]["answer"]["anyOf"][1]["const"], json!("Bad"));
}

#[tokio::test]
async fn a_type_that_holds_itself_still_does_within_an_object() {
    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    enum Sum {
        Number(i32),
        Of(Vec<Self>),
    }
    let backend = Scripted::default().says(r#"{"answer":{"Of":[{"Number":1},{"Of":[]}]}}"#);
    let sum: Sum = Llm::new(backend.clone(), "m").ask_as("?").await.unwrap();
    assert_eq!(sum, Sum::Of(vec![Sum::Number(1), Sum::Of(Vec::new())]));
    let Some(ResponseFormat::JsonSchema { schema, .. }) = &backend.asked()[0].response_format else {
        panic!("no schema was sent")
    };
    let references = schema.to_string();
    assert!(!references.contains(r##""$ref":"#""##), "{schema}");
    assert!(
        references.contains(r##""$ref":"#/properties/answer""##),
        "{schema}"
    );
}

#[tokio::test]
async fn an_answer_is_read_into_a_type() {
    for text in [
        r#"{"name":"Paris","mayor":{"age":60}}"#,
        "```json\n{\"name\":\"Paris\",\"mayor\":{\"age\":60}}\n```",
        "Here it is:\n```JSON\n{\"name\":\"Paris\",\"mayor\":{\"age\":60}}\n```\nAnything else?",
        " {\"name\":\"Paris\",\"mayor\":{\"age\":60},\"code\":\"```7```\"}\n",
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
