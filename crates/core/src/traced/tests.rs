use super::*;
use crate::chat::{JsonObject, Media, Message, Part, ReasoningEffort, ResponseFormat, Role};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};

/// What a subscriber saw.
#[derive(Debug, Default, Clone)]
struct Seen(Arc<Mutex<Vec<Told>>>);

#[derive(Debug, Default, Clone)]
struct Told {
    name: String,
    id: Option<Id>,
    is_closed: bool,
    fields: BTreeMap<String, String>,
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name().into(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.fields.insert(field.name().into(), format!("{value:?}"));
    }
}

impl<S: tracing::Subscriber> Layer<S> for Seen {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: LayerContext<'_, S>) {
        let mut told = Told {
            name: attributes.metadata().name().into(),
            id: Some(id.clone()),
            ..Told::default()
        };
        attributes.record(&mut told);
        self.0.lock().unwrap().push(told);
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, _: LayerContext<'_, S>) {
        let mut seen = self.0.lock().unwrap();
        let span = seen.iter_mut().find(|told| told.id.as_ref() == Some(id));
        record.record(span.unwrap());
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: LayerContext<'_, S>) {
        let mut told = Told {
            name: event.metadata().target().into(),
            ..Told::default()
        };
        event.record(&mut told);
        self.0.lock().unwrap().push(told);
    }

    fn on_close(&self, id: Id, _: LayerContext<'_, S>) {
        let mut seen = self.0.lock().unwrap();
        let span = seen.iter_mut().find(|told| told.id.as_ref() == Some(&id));
        span.unwrap().is_closed = true;
    }
}

impl Seen {
    fn subscribe(&self) -> tracing::subscriber::DefaultGuard {
        tracing::subscriber::set_default(tracing_subscriber::registry().with(self.clone()))
    }

    fn one(&self, name: &str, field: &str) -> Told {
        let seen = self.0.lock().unwrap();
        let mut fitting = seen
            .iter()
            .filter(|told| told.name == name && told.fields.contains_key(field));
        let one = fitting.next().expect("it was told").clone();
        assert!(fitting.next().is_none(), "{name} with {field} came twice");
        one
    }

    fn text(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }
}

/// Answers, or fails.
struct Scripted(Option<BackendError>);

fn answer() -> ChatReply {
    let mut reply = ChatReply::new(Message::new(Role::Assistant, [Part::text("canary answer")]));
    reply.model = Some("m-2026".into());
    reply.id = Some("id-1".into());
    reply.finish = Some(FinishReason::Stop);
    reply.usage = Some(Usage {
        input_tokens: Some(7),
        output_tokens: Some(3),
        cached_input_tokens: Some(5),
        cache_write_tokens: Some(1),
        reasoning_tokens: Some(2),
        ..Usage::default()
    });
    reply
}

#[async_trait]
impl LlmBackend for Scripted {
    async fn chat(&self, _: ChatRequest) -> Result<ChatReply, BackendError> {
        self.0.clone().map_or_else(|| Ok(answer()), Err)
    }

    async fn embed(&self, _: EmbeddingRequest) -> Result<Embeddings, BackendError> {
        Ok(Embeddings {
            model: Some("e-1".into()),
            ..Embeddings::default()
        })
    }
}

fn question() -> ChatRequest {
    ChatRequest::new([Message::user("canary question")])
        .with_model("m")
        .with_temperature(0.5)
        .with_max_tokens(9)
        .with_top_k(40)
        .with_reasoning(ReasoningEffort::Low)
        .with_response_format(ResponseFormat::Json)
}

/// B8
#[tokio::test]
async fn a_call_is_a_span_with_the_standards_attributes_and_two_metrics() {
    let seen = Seen::default();
    let _guard = seen.subscribe();
    let backend = TracedBackend::new(Scripted(None), "openai");
    backend.chat(question()).await.unwrap();

    let span = seen.one("chat", "otel.name");
    for (field, value) in [
        ("otel.name", "chat m"),
        ("otel.kind", "client"),
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "m"),
        ("gen_ai.request.temperature", "0.5"),
        ("gen_ai.request.max_tokens", "9"),
        ("gen_ai.response.model", "m-2026"),
        ("gen_ai.response.id", "id-1"),
        ("gen_ai.response.finish_reasons", "stop"),
        ("gen_ai.usage.input_tokens", "7"),
        ("gen_ai.usage.output_tokens", "3"),
        ("gen_ai.usage.cache_read.input_tokens", "5"),
        ("gen_ai.usage.cache_write.input_tokens", "1"),
        ("gen_ai.usage.reasoning.output_tokens", "2"),
        ("gen_ai.request.top_k", "40"),
        ("gen_ai.request.reasoning.level", "low"),
        ("gen_ai.output.type", "json"),
    ] {
        assert_eq!(span.fields.get(field).map(String::as_str), Some(value), "{field}");
    }
    for missing in ["error.type", "otel.status_code", "gen_ai.request.stream"] {
        assert!(!span.fields.contains_key(missing), "{missing}");
    }
    assert!(span.is_closed);

    let duration = seen.one(METRICS, "histogram.gen_ai.client.operation.duration");
    assert_eq!(duration.fields["gen_ai.request.model"], "m");
    let tokens: Vec<_> = seen.0.lock().unwrap().clone().into_iter().collect();
    let tokens = tokens
        .iter()
        .filter_map(|told| {
            let count = told.fields.get("histogram.gen_ai.client.token.usage")?;
            Some((told.fields["gen_ai.token.type"].clone(), count.clone()))
        })
        .collect::<Vec<_>>();
    assert_eq!(
        tokens,
        [("input".into(), "7".into()), ("output".into(), "3".into())]
    );
    assert!(!seen.text().contains("canary"), "{}", seen.text());
}

#[tokio::test]
async fn content_is_told_to_who_asks_for_it() {
    let seen = Seen::default();
    let _guard = seen.subscribe();
    let backend = TracedBackend::new(Scripted(None), "openai").with_content();
    let stream = backend.chat_stream(question()).await.unwrap();
    stream.collect().await.unwrap();
    let span = seen.one("chat", "otel.name");
    assert_eq!(span.fields["gen_ai.request.stream"], "true");
    assert_eq!(
        span.fields["gen_ai.input.messages"],
        r#"[{"parts":[{"content":"canary question","type":"text"}],"role":"user"}]"#
    );
    assert_eq!(
        span.fields["gen_ai.output.messages"],
        r#"[{"finish_reason":"stop","parts":[{"content":"canary answer","type":"text"}],"role":"assistant"}]"#
    );
}

#[test]
fn every_part_is_told_by_the_conventions_schema() {
    let parts = [
        Part::Reasoning(crate::chat::Reasoning::new("hm")),
        Part::ToolCall(crate::chat::ToolCall::new("1", "f", r#"{"a":1}"#)),
        Part::ToolCall(crate::chat::ToolCall::new("2", "f", "{no")),
        Part::ToolResult(crate::chat::ToolResult::new("1", "done")),
        Part::Image(Media::url("https://h.example/a.png")),
        Part::Audio(Media::base64("audio/wav", "AAAA")),
        Part::File(Media::id("file-1")),
        Part::Other(JsonObject::from_iter([("x".into(), 1.into())])),
    ];
    let told: serde_json::Value =
        serde_json::from_str(&content::answered(&Message::new(Role::Assistant, parts), None)).unwrap();
    let expected = serde_json::json!([{
        "role": "assistant",
        "finish_reason": "unknown",
        "parts": [
            { "type": "reasoning", "content": "hm" },
            { "type": "tool_call", "id": "1", "name": "f", "arguments": { "a": 1 } },
            { "type": "tool_call", "id": "2", "name": "f", "arguments": "{no" },
            { "type": "tool_call_response", "id": "1", "response": "done" },
            { "type": "uri", "modality": "image", "mime_type": null, "uri": "https://h.example/a.png" },
            { "type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "AAAA" },
            { "type": "file", "modality": "document", "mime_type": null, "file_id": "file-1" },
            { "type": "other", "x": 1 },
        ],
    }]);
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_streams_span_ends_with_the_stream_and_with_who_drops_it() {
    let seen = Seen::default();
    let _guard = seen.subscribe();
    let backend = TracedBackend::new(Scripted(None), "openai");
    let mut stream = backend.chat_stream(question()).await.unwrap();
    assert!(!seen.one("chat", "otel.name").is_closed);
    while stream.try_next().await.unwrap().is_some() {}
    assert_eq!(
        seen.one("chat", "otel.name").fields["gen_ai.usage.output_tokens"],
        "3"
    );
    drop(stream);
    assert!(seen.one("chat", "otel.name").is_closed);
    seen.one(METRICS, "histogram.gen_ai.client.operation.duration");

    let dropped = Seen::default();
    let _guard = dropped.subscribe();
    let mut stream = backend.chat_stream(question()).await.unwrap();
    stream.try_next().await.unwrap();
    drop(stream);
    assert!(dropped.one("chat", "otel.name").is_closed);
    dropped.one(METRICS, "histogram.gen_ai.client.operation.duration");
}

#[tokio::test]
async fn a_failure_has_its_kind() {
    let seen = Seen::default();
    let _guard = seen.subscribe();
    let failing = Scripted(Some(BackendError::Unsupported { what: "it" }));
    let backend = TracedBackend::new(failing, "openai");
    backend.chat(question()).await.unwrap_err();
    let span = seen.one("chat", "otel.name");
    assert_eq!(span.fields["error.type"], "unsupported");
    assert_eq!(span.fields["otel.status_code"], "ERROR");
    let duration = seen.one(METRICS, "histogram.gen_ai.client.operation.duration");
    assert_eq!(duration.fields["error.type"], "unsupported");
}

#[tokio::test]
async fn embeddings_have_a_span_of_their_own() {
    let seen = Seen::default();
    let _guard = seen.subscribe();
    let backend = TracedBackend::new(Scripted(None), "gcp.gemini");
    backend
        .embed(EmbeddingRequest::new(["a"]).with_model("e"))
        .await
        .unwrap();
    let span = seen.one("embeddings", "otel.name");
    assert_eq!(span.fields["gen_ai.response.model"], "e-1");
    assert!(span.is_closed);
}
