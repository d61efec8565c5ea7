use super::calls::{Function, made_up_id, signature};
use super::content;
use super::lenient::{Content, Count, First, Ignored, Indexed, Rest, Text};
use super::usage::Tokens;
use gatepass_core::{
    ChatReply, FinishReason, JsonObject, Message, ModelInfo, Part, Reasoning, Role, ToolCall,
};
use serde::Deserialize;
use serde_json::Value;

/// A whole answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    choices: First<Choice<'a>>,
    usage: Option<Tokens>,
    pub(crate) error: Option<Value>,
    object: Ignored,
    /// Padding against people who guess a stream's words by their length.
    obfuscation: Ignored,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice<'a> {
    index: Count,
    #[serde(borrow)]
    message: Option<Spoken<'a>>,
    #[serde(borrow)]
    finish_reason: Text<'a>,
    /// In a stream, read elsewhere.
    delta: Ignored,
    #[serde(flatten)]
    rest: Rest,
}

/// A message, or the next piece of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Spoken<'a> {
    #[serde(borrow)]
    pub(super) content: Content<'a>,
    #[serde(borrow)]
    pub(super) refusal: Text<'a>,
    #[serde(borrow)]
    reasoning_content: Text<'a>,
    #[serde(borrow)]
    reasoning: Text<'a>,
    #[serde(borrow)]
    pub(super) tool_calls: Option<Vec<Call<'a>>>,
    /// The one call that there could be before there were tools.
    #[serde(borrow)]
    pub(super) function_call: Option<Function<'a>>,
    role: Ignored,
    #[serde(flatten)]
    pub(super) rest: Rest,
}

/// A tool call, or the next piece of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Call<'a> {
    pub(super) index: Count,
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) function: Option<Function<'a>>,
    #[serde(borrow)]
    pub(super) custom: Option<Function<'a>>,
    pub(super) extra_content: Option<Value>,
}

impl Indexed for Choice<'_> {
    fn index(&self) -> Option<u64> {
        self.index.0
    }
}

impl Answer<'_> {
    /// The reply; `None` if there is no answer in it.
    pub(crate) fn into_reply(mut self) -> Option<ChatReply> {
        let spoken = self.choices.0.as_mut()?.message.take()?;
        let word = std::mem::take(&mut self.choices.0.as_mut()?.finish_reason);
        let refused = !spoken.refusal.is_empty();
        let mut reply = ChatReply::new(spoken.into_message());
        reply.finish = finish_reason(word, refused);
        reply.usage = self.usage.as_ref().map(Tokens::usage);
        reply.model = std::mem::take(&mut self.model).into_owned();
        reply.id = std::mem::take(&mut self.id).into_owned();
        reply.extra = self.into_rest();
        Some(reply)
    }

    /// What the vocabulary doesn't have: of the answer, of its first choice, and of its usage.
    pub(super) fn into_rest(self) -> JsonObject {
        let mut rest = self.choices.0.map(|choice| choice.rest.0).unwrap_or_default();
        rest.extend(self.rest.0);
        let usage = self.usage.map(Tokens::into_rest).unwrap_or_default();
        if !usage.is_empty() {
            rest.insert("usage".into(), usage.into());
        }
        rest
    }
}

impl<'a> Spoken<'a> {
    /// What it thought; servers that send it under both names send it twice.
    pub(super) fn take_thought(&mut self) -> Text<'a> {
        std::mem::take(&mut self.reasoning_content).or(std::mem::take(&mut self.reasoning))
    }

    fn into_message(mut self) -> Message {
        let mut parts = Vec::with_capacity(1);
        let thought = self.take_thought().into_owned();
        parts.extend(thought.map(|text| Part::Reasoning(Reasoning::new(text))));
        parts.extend(content::parts(self.content));
        parts.extend(self.refusal.into_owned().map(Part::Text));
        parts.extend(calls(self.tool_calls, self.function_call).map(Part::ToolCall));
        let mut message = Message::new(Role::Assistant, parts);
        message.extra = self.rest.0;
        message
    }
}

fn calls<'a>(calls: Option<Vec<Call<'a>>>, old_call: Option<Function<'a>>) -> impl Iterator<Item = ToolCall> {
    let mut calls = calls.unwrap_or_default();
    if calls.is_empty() {
        calls.extend(old_call.map(Call::of_function));
    }
    calls
        .into_iter()
        .filter_map(Call::named)
        .enumerate()
        .map(|(index, (call, function))| {
            let id = call.id.into_owned().unwrap_or_else(|| made_up_id(index));
            let name = function.name.into_owned().unwrap_or_default();
            let mut tool_call = ToolCall::new(id, name, function.arguments.as_str());
            tool_call.signature = signature(call.extra_content.as_ref());
            tool_call
        })
}

impl<'a> Call<'a> {
    pub(super) fn of_function(function: Function<'a>) -> Self {
        Self {
            function: Some(function),
            ..Self::default()
        }
    }

    /// The call and what it calls; servers that send every member send empty ones too.
    fn named(mut self) -> Option<(Self, Function<'a>)> {
        let function = self.take_function()?;
        Some((self, function))
    }

    pub(super) fn take_function(&mut self) -> Option<Function<'a>> {
        let says_something = |function: &Function<'_>| !function.is_empty();
        let function = self.function.take().filter(says_something);
        function.or_else(|| self.custom.take().filter(says_something))
    }
}

/// Our word for the provider's. A refusal is content that was withheld, though OpenAI ends it with `stop`.
pub(super) fn finish_reason(word: Text<'_>, refused: bool) -> Option<FinishReason> {
    match word.as_str() {
        "" => None,
        "stop" if refused => Some(FinishReason::ContentFilter),
        "stop" => Some(FinishReason::Stop),
        "length" => Some(FinishReason::Length),
        "tool_calls" | "function_call" => Some(FinishReason::ToolCalls),
        "content_filter" => Some(FinishReason::ContentFilter),
        _ => word.into_owned().map(FinishReason::Other),
    }
}

/// A list of models: `{"data":[{"id":…}]}`, or the bare list.
pub(crate) fn models(body: &[u8]) -> Result<Vec<ModelInfo>, serde_json::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Models {
        Listed { data: Vec<Model> },
        Bare(Vec<Model>),
    }
    #[derive(Deserialize)]
    struct Model {
        id: String,
        #[serde(default, rename = "object")]
        _object: Ignored,
        #[serde(flatten)]
        rest: Rest,
    }
    let (Models::Listed { data } | Models::Bare(data)) = serde_json::from_slice(body)?;
    Ok(data
        .into_iter()
        .map(|model| {
            let mut info = ModelInfo::new(model.id);
            info.extra = model.rest.0;
            info
        })
        .collect())
}
