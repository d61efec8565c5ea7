use super::part::WirePart;
use crate::dialect::Dialect;
use gatepass_core::{JsonObject, Message, Part, Role, ToolCall, ToolResult};
use gatepass_wire::Members;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use serde_json::Value;
use std::borrow::Cow;

/// What servers put into an answer's message and refuse in a request's.
const ANSWERS_ALONE: [&str; 2] = ["channel", "executed_tools"];

/// A conversation. A message with tool results becomes one message a result, and one for its other parts.
pub(super) struct Messages<'a> {
    pub(super) messages: &'a [Message],
    pub(super) dialect: Dialect,
}

impl Serialize for Messages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let dialect = self.dialect;
        let mut messages = serializer.serialize_seq(None)?;
        for message in self.messages {
            let mut is_said = message.parts.is_empty();
            for part in &message.parts {
                match part {
                    Part::ToolResult(result) => messages.serialize_element(&Answered { message, result })?,
                    _ => is_said = true,
                }
            }
            if is_said {
                messages.serialize_element(&Said { message, dialect })?;
            }
        }
        messages.end()
    }
}

/// A tool's answer.
struct Answered<'a> {
    message: &'a Message,
    result: &'a ToolResult,
}

impl Serialize for Answered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Members::start(serializer, &self.message.extra)?;
        object.member("role", "tool")?;
        object.member("tool_call_id", &self.result.id)?;
        object.member("content", &self.result.content)?;
        object.end()
    }
}

/// A message without its tool results.
struct Said<'a> {
    message: &'a Message,
    dialect: Dialect,
}

impl Serialize for Said<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = self.message;
        let role = match message.role {
            Role::System => "system",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
            _ => "user",
        };
        let calls: Vec<_> = message.tool_calls().map(|call| self.call(call)).collect();
        let extra = sendable(&message.extra);
        let mut object = Members::start(serializer, &extra)?;
        object.member("role", role)?;
        object.member(
            "content",
            &Content {
                message,
                may_be_null: !calls.is_empty(),
            },
        )?;
        object.list("tool_calls", &calls)?;
        object.end()
    }
}

impl<'a> Said<'a> {
    fn call(&self, call: &'a ToolCall) -> WireCall<'a> {
        let signature = call.signature.as_deref();
        WireCall {
            id: &call.id,
            kind: "function",
            function: WireFunction {
                name: &call.name,
                arguments: match call.arguments.trim() {
                    // Some servers parse what others leave empty.
                    "" => "{}",
                    _ => &call.arguments,
                },
            },
            extra_content: signature
                .filter(|_| self.dialect.takes_signatures())
                .map(|thought_signature| ExtraContent {
                    google: Google { thought_signature },
                }),
        }
    }
}

#[derive(Serialize)]
struct WireCall<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    function: WireFunction<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_content: Option<ExtraContent<'a>>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct ExtraContent<'a> {
    google: Google<'a>,
}

#[derive(Serialize)]
struct Google<'a> {
    thought_signature: &'a str,
}

/// A message's fields that only its provider knows, but for those that it never wants to see again. Of sound
/// that the model spoke it wants the id alone.
fn sendable(extra: &JsonObject) -> Cow<'_, JsonObject> {
    let is_sent = |name: &str| !ANSWERS_ALONE.contains(&name);
    if extra.keys().all(|name| is_sent(name) && name != "audio") {
        return Cow::Borrowed(extra);
    }
    let mut extra = extra.clone();
    extra.retain(|name, _| is_sent(name));
    if let Some(Value::Object(audio)) = extra.get_mut("audio") {
        audio.retain(|name, _| name == "id");
    }
    Cow::Owned(extra)
}

/// One text as it is; anything else as a list; nothing as an empty text, or `null` beside tool calls.
struct Content<'a> {
    message: &'a Message,
    may_be_null: bool,
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = || {
            let parts = self.message.parts.iter();
            parts.filter_map(|part| WirePart::of(part).ok().flatten())
        };
        let mut first = parts();
        match (first.next(), first.next()) {
            (None, _) if self.may_be_null => serializer.serialize_unit(),
            (None, _) => serializer.serialize_str(""),
            (Some(WirePart::Text { text }), None) => serializer.serialize_str(text),
            _ => serializer.collect_seq(parts()),
        }
    }
}
