/// What the model answers.
///
/// ```
/// use gatepass_testkit::ScriptedReply;
///
/// let asks = ScriptedReply::tool_call("weather", r#"{"city":"Paris"}"#);
/// let cut = ScriptedReply::text("The answer is").with_finish("length");
/// # drop((asks, cut));
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ScriptedReply {
    pub(super) text: Option<String>,
    /// Name and arguments.
    pub(super) tool_calls: Vec<(String, String)>,
    pub(super) finish: Option<String>,
    pub(super) usage: Option<(u64, u64)>,
}

impl ScriptedReply {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }

    /// A call of the tool `name`, with arguments that should be JSON.
    pub fn tool_call(name: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self::default().with_tool_call(name, arguments)
    }

    /// Adds a call of a tool.
    pub fn with_tool_call(mut self, name: impl Into<String>, arguments: impl Into<String>) -> Self {
        self.tool_calls.push((name.into(), arguments.into()));
        self
    }

    /// Sets `finish_reason`: `tool_calls` with tool calls and `stop` without, if nothing is said.
    pub fn with_finish(mut self, reason: impl Into<String>) -> Self {
        self.finish = Some(reason.into());
        self
    }

    /// Sets the tokens of input and output: the number of words, if nothing is said.
    pub const fn with_usage(mut self, input: u64, output: u64) -> Self {
        self.usage = Some((input, output));
        self
    }

    pub(super) fn finish_reason(&self) -> &str {
        match &self.finish {
            Some(reason) => reason,
            None if self.tool_calls.is_empty() => "stop",
            None => "tool_calls",
        }
    }
}
