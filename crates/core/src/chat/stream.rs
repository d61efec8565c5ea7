use super::{ChatReply, FinishReason, JsonObject, Part, Reasoning, ReplyMetadata, ToolCall, Usage};
use crate::error::BackendError;
use futures_core::Stream;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A piece of a streamed answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ChatEvent {
    /// More text.
    Text(String),
    /// More of what the model thinks.
    Reasoning(Reasoning),
    /// The model began to ask for a tool; its arguments follow.
    ToolCallStart {
        /// Which call of the answer, from 0.
        index: usize,
        /// The provider's id of the call.
        id: String,
        /// The tool.
        name: String,
    },
    /// More of a call's arguments.
    ToolCallArguments {
        /// Which call of the answer, from 0.
        index: usize,
        /// The next piece of JSON text.
        arguments: String,
    },
    /// A call is complete. Comes once for each call, after its pieces.
    ToolCall(ToolCall),
    /// A part that comes whole: an image, or one that only its provider knows. An empty text or thought
    /// begins a new part, which the next pieces go on with.
    Part(Part),
    /// Fields of the part that came last: see [`Part::extra`]. A list goes on with the list of the same name.
    PartExtra(JsonObject),
    /// The answer has ended.
    Finish(FinishReason),
    /// What it cost so far; the last one counts.
    Usage(Usage),
    /// What the vocabulary doesn't have; comes at the end, if at all.
    Extra {
        /// Fields of the message: see [`Message::extra`](super::Message::extra).
        message: JsonObject,
        /// Fields of the answer around it: see [`ChatReply::extra`].
        reply: JsonObject,
    },
    /// Which model answers, and under which id.
    Started {
        /// The provider's id of the answer.
        id: Option<String>,
        /// The model, by the provider's name.
        model: Option<String>,
        /// The wire that it is read from: see [`Message::wire`](super::Message::wire).
        wire: Option<Cow<'static, str>>,
    },
}

/// A streamed answer. Dropping it closes the connection.
///
/// ```no_run
/// # async fn f(mut events: gatepass_core::ChatStream) -> Result<(), gatepass_core::BackendError> {
/// use gatepass_core::ChatEvent;
///
/// while let Some(event) = events.try_next().await? {
///     if let ChatEvent::Text(text) = event {
///         print!("{text}");
///     }
/// }
/// # Ok(()) }
/// ```
pub struct ChatStream {
    events: Pin<Box<dyn Stream<Item = Result<ChatEvent, BackendError>> + Send>>,
    metadata: ReplyMetadata,
}

impl ChatStream {
    /// A stream of these events.
    pub fn new(events: impl Stream<Item = Result<ChatEvent, BackendError>> + Send + 'static) -> Self {
        Self {
            events: Box::pin(events),
            metadata: ReplyMetadata::default(),
        }
    }

    /// Sets what came beside the answer's beginning.
    #[must_use]
    pub fn with_metadata(mut self, metadata: ReplyMetadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// A whole answer, told in events.
    #[must_use]
    pub fn of_reply(reply: ChatReply) -> Self {
        let metadata = reply.metadata.clone();
        Self::new(Told(events_of(reply))).with_metadata(metadata)
    }

    /// What came beside the answer's beginning: the request id, the limits.
    #[must_use]
    pub const fn metadata(&self) -> &ReplyMetadata {
        &self.metadata
    }

    /// Waits for the next event; `None` when the answer has ended.
    ///
    /// # Errors
    /// See [`BackendError`]. After an error the stream is over.
    pub async fn try_next(&mut self) -> Result<Option<ChatEvent>, BackendError> {
        poll_fn(|cx| self.events.as_mut().poll_next(cx)).await.transpose()
    }

    /// Reads to the end and returns the whole answer.
    ///
    /// # Errors
    /// [`BackendError::Interrupted`] with what had come until then.
    pub async fn collect(mut self) -> Result<ChatReply, BackendError> {
        let mut reply = ChatReply {
            metadata: self.metadata.clone(),
            ..ChatReply::default()
        };
        loop {
            match self.try_next().await {
                Ok(Some(event)) => reply.add(event),
                Ok(None) => return Ok(reply),
                Err(source) => {
                    return Err(BackendError::Interrupted {
                        partial: Box::new(reply),
                        source: Box::new(source),
                    });
                }
            }
        }
    }
}

impl Stream for ChatStream {
    type Item = Result<ChatEvent, BackendError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for ChatStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatStream")
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

impl ChatReply {
    /// Adds what an event tells. Adjoining text becomes one part, and so does an adjoining thought.
    pub fn add(&mut self, event: ChatEvent) {
        match event {
            ChatEvent::Text(more) => match self.message.parts.last_mut() {
                Some(Part::Text(text)) => text.text.push_str(&more),
                _ => self.message.parts.push(Part::text(more)),
            },
            ChatEvent::Reasoning(more) => match self.message.parts.last_mut() {
                Some(Part::Reasoning(thought)) if thought.signature.is_none() => {
                    thought.text.push_str(&more.text);
                    thought.signature = more.signature;
                    extend(&mut thought.extra, more.extra);
                }
                _ => self.message.parts.push(Part::Reasoning(more)),
            },
            ChatEvent::ToolCall(call) => self.message.parts.push(Part::ToolCall(call)),
            ChatEvent::Part(part) => self.message.parts.push(part),
            ChatEvent::PartExtra(more) => {
                if let Some(part) = self.message.parts.last_mut() {
                    extend(part.extra_mut(), more);
                }
            }
            ChatEvent::Finish(reason) => self.finish = Some(reason),
            ChatEvent::Usage(usage) => self.usage = Some(usage),
            ChatEvent::Extra { message, reply } => {
                self.message.extra.extend(message);
                self.extra.extend(reply);
            }
            ChatEvent::Started { id, model, wire } => {
                self.id = id;
                self.model = model;
                self.message.wire = wire;
            }
            // Told once more, and whole, by `ToolCall`.
            ChatEvent::ToolCallStart { .. } | ChatEvent::ToolCallArguments { .. } => {}
        }
    }
}

/// Adds fields; a list goes on with the list of the same name.
fn extend(extra: &mut JsonObject, more: JsonObject) {
    for (field, value) in more {
        match (extra.get_mut(&field), value) {
            (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
            (_, value) => {
                extra.insert(field, value);
            }
        }
    }
}

fn events_of(reply: ChatReply) -> VecDeque<ChatEvent> {
    let mut events = VecDeque::from([ChatEvent::Started {
        id: reply.id,
        model: reply.model,
        wire: reply.message.wire,
    }]);
    for part in reply.message.parts {
        match part {
            Part::Text(text) => {
                // Two texts side by side stay two.
                if matches!(events.back(), Some(ChatEvent::Text(_) | ChatEvent::PartExtra(_))) {
                    events.push_back(ChatEvent::Part(Part::text("")));
                }
                events.push_back(ChatEvent::Text(text.text));
                if !text.extra.is_empty() {
                    events.push_back(ChatEvent::PartExtra(text.extra));
                }
            }
            Part::Reasoning(thought) => {
                if matches!(events.back(), Some(ChatEvent::Reasoning(_))) {
                    events.push_back(ChatEvent::Part(Part::Reasoning(Reasoning::default())));
                }
                events.push_back(ChatEvent::Reasoning(thought));
            }
            Part::ToolCall(call) => events.push_back(ChatEvent::ToolCall(call)),
            part => events.push_back(ChatEvent::Part(part)),
        }
    }
    events.extend(reply.usage.map(ChatEvent::Usage));
    events.extend(reply.finish.map(ChatEvent::Finish));
    if !(reply.message.extra.is_empty() && reply.extra.is_empty()) {
        events.push_back(ChatEvent::Extra {
            message: reply.message.extra,
            reply: reply.extra,
        });
    }
    events
}

struct Told(VecDeque<ChatEvent>);

impl Stream for Told {
    type Item = Result<ChatEvent, BackendError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Message, Role};
    use super::*;

    #[tokio::test]
    async fn a_reply_told_in_events_and_collected_is_the_same_reply() {
        let mut reply = ChatReply::new(Message::new(
            Role::Assistant,
            [
                Part::Reasoning(Reasoning::new("hm").with_signature("proof")),
                Part::text("Paris").with_extra("citations", serde_json::json!(["a", "b"])),
                Part::text("Berlin"),
                Part::Other(JsonObject::from_iter([("type".into(), "search".into())])),
                Part::text("Rome"),
                Part::ToolCall(ToolCall::new("1", "weather", "{}")),
            ],
        ));
        reply.finish = Some(FinishReason::ToolCalls);
        reply.model = Some("m".into());
        reply.message.wire = Some("test".into());
        reply.message.extra.insert("annotations".into(), "kept".into());
        reply.extra.insert("service_tier".into(), "flex".into());
        reply.usage = Some(Usage {
            total_tokens: Some(3),
            ..Usage::default()
        });
        assert_eq!(
            ChatStream::of_reply(reply.clone()).collect().await.unwrap(),
            reply
        );
    }

    #[test]
    fn fields_of_a_part_are_added_and_lists_go_on() {
        let extra = |value| JsonObject::from_iter([("citations".to_owned(), value)]);
        let mut reply = ChatReply::default();
        for event in [
            ChatEvent::Text("Par".into()),
            ChatEvent::PartExtra(extra(serde_json::json!([1]))),
            ChatEvent::Text("is".into()),
            ChatEvent::PartExtra(extra(serde_json::json!([2]))),
            ChatEvent::Part(Part::text("")),
            ChatEvent::Text("!".into()),
        ] {
            reply.add(event);
        }
        let expected = [
            Part::text("Paris").with_extra("citations", serde_json::json!([1, 2])),
            Part::text("!"),
        ];
        assert_eq!(reply.message.parts, expected);
    }

    #[tokio::test]
    async fn an_interrupted_stream_keeps_what_had_come() {
        struct Broken(u8);
        impl Stream for Broken {
            type Item = Result<ChatEvent, BackendError>;
            fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                self.0 += 1;
                Poll::Ready(Some(match self.0 {
                    1 => Ok(ChatEvent::Text("half".into())),
                    _ => Err(BackendError::Unsupported { what: "the rest" }),
                }))
            }
        }
        let metadata = ReplyMetadata {
            request_id: Some("req-1".into()),
            ..ReplyMetadata::default()
        };
        let stream = ChatStream::new(Broken(0)).with_metadata(metadata);
        let error = stream.collect().await.unwrap_err();
        assert_eq!(error.request_id(), Some("req-1"));
        match error {
            BackendError::Interrupted { partial, .. } => assert_eq!(partial.text(), "half"),
            other => panic!("{other:?}"),
        }
    }
}
