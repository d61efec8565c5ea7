//! B8: what is told of agents and their tools. A process of its own: who meets a span before anybody subscribes may switch it
//! off for all threads.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code"
)]

use gatepass::{
    Agent, BackendError, ChatReply, ChatRequest, Llm, LlmBackend, Message, Part, Role, Tool, ToolCall,
    Toolbox, async_trait,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// The fields of each span, by its id.
#[derive(Default, Clone)]
struct Seen(Arc<Mutex<BTreeMap<u64, BTreeMap<String, String>>>>);

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = format!("{value:?}").trim_matches('"').to_owned();
        self.0.insert(field.name().into(), value);
    }
}

impl<S: tracing::Subscriber> Layer<S> for Seen {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let mut seen = self.0.lock().unwrap();
        attributes.record(&mut Fields(seen.entry(id.into_u64()).or_default()));
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, _: Context<'_, S>) {
        let mut seen = self.0.lock().unwrap();
        record.record(&mut Fields(seen.entry(id.into_u64()).or_default()));
    }
}

impl Seen {
    fn of(&self, name: &str) -> BTreeMap<String, String> {
        let seen = self.0.lock().unwrap();
        let named = seen
            .values()
            .find(|fields| fields.get("otel.name").is_some_and(|own| own == name));
        named
            .unwrap_or_else(|| panic!("no span {name} in {seen:?}"))
            .clone()
    }
}

/// Asks for two tools, and then fails.
struct Failing;

#[async_trait]
impl LlmBackend for Failing {
    async fn chat(&self, request: ChatRequest) -> Result<ChatReply, BackendError> {
        if request.messages.len() > 1 {
            return Err(BackendError::Unsupported { what: "it" });
        }
        let calls = [
            ToolCall::new("1", "now", r#"{"canary":1}"#),
            ToolCall::new("2", "nowhere", "{}"),
        ];
        Ok(ChatReply::new(Message::new(
            Role::Assistant,
            calls.map(Part::ToolCall),
        )))
    }
}

#[tokio::test]
async fn an_agent_and_its_tools_are_spans_of_the_conventions() {
    let seen = Seen::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(seen.clone()));
    let tools = Toolbox::new().with(Tool::new("now", json!({})), |_| async { Ok("canary".into()) });
    let agent = Agent::new("clock", "{{ question }}", Llm::new(Failing, "m")).unwrap();
    agent
        .with_tools(tools)
        .run(json!({ "question": "canary" }))
        .await
        .unwrap_err();

    let now = seen.of("execute_tool now");
    for (field, value) in [
        ("otel.kind", "internal"),
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.name", "now"),
        ("gen_ai.tool.call.id", "1"),
        ("gen_ai.tool.type", "function"),
    ] {
        assert_eq!(now.get(field).map(String::as_str), Some(value), "{field}");
    }
    assert!(!now.contains_key("error.type"));
    assert_eq!(seen.of("execute_tool nowhere")["error.type"], "tool_error");
    let agent = seen.of("invoke_agent clock");
    assert_eq!(agent["gen_ai.agent.name"], "clock");
    assert_eq!(agent["gen_ai.request.model"], "m");
    assert_eq!(
        (agent["error.type"].as_str(), agent["otel.status_code"].as_str()),
        ("unsupported", "ERROR")
    );
    let told = format!("{:?}", seen.0.lock().unwrap());
    assert!(!told.contains("canary"), "{told}");
}
