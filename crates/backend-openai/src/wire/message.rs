use super::WIRE;
use super::call::{FUNCTION, sendable_id};
use super::part::{Context, WirePart};
use super::thought::{field, thought_of};
use crate::dialect::Dialect;
use gatepass_core::{JsonObject, Message, Part, Role, ToolCall, ToolResult};
use gatepass_wire::Members;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::LazyLock;

static NOTHING: LazyLock<JsonObject> = LazyLock::new(JsonObject::new);

/// What servers put into an answer's message and refuse in a request's.
const ANSWERS_ALONE: [&str; 2] = ["channel", "executed_tools"];

/// A conversation. A message with tool results becomes one message a result, and one for its other parts.
pub(super) struct Messages<'a> {
    pub(super) messages: &'a [Message],
    pub(super) dialect: Dialect,
}

impl Serialize for Messages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut messages = serializer.serialize_seq(None)?;
        for message in self.messages {
            let context = Context {
                dialect: self.dialect,
                belongs: message.belongs_to(WIRE),
            };
            let mut is_said = message.parts.is_empty();
            for part in &message.parts {
                match part {
                    Part::ToolResult(result) => {
                        messages.serialize_element(&Answered {
                            message,
                            result,
                            context,
                        })?;
                    }
                    // Of another wire's message there may be nothing to say.
                    part => is_said |= context.belongs || is_sayable(part, context),
                }
            }
            if is_said {
                messages.serialize_element(&Said { message, context })?;
            }
        }
        messages.end()
    }
}

fn is_sayable(part: &Part, context: Context) -> bool {
    matches!(part, Part::ToolCall(_)) || matches!(WirePart::of(part, context), Ok(Some(_)))
}

/// What a message has for this wire alone.
fn own_extra(message: &Message, context: Context) -> &JsonObject {
    if context.belongs { &message.extra } else { &NOTHING }
}

/// A tool's answer.
struct Answered<'a> {
    message: &'a Message,
    result: &'a ToolResult,
    context: Context,
}

impl Serialize for Answered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let result = self.result;
        let extra = match (own_extra(self.message, self.context), &result.extra) {
            (of_message, of_result) if of_result.is_empty() => Cow::Borrowed(of_message),
            (of_message, of_result) if of_message.is_empty() => Cow::Borrowed(of_result),
            (of_message, of_result) => {
                let mut extra = of_message.clone();
                extra.extend(of_result.clone());
                Cow::Owned(extra)
            }
        };
        let mut object = Members::start(serializer, &extra)?;
        object.member("role", "tool")?;
        object.member("tool_call_id", &sendable_id(&result.id, self.context.dialect))?;
        if result.parts.is_empty() {
            object.member("content", &result.content)?;
        } else {
            let text = (!result.content.is_empty()).then(|| WirePart::text(&result.content));
            let parts = result.parts.iter();
            let parts = parts.filter_map(|part| WirePart::of(part, self.context).ok().flatten());
            object.member("content", &text.into_iter().chain(parts).collect::<Vec<_>>())?;
        }
        object.end()
    }
}

/// A message without its tool results.
struct Said<'a> {
    message: &'a Message,
    context: Context,
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
        let extra = sendable(own_extra(message, self.context));
        let mut object = Members::start(serializer, &extra)?;
        object.member("role", role)?;
        let may_be_null = !calls.is_empty();
        object.member(
            "content",
            &Content {
                said: self,
                may_be_null,
            },
        )?;
        if let Some((field, thought)) = self.thought(!calls.is_empty()) {
            object.member(field, &thought)?;
        }
        object.list("tool_calls", &calls)?;
        object.end()
    }
}

impl<'a> Said<'a> {
    /// What it thought, under the name that its server has for it.
    fn thought(&self, has_calls: bool) -> Option<(&'a str, String)> {
        let dialect = self.context.dialect;
        let told = if self.context.belongs && dialect.takes_thoughts() {
            thought_of(self.message)
        } else {
            None
        };
        told.or_else(|| {
            let is_demanded = has_calls && dialect.wants_thoughts() && self.message.role == Role::Assistant;
            is_demanded.then(|| (field::CONTENT, String::new()))
        })
    }

    fn call(&self, call: &'a ToolCall) -> WireCall<'a> {
        let Context { dialect, belongs } = self.context;
        WireCall {
            call,
            dialect,
            signature: call
                .signature
                .as_deref()
                .filter(|_| dialect.takes_signatures() && belongs),
            extra: if belongs { &call.extra } else { &NOTHING },
        }
    }
}

struct WireCall<'a> {
    call: &'a ToolCall,
    dialect: Dialect,
    signature: Option<&'a str>,
    extra: &'a JsonObject,
}

impl Serialize for WireCall<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ToolCall {
            id, name, arguments, ..
        } = self.call;
        let mut extra = Cow::Borrowed(self.extra);
        if extra.contains_key(FUNCTION) {
            extra.to_mut().remove(FUNCTION);
        }
        let mut object = Members::start(serializer, &extra)?;
        object.member("id", &sendable_id(id, self.dialect))?;
        let kind = self.extra.get("type").and_then(Value::as_str);
        if kind == Some("custom") {
            let input = arguments;
            object.member("custom", &WireCustom { name, input })?;
        } else if kind.is_none_or(|kind| !self.extra.contains_key(kind)) {
            // Some servers parse what others leave empty.
            let is_empty = arguments.trim().is_empty();
            let arguments = if is_empty { "{}" } else { arguments };
            object.member("type", "function")?;
            object.member("function", &WireFunction { name, arguments })?;
        }
        let signature = self.signature.map(|thought_signature| ExtraContent {
            google: Google { thought_signature },
        });
        object.optional("extra_content", signature.as_ref())?;
        object.end()
    }
}

#[derive(Serialize)]
struct WireFunction<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct WireCustom<'a> {
    name: &'a str,
    input: &'a str,
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
    said: &'a Said<'a>,
    may_be_null: bool,
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Said { message, context } = *self.said;
        // Of another wire's answer the words: nobody takes back pictures that someone else's model drew.
        let is_taken = |part: &&Part| {
            context.belongs || message.role != Role::Assistant || matches!(part, Part::Text(_))
        };
        let parts = || {
            let parts = message.parts.iter().filter(is_taken);
            parts.filter_map(|part| WirePart::of(part, context).ok().flatten())
        };
        let mut first = parts();
        match (first.next(), first.next()) {
            (None, _) if self.may_be_null => serializer.serialize_unit(),
            (None, _) => serializer.serialize_str(""),
            (Some(part), None) => match part.as_plain_text() {
                Some(text) => serializer.serialize_str(text),
                None => serializer.collect_seq([part]),
            },
            _ => serializer.collect_seq(parts()),
        }
    }
}
