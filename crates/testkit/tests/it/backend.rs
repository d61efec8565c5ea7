//! The smallest backend that keeps the contract: it shows that the suite can be passed.

use futures_core::Stream;
use gatepass_core::{
    BackendError, ChatEvent, ChatReply, ChatRequest, ChatStream, ErrorKind, FinishReason, LlmBackend,
    Message, Phase, ProviderError, Role, ToolCall, Usage, async_trait,
};
use gatepass_testkit::Value;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

pub(crate) struct TinyBackend {
    host: String,
    key: String,
}

impl TinyBackend {
    pub(crate) fn new(base_url: &str, key: &str) -> Self {
        let host = base_url.trim_start_matches("http://").trim_end_matches("/v1");
        Self {
            host: host.to_owned(),
            key: key.to_owned(),
        }
    }

    async fn post(
        &self,
        request: &ChatRequest,
        stream: bool,
    ) -> Result<(Response<Incoming>, Connection), BackendError> {
        if request.messages.is_empty() {
            return Err(BackendError::Request {
                what: "there is no message".into(),
            });
        }
        let message = json!({ "role": "user", "content": "?" });
        let mut body = json!({ "model": request.model, "stream": stream, "messages": [message] });
        if let Some(tool) = request.tools.first() {
            let function = json!({ "name": tool.name, "parameters": tool.parameters });
            body["tools"] = json!([{ "type": "function", "function": function }]);
            body["tool_choice"] = json!("required");
        }
        let stream = TcpStream::connect(&self.host).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        let connection = Connection(tokio::spawn(async { _ = connection.await }).abort_handle());
        let request = Request::post("/v1/chat/completions")
            .header("host", &self.host)
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .body(body.to_string())
            .unwrap();
        let response = sender
            .send_request(request)
            .await
            .map_err(|_| network(Phase::Send))?;
        if response.status().is_success() {
            Ok((response, connection))
        } else {
            Err(provider_error(&response))
        }
    }
}

#[async_trait]
impl LlmBackend for TinyBackend {
    async fn chat(&self, request: ChatRequest) -> Result<ChatReply, BackendError> {
        let (response, _connection) = self.post(&request, false).await?;
        let id = header(&response, "x-request-id");
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|_| network(Phase::Body))?;
        let body: Value = serde_json::from_slice(&body.to_bytes()).map_err(|_| decode())?;
        let choice = &body["choices"][0];
        let mut reply = ChatReply::new(Message::new(Role::Assistant, []));
        for event in events_of(&choice["message"], choice) {
            reply.add(event);
        }
        let mut usage = Usage::default();
        usage.output_tokens = body["usage"]["completion_tokens"].as_u64();
        reply.usage = Some(usage);
        reply.metadata.request_id = id;
        Ok(reply)
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        let (response, connection) = self.post(&request, true).await?;
        let mut metadata = gatepass_core::ReplyMetadata::default();
        metadata.request_id = header(&response, "x-request-id");
        let events = Events {
            body: response.into_body(),
            text: String::new(),
            arguments: String::new(),
            ready: VecDeque::new(),
            _connection: connection,
        };
        Ok(ChatStream::new(events).with_metadata(metadata))
    }
}

/// Closes the connection when dropped.
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Events {
    body: Incoming,
    text: String,
    arguments: String,
    ready: VecDeque<ChatEvent>,
    _connection: Connection,
}

impl Events {
    fn take(&mut self, event: &str) {
        let Ok(chunk) = serde_json::from_str::<Value>(event.trim_start_matches("data: ")) else {
            return;
        };
        let choice = &chunk["choices"][0];
        let piece = &choice["delta"]["tool_calls"][0]["function"]["arguments"];
        self.arguments += piece.as_str().unwrap_or_default();
        if !self.arguments.is_empty() && !choice["finish_reason"].is_null() {
            let arguments = std::mem::take(&mut self.arguments);
            self.ready
                .push_back(ChatEvent::ToolCall(ToolCall::new("call_0", "weather", arguments)));
        }
        self.ready.extend(events_of(&choice["delta"], choice));
    }
}

impl Stream for Events {
    type Item = Result<ChatEvent, BackendError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(_)) => return Poll::Ready(Some(Err(network(Phase::Body)))),
                Some(Ok(frame)) => {
                    self.text += std::str::from_utf8(&frame.into_data().unwrap()).unwrap();
                    while let Some((event, rest)) = self.text.split_once("\n\n") {
                        let (event, rest) = (event.to_owned(), rest.to_owned());
                        self.text = rest;
                        self.take(&event);
                    }
                }
            }
        }
    }
}

/// The events of a message, whole or a piece; calls only where they are whole.
fn events_of(message: &Value, choice: &Value) -> Vec<ChatEvent> {
    let mut events = Vec::new();
    if let Some(text) = message["content"].as_str().filter(|text| !text.is_empty()) {
        events.push(ChatEvent::Text(text.into()));
    }
    let call = &message["tool_calls"][0];
    if call["index"].is_null() && call["function"].is_object() {
        let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
        let (name, arguments) = (
            text(&call["function"]["name"]),
            text(&call["function"]["arguments"]),
        );
        events.push(ChatEvent::ToolCall(ToolCall::new(
            text(&call["id"]),
            name,
            arguments,
        )));
    }
    match choice["finish_reason"].as_str() {
        Some("stop") => events.push(ChatEvent::Finish(FinishReason::Stop)),
        Some("tool_calls") => events.push(ChatEvent::Finish(FinishReason::ToolCalls)),
        _ => {}
    }
    events
}

fn provider_error(response: &Response<Incoming>) -> BackendError {
    let status = response.status().as_u16();
    let kind = match status {
        401 => ErrorKind::Auth,
        403 => ErrorKind::Permission,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimit,
        503 => ErrorKind::Overloaded,
        500.. => ErrorKind::Server,
        _ => ErrorKind::InvalidRequest,
    };
    let mut error = ProviderError::new("127.0.0.1", kind, status, "");
    error.request_id = header(response, "x-request-id");
    BackendError::Provider(Box::new(error))
}

fn header(response: &Response<Incoming>, name: &str) -> Option<String> {
    Some(response.headers().get(name)?.to_str().ok()?.to_owned())
}

fn network(phase: Phase) -> BackendError {
    BackendError::Network {
        host: "127.0.0.1".into(),
        phase,
        request_id: None,
        source: None,
    }
}

fn decode() -> BackendError {
    BackendError::Decode {
        host: "127.0.0.1".into(),
        what: "not JSON".into(),
        request_id: None,
        source: None,
    }
}
