use super::{JsonObject, Message};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a model is asked, the same for every provider.
///
/// ```
/// use gatepass_core::{ChatRequest, Message};
///
/// let request = ChatRequest::new([Message::system("Be brief."), Message::user("Weather in Paris?")])
///     .with_temperature(0.2)
///     .with_max_tokens(200);
/// # drop(request);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatRequest {
    /// The model, by the provider's name; a backend or an `Llm` that is bound to one fills it in.
    pub model: Option<String>,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// The tools that the model may ask for.
    pub tools: Vec<Tool>,
    /// Tools that the provider itself runs (web search, code execution), as its documentation writes them.
    pub provider_tools: Vec<JsonObject>,
    /// Which of the tools it may, or must, ask for.
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may ask for several tools at once; the provider's default if `None`.
    pub parallel_tool_calls: Option<bool>,
    /// How much it thinks before it answers.
    pub reasoning: Option<ReasoningOptions>,
    /// The form of the answer.
    pub response_format: Option<ResponseFormat>,
    /// Randomness, from 0.
    pub temperature: Option<f64>,
    /// The most tokens that the answer may have.
    pub max_tokens: Option<u32>,
    /// Nucleus sampling, from 0 to 1.
    pub top_p: Option<f64>,
    /// How many of the likeliest tokens are looked at.
    pub top_k: Option<u32>,
    /// Makes tokens that stand in the answer already less likely, from -2 to 2.
    pub presence_penalty: Option<f64>,
    /// The same, the more the oftener they stand there.
    pub frequency_penalty: Option<f64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// For answers that can be repeated, as far as the provider can.
    pub seed: Option<i64>,
    /// Fields that only one provider knows, added to the request's body as they stand; they win over ours.
    pub extra: JsonObject,
}

impl ChatRequest {
    /// Asks with this conversation.
    pub fn new(messages: impl Into<Vec<Message>>) -> Self {
        Self {
            messages: messages.into(),
            ..Self::default()
        }
    }

    /// Sets the model, by the provider's name.
    #[must_use]
    pub fn with_model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Offers tools.
    #[must_use]
    pub fn with_tools(mut self, tools: impl Into<Vec<Tool>>) -> Self {
        self.tools = tools.into();
        self
    }

    /// Offers a tool that the provider itself runs, as its documentation writes it.
    #[must_use]
    pub fn with_provider_tool(mut self, tool: JsonObject) -> Self {
        self.provider_tools.push(tool);
        self
    }

    /// Says whether the model may ask for several tools at once.
    #[must_use]
    pub const fn with_parallel_tool_calls(mut self, parallel: bool) -> Self {
        self.parallel_tool_calls = Some(parallel);
        self
    }

    /// Says how much the model thinks before it answers.
    #[must_use]
    pub fn with_reasoning(mut self, reasoning: impl Into<ReasoningOptions>) -> Self {
        self.reasoning = Some(reasoning.into());
        self
    }

    /// Says which tool may, or must, be asked for.
    #[must_use]
    pub fn with_tool_choice(mut self, choice: ToolChoice) -> Self {
        self.tool_choice = Some(choice);
        self
    }

    /// Asks for JSON that follows this JSON Schema, strictly. `name` is for the provider: letters, digits,
    /// `-` and `_`.
    #[must_use]
    pub fn with_json_schema(mut self, name: impl Into<String>, schema: Value) -> Self {
        self.response_format = Some(ResponseFormat::JsonSchema {
            name: name.into(),
            schema,
            strict: true,
        });
        self
    }

    /// Sets the form of the answer.
    #[must_use]
    pub fn with_response_format(mut self, format: ResponseFormat) -> Self {
        self.response_format = Some(format);
        self
    }

    /// Sets the randomness, from 0.
    #[must_use]
    pub const fn with_temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Sets the most tokens that the answer may have.
    #[must_use]
    pub const fn with_max_tokens(mut self, max_tokens: u32) -> Self {
        self.max_tokens = Some(max_tokens);
        self
    }

    /// Sets nucleus sampling, from 0 to 1.
    #[must_use]
    pub const fn with_top_p(mut self, top_p: f64) -> Self {
        self.top_p = Some(top_p);
        self
    }

    /// Sets how many of the likeliest tokens are looked at.
    #[must_use]
    pub const fn with_top_k(mut self, top_k: u32) -> Self {
        self.top_k = Some(top_k);
        self
    }

    /// Sets the texts that end the answer.
    #[must_use]
    pub fn with_stop(mut self, stop: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.stop = stop.into_iter().map(Into::into).collect();
        self
    }

    /// Asks for an answer that can be repeated.
    #[must_use]
    pub const fn with_seed(mut self, seed: i64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Adds a field that only one provider knows.
    #[must_use]
    pub fn with_extra(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(field.into(), value.into());
        self
    }
}

/// A tool that the model may ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tool {
    /// Its name: letters, digits, `-` and `_`, at most 64.
    pub name: String,
    /// What it does, for the model.
    pub description: Option<String>,
    /// Its arguments, a JSON Schema of type `object`.
    pub parameters: Value,
    /// Whether the model must keep to that schema exactly.
    pub strict: Option<bool>,
}

impl Tool {
    /// A tool whose arguments follow the JSON Schema `parameters`.
    pub fn new(name: impl Into<String>, parameters: Value) -> Self {
        Self {
            name: name.into(),
            description: None,
            parameters,
            strict: None,
        }
    }

    /// Says what it does, for the model.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Says whether the model must keep to the schema exactly.
    #[must_use]
    pub const fn with_strict(mut self, strict: bool) -> Self {
        self.strict = Some(strict);
        self
    }
}

/// Which tool may, or must, be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolChoice {
    /// As the model likes.
    Auto,
    /// None.
    None,
    /// At least one.
    Required,
    /// This one.
    Tool(String),
}

/// How much a model thinks before it answers. A provider takes what it has: an effort, a budget, or both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReasoningOptions {
    /// How hard it thinks.
    pub effort: Option<ReasoningEffort>,
    /// The most tokens that it may think.
    pub max_tokens: Option<u32>,
    /// Whether its thoughts, or a summary of them, come with the answer; the provider's default if `None`.
    pub visible: Option<bool>,
}

impl ReasoningOptions {
    /// Thinks this hard.
    #[must_use]
    pub const fn effort(effort: ReasoningEffort) -> Self {
        Self {
            effort: Some(effort),
            max_tokens: None,
            visible: None,
        }
    }

    /// Thinks at most so many tokens.
    #[must_use]
    pub const fn max_tokens(max_tokens: u32) -> Self {
        Self {
            effort: None,
            max_tokens: Some(max_tokens),
            visible: None,
        }
    }

    /// Says whether the thoughts come with the answer.
    #[must_use]
    pub const fn with_visible(mut self, visible: bool) -> Self {
        self.visible = Some(visible);
        self
    }
}

impl From<ReasoningEffort> for ReasoningOptions {
    fn from(effort: ReasoningEffort) -> Self {
        Self::effort(effort)
    }
}

/// How hard a model thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReasoningEffort {
    /// Not at all, where the model can be told so.
    None,
    /// As little as it can.
    Minimal,
    /// Little.
    Low,
    /// In between.
    Medium,
    /// Much.
    High,
}

/// The form of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseFormat {
    /// Text.
    Text,
    /// Any JSON.
    Json,
    /// JSON that follows a schema.
    JsonSchema {
        /// Its name, for the provider.
        name: String,
        /// The JSON Schema.
        schema: Value,
        /// Whether the model must keep to it exactly.
        strict: bool,
    },
}
