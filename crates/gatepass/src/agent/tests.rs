use super::*;
use crate::scripted::Scripted;
use gatepass_core::{BackendError, Role, Tool, ToolCall};
use serde_json::json;
use std::error::Error as _;

fn translator(backend: &Scripted) -> Agent {
    let template = "Translate '{{ text }}' to {{ language }}";
    Agent::new("translator.html", template, Llm::new(backend.clone(), "m")).unwrap()
}

/// G11
#[tokio::test]
async fn a_template_is_filled_in_and_asked() {
    let backend = Scripted::default().says("Bonjour");
    let agent = translator(&backend)
        .with_role("a translator")
        .with_goal("be exact")
        .with_backstory("You grew up with both languages.");
    let text = "<b>\"Hello\"</b> {{ 7 * 6 }}";
    let answer = agent
        .run(json!({ "text": text, "language": "French" }))
        .await
        .unwrap();
    assert_eq!(answer, "Bonjour");
    let messages = &backend.asked()[0].messages;
    assert_eq!(messages[0].role, Role::System);
    assert_eq!(
        messages[0].text(),
        "You are a translator.\nYour goal: be exact.\nYou grew up with both languages."
    );
    assert_eq!(
        messages[1].text(),
        format!("Translate '{text}' to French"),
        "neither escaped nor read as a template again"
    );
}

#[tokio::test]
async fn a_missing_variable_is_an_error_before_anything_is_asked() {
    let backend = Scripted::default();
    let error = translator(&backend)
        .run(json!({ "text": "Hello" }))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the template of the agent 'translator.html' can't be filled in"
    );
    assert!(error.source().unwrap().to_string().contains("undefined"));
    assert_eq!(error.fix(), "give language");
    assert!(backend.asked().is_empty());
}

#[test]
fn a_broken_template_is_an_error_at_construction() {
    let llm = Llm::new(Scripted::default(), "m");
    let error = Agent::new("a", "{% if %}", llm).unwrap_err();
    assert_eq!(error.advice(), Advice::FixConfig);
}

#[tokio::test]
async fn an_agent_runs_its_tools_within_its_rounds() {
    let tools = || Toolbox::new().with(Tool::new("now", json!({})), |_| async { Ok("noon".into()) });
    let backend = Scripted::default()
        .calls([ToolCall::new("1", "now", "{}")])
        .says("It is noon.");
    let agent = translator(&backend).with_tools(tools());
    let variables = json!({ "text": "a", "language": "b" });
    assert_eq!(agent.run(&variables).await.unwrap(), "It is noon.");

    let backend = Scripted::default().calls([ToolCall::new("1", "now", "{}")]);
    let agent = translator(&backend).with_tools(tools()).with_rounds(1);
    let error = agent.run(&variables).await.unwrap_err();
    assert!(matches!(
        error,
        AgentError::Run(ToolRunError::TooManyRounds { rounds: 1, .. })
    ));

    let backend = Scripted::default().fails(BackendError::Unsupported { what: "it" });
    let error = translator(&backend).run(&variables).await.unwrap_err();
    assert_eq!(error.fix(), "change the request");
}
