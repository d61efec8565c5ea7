use crate::backend::LlmBackend;
use crate::chat::{
    ChatEvent, ChatReply, ChatRequest, ChatStream, EmbeddingRequest, Embeddings, FinishReason, ModelInfo,
    ReasoningEffort, ResponseFormat, Usage,
};
use crate::error::BackendError;
use async_trait::async_trait;
use futures_core::Stream;
use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use tracing::{Instrument, Level, Span, field::Empty};

mod content;

/// Tells [`tracing`] of every call, in the words of OpenTelemetry's
/// [semantic conventions for generative AI](https://opentelemetry.io/docs/specs/semconv/gen-ai/).
///
/// * A span `chat` or `embeddings` of kind `client` with `gen_ai.provider.name`, `gen_ai.request.*`,
///   `gen_ai.response.*`, `gen_ai.usage.*`; and, if it fails, `error.type` (an [`ErrorKind`](crate::ErrorKind)) and the status
///   `ERROR`. A streamed answer's span ends with the stream.
/// * The metrics `gen_ai.client.operation.duration` (seconds) and `gen_ai.client.token.usage` (tokens), as events of
///   the target `gatepass::metrics` at the level `TRACE` with a field `histogram.<metric>`, which `tracing-opentelemetry`'s
///   metrics layer records.
///
/// What is asked and answered is left out, unless [`with_content`](Self::with_content) asks for it. `tracing` has no lists:
/// `gen_ai.response.finish_reasons` is its one word, and `gen_ai.request.stop_sequences` is left out. Costs next to
/// nothing while nobody subscribes.
#[derive(Debug)]
pub struct TracedBackend<B> {
    backend: B,
    provider: Cow<'static, str>,
    content: bool,
}

impl<B: LlmBackend> TracedBackend<B> {
    /// Tells of the calls to `backend`, whose `gen_ai.provider.name` is `provider`: `openai`, `gcp.gemini`,
    /// `gcp.vertex_ai`, `anthropic`, `azure.ai.openai`, or a name of your own.
    pub fn new(backend: B, provider: impl Into<Cow<'static, str>>) -> Self {
        Self {
            backend,
            provider: provider.into(),
            content: false,
        }
    }

    /// Tells what is asked and answered, too: `gen_ai.input.messages` and `gen_ai.output.messages`, as JSON by the
    /// conventions' schemas. It goes wherever the subscriber sends it.
    #[must_use]
    pub fn with_content(mut self) -> Self {
        self.content = true;
        self
    }

    fn chat_span(&self, request: &ChatRequest, is_streamed: bool) -> Call {
        let model = request.model.as_deref().unwrap_or_default();
        let span = tracing::info_span!(
            "chat",
            otel.name = format_args!("chat {model}"),
            otel.kind = "client",
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = &*self.provider,
            gen_ai.request.model = model,
            gen_ai.request.temperature = request.temperature,
            gen_ai.request.top_p = request.top_p,
            gen_ai.request.top_k = request.top_k,
            gen_ai.request.max_tokens = request.max_tokens,
            gen_ai.request.presence_penalty = request.presence_penalty,
            gen_ai.request.frequency_penalty = request.frequency_penalty,
            gen_ai.request.seed = request.seed,
            gen_ai.request.reasoning.level = request
                .reasoning
                .and_then(|reasoning| reasoning.effort)
                .map(effort_word),
            gen_ai.request.stream = is_streamed.then_some(true),
            gen_ai.output.r#type = request.response_format.as_ref().map(output_type),
            gen_ai.response.model = Empty,
            gen_ai.response.id = Empty,
            gen_ai.response.finish_reasons = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.usage.cache_read.input_tokens = Empty,
            gen_ai.usage.cache_write.input_tokens = Empty,
            gen_ai.usage.reasoning.output_tokens = Empty,
            gen_ai.input.messages = Empty,
            gen_ai.output.messages = Empty,
            error.r#type = Empty,
            otel.status_code = Empty,
        );
        if self.content && !span.is_disabled() {
            span.record("gen_ai.input.messages", content::asked(&request.messages));
        }
        self.begin(span, "chat", model)
    }

    fn begin(&self, span: Span, operation: &'static str, model: &str) -> Call {
        Call {
            model: if measured() {
                model.to_owned()
            } else {
                String::new()
            },
            span,
            operation,
            provider: if measured() {
                self.provider.clone()
            } else {
                Cow::Borrowed("")
            },
            begun: Instant::now(),
        }
    }
}

#[async_trait]
impl<B: LlmBackend> LlmBackend for TracedBackend<B> {
    async fn chat(&self, request: ChatRequest) -> Result<ChatReply, BackendError> {
        let call = self.chat_span(&request, false);
        let reply = self.backend.chat(request).instrument(call.span.clone()).await;
        call.end_with(reply, |call, reply| call.reply(reply, self.content))
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        let call = self.chat_span(&request, true);
        let stream = self
            .backend
            .chat_stream(request)
            .instrument(call.span.clone())
            .await;
        match stream {
            Ok(stream) => {
                let metadata = stream.metadata().clone();
                let traced = TracedStream {
                    stream,
                    call,
                    so_far: ChatReply::default(),
                    content: self.content,
                    over: false,
                };
                Ok(ChatStream::new(traced).with_metadata(metadata))
            }
            Err(error) => call.end_with(Err(error), |_, _| ()),
        }
    }

    async fn embed(&self, request: EmbeddingRequest) -> Result<Embeddings, BackendError> {
        let model = request.model.as_deref().unwrap_or_default();
        let span = tracing::info_span!(
            "embeddings",
            otel.name = format_args!("embeddings {model}"),
            otel.kind = "client",
            gen_ai.operation.name = "embeddings",
            gen_ai.provider.name = &*self.provider,
            gen_ai.request.model = model,
            gen_ai.embeddings.dimension.count = request.dimensions,
            gen_ai.response.model = Empty,
            gen_ai.usage.input_tokens = Empty,
            error.r#type = Empty,
            otel.status_code = Empty,
        );
        let call = self.begin(span, "embeddings", model);
        let vectors = self.backend.embed(request).instrument(call.span.clone()).await;
        call.end_with(vectors, |call, vectors| {
            call.record_text("gen_ai.response.model", vectors.model.as_deref());
            call.usage(vectors.usage.as_ref());
        })
    }

    async fn models(&self) -> Result<Vec<ModelInfo>, BackendError> {
        self.backend.models().await
    }

    async fn count_tokens(&self, request: &ChatRequest) -> Result<u64, BackendError> {
        self.backend.count_tokens(request).await
    }
}

/// One call that is being told of.
struct Call {
    span: Span,
    operation: &'static str,
    /// These two are empty while nobody listens.
    provider: Cow<'static, str>,
    model: String,
    begun: Instant,
}

impl Call {
    fn end_with<T>(
        &self,
        result: Result<T, BackendError>,
        tell: impl FnOnce(&Self, &T),
    ) -> Result<T, BackendError> {
        match &result {
            Ok(answer) => tell(self, answer),
            Err(error) => self.failure(error),
        }
        self.duration(result.as_ref().err());
        result
    }

    fn reply(&self, reply: &ChatReply, content: bool) {
        self.record_text("gen_ai.response.model", reply.model.as_deref());
        self.record_text("gen_ai.response.id", reply.id.as_deref());
        if let Some(finish) = &reply.finish {
            self.span
                .record("gen_ai.response.finish_reasons", finish_word(finish));
        }
        self.usage(reply.usage.as_ref());
        if content && !self.span.is_disabled() {
            let word = reply.finish.as_ref().map(finish_word);
            self.span
                .record("gen_ai.output.messages", content::answered(&reply.message, word));
        }
    }

    fn usage(&self, usage: Option<&Usage>) {
        let Some(usage) = usage else { return };
        self.usage_in_detail(usage);
        let counts = [
            ("gen_ai.usage.input_tokens", "input", usage.input_tokens),
            ("gen_ai.usage.output_tokens", "output", usage.output_tokens),
        ];
        for (field, kind, count) in counts {
            let Some(count) = count else { continue };
            self.span.record(field, count);
            tracing::event!(
                target: METRICS,
                parent: &self.span,
                Level::TRACE,
                {                 gen_ai.operation.name = self.operation,
                "histogram.gen_ai.client.token.usage" = count,
                gen_ai.provider.name = &*self.provider,
                gen_ai.request.model = %self.model,
                gen_ai.token.r#type = kind }
            );
        }
    }

    fn usage_in_detail(&self, usage: &Usage) {
        for (field, count) in [
            ("gen_ai.usage.cache_read.input_tokens", usage.cached_input_tokens),
            ("gen_ai.usage.cache_write.input_tokens", usage.cache_write_tokens),
            ("gen_ai.usage.reasoning.output_tokens", usage.reasoning_tokens),
        ] {
            if let Some(count) = count {
                self.span.record(field, count);
            }
        }
    }

    fn failure(&self, error: &BackendError) {
        if let BackendError::Interrupted { partial, .. } = error {
            self.usage(partial.usage.as_ref());
        }
        self.span.record("error.type", error.kind().as_str());
        self.span.record("otel.status_code", "ERROR");
    }

    fn duration(&self, error: Option<&BackendError>) {
        tracing::event!(
            target: METRICS,
            parent: &self.span,
            Level::TRACE,
            {             gen_ai.operation.name = self.operation,
            "histogram.gen_ai.client.operation.duration" = self.begun.elapsed().as_secs_f64(),
            gen_ai.provider.name = &*self.provider,
            gen_ai.request.model = %self.model,
            error.r#type = error.map(|error| error.kind().as_str()) }
        );
    }

    fn record_text(&self, field: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.span.record(field, text);
        }
    }
}

const METRICS: &str = "gatepass::metrics";

fn measured() -> bool {
    tracing::enabled!(target: METRICS, Level::TRACE)
}

/// A streamed answer whose span ends with it.
struct TracedStream {
    stream: ChatStream,
    call: Call,
    /// Without its parts, unless content is wanted.
    so_far: ChatReply,
    content: bool,
    over: bool,
}

impl TracedStream {
    fn note(&mut self, event: &ChatEvent) {
        let is_content = !matches!(
            event,
            ChatEvent::Started { .. } | ChatEvent::Finish(_) | ChatEvent::Usage(_)
        );
        if !is_content || (self.content && !self.call.span.is_disabled()) {
            self.so_far.add(event.clone());
        }
    }

    fn end(&mut self, error: Option<&BackendError>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        self.call.reply(&self.so_far, self.content);
        if let Some(error) = error {
            self.call.failure(error);
        }
        self.call.duration(error);
    }
}

impl Stream for TracedStream {
    type Item = Result<ChatEvent, BackendError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let span = this.call.span.clone();
        let polled = span.in_scope(|| Pin::new(&mut this.stream).poll_next(cx));
        match &polled {
            Poll::Ready(Some(Ok(event))) => this.note(event),
            Poll::Ready(Some(Err(error))) => this.end(Some(error)),
            Poll::Ready(None) => this.end(None),
            Poll::Pending => {}
        }
        polled
    }
}

/// Who has enough of it drops it.
impl Drop for TracedStream {
    fn drop(&mut self) {
        self.end(None);
    }
}

const fn effort_word(effort: ReasoningEffort) -> &'static str {
    match effort {
        ReasoningEffort::None => "none",
        ReasoningEffort::Minimal => "minimal",
        ReasoningEffort::Low => "low",
        ReasoningEffort::Medium => "medium",
        ReasoningEffort::High => "high",
    }
}

const fn output_type(format: &ResponseFormat) -> &'static str {
    match format {
        ResponseFormat::Text => "text",
        ResponseFormat::Json | ResponseFormat::JsonSchema { .. } => "json",
    }
}

/// The words that providers use most.
fn finish_word(finish: &FinishReason) -> &str {
    match finish {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter => "content_filter",
        FinishReason::Other(word) => word,
    }
}

#[cfg(test)]
mod tests;
