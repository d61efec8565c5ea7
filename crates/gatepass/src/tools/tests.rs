use super::*;
use crate::scripted::Scripted;
use serde_json::json;
use tokio::sync::Barrier;

fn question() -> ChatRequest {
    ChatRequest::new([Message::user("Weather in Paris and Rome?")])
}

fn call(id: &str, arguments: &str) -> ToolCall {
    ToolCall::new(id, "weather", arguments)
}

fn weather() -> Toolbox {
    Toolbox::new().with(
        Tool::new("weather", json!({ "type": "object" })),
        |call| async move {
            let arguments: serde_json::Value = call.parse().map_err(|error| error.to_string())?;
            Ok(format!("sunny in {}", arguments["city"].as_str().unwrap_or("?")))
        },
    )
}

#[tokio::test]
async fn tools_run_until_the_model_has_done() {
    let backend = Scripted::default()
        .calls([call("1", r#"{"city":"Paris"}"#), call("2", r#"{"city":"Rome"}"#)])
        .says("Sunny.");
    let llm = Llm::new(backend.clone(), "m");
    let request = question().with_tool_choice(gatepass_core::ToolChoice::Required);

    let run = llm.run_tools(request, &weather()).await.unwrap();

    assert_eq!((run.reply.text().as_str(), run.rounds), ("Sunny.", 2));
    let [_, _, results, _] = &run.messages[..] else {
        panic!("{:?}", run.messages)
    };
    let results: Vec<_> = results
        .parts
        .iter()
        .map(|part| match part {
            Part::ToolResult(result) => (result.id.as_str(), result.content.as_str(), result.is_error),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        results,
        [("1", "sunny in Paris", false), ("2", "sunny in Rome", false)]
    );
    let asked = backend.asked();
    assert_eq!(asked[1].messages, run.messages[..3]);
    assert_eq!(asked[0].tools.len(), 1);
    assert!(asked[0].tool_choice.is_some() && asked[1].tool_choice.is_none());
}

#[tokio::test]
async fn a_tool_that_the_request_offers_already_is_offered_once() {
    let backend = Scripted::default().says("Sunny.");
    let llm = Llm::new(backend.clone(), "m");
    let own = [
        Tool::new("weather", json!({ "type": "string" })),
        Tool::new("other", json!({})),
    ];
    llm.run_tools(question().with_tools(own), &weather())
        .await
        .unwrap();
    let offered = &backend.asked()[0].tools;
    let names: Vec<_> = offered.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["other", "weather"]);
    assert_eq!(offered[1].parameters, json!({ "type": "object" }));
}

#[tokio::test]
async fn an_answer_that_its_provider_paused_goes_on() {
    let paused = || FinishReason::Other("pause_turn".into());
    let backend = Scripted::default()
        .answers([Part::text("Searching")], paused())
        .says("Sunny.");
    let llm = Llm::new(backend.clone(), "m");
    let run = llm.run_tools(question(), &weather()).await.unwrap();
    assert_eq!((run.reply.text().as_str(), run.rounds), ("Sunny.", 2));
    assert_eq!(backend.asked()[1].messages[1].text(), "Searching");

    let backend = Scripted::default().answers([Part::text("Searching")], paused());
    let error = Llm::new(backend, "m")
        .run_tools_within(1, question(), &weather())
        .await;
    assert!(matches!(
        error,
        Err(ToolRunError::TooManyRounds { rounds: 1, .. })
    ));
}

#[tokio::test]
async fn the_tools_of_one_answer_run_at_once() {
    let both = Arc::new(Barrier::new(2));
    let tools = Toolbox::new().with(Tool::new("wait", json!({})), move |_| {
        let both = both.clone();
        async move {
            both.wait().await;
            Ok(String::new())
        }
    });
    let calls = ["1", "2"].map(|id| ToolCall::new(id, "wait", "{}"));
    assert_eq!(tools.answer(&calls).await.len(), 2);
}

#[tokio::test]
async fn what_goes_wrong_in_a_tool_is_told_to_the_model() {
    let backend = Scripted::default()
        .calls([
            call("1", "not json"),
            ToolCall::new("2", "forecast", "{}"),
            call("3", r#"{"city":"Rome"}"#),
        ])
        .says("Sorry.");
    let run = Llm::new(backend, "m")
        .run_tools(question(), &weather())
        .await
        .unwrap();
    let told: Vec<_> = run.messages[2]
        .parts
        .iter()
        .map(|part| match part {
            Part::ToolResult(result) => (result.is_error, result.content.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(told[0].0 && told[0].1.contains("expected"), "{told:?}");
    assert_eq!(told[1].1, "there is no tool 'forecast'; there are: weather");
    assert_eq!(told[2], (false, "sunny in Rome".into()));
}

#[tokio::test]
async fn a_model_that_never_has_done_is_stopped_and_nothing_is_lost() {
    let backend = Scripted::default()
        .calls([call("1", "{}")])
        .calls([call("2", "{}")])
        .says("never reached");
    let llm = Llm::new(backend.clone(), "m");
    let error = llm.run_tools_within(2, question(), &weather()).await.unwrap_err();
    assert_eq!(error.to_string(), "the model still asks for tools after 2 rounds");
    assert_eq!((error.so_far().len(), backend.asked().len()), (5, 2));
}

#[tokio::test]
async fn a_failure_keeps_the_conversation() {
    let backend = Scripted::default()
        .calls([call("1", "{}")])
        .fails(BackendError::Unsupported { what: "it" });
    let error = Llm::new(backend, "m")
        .run_tools(question(), &weather())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the model could not be asked in round 2");
    assert_eq!(error.so_far().len(), 3);
    assert_eq!(error.fix(), "change the request");
}
