//! Prompts with places to fill in, bound to a model.

use crate::llm::Llm;
use crate::tools::{ToolRun, ToolRunError, Toolbox};
use gatepass_core::{Advice, ChatRequest, Message};
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use tracing::Instrument;
use tracing::field::Empty;

/// A prompt with places to fill in, bound to a model. Cheap to clone; safe to run from many tasks at once.
///
/// The prompt is a [Jinja template](https://docs.rs/minijinja/latest/minijinja/syntax/): `{{ text }}`, `{% if %}`,
/// `{% for %}`, filters. What is filled in is not read as a template again.
///
/// ```no_run
/// # async fn f(llm: gatepass::Llm) -> Result<(), gatepass::AgentError> {
/// use gatepass::Agent;
/// use serde_json::json;
///
/// let translator = Agent::new("translator", "Translate '{{ text }}' to {{ language }}", llm)?
///     .with_role("a careful translator")
///     .with_goal("keep the tone of the original");
/// println!("{}", translator.run(json!({ "text": "Hello", "language": "French" })).await?);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Agent {
    llm: Llm,
    templates: Arc<Environment<'static>>,
    name: String,
    character: Character,
    tools: Toolbox,
    rounds: Option<usize>,
}

/// Who the agent is; told to the model before the prompt.
#[derive(Debug, Clone, Default)]
struct Character {
    instructions: Option<String>,
    role: Option<String>,
    goal: Option<String>,
    backstory: Option<String>,
}

impl Agent {
    /// An agent that asks `llm` with this template.
    ///
    /// # Errors
    /// [`AgentError::Template`], with the line of what can't be read.
    pub fn new(name: impl Into<String>, template: impl Into<String>, llm: Llm) -> Result<Self, AgentError> {
        let name = name.into();
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        // The prompt is text, whatever the agent is called.
        templates.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        templates
            .add_template_owned(name.clone(), template.into())
            .map_err(|source| AgentError::template(&name, source, Vec::new()))?;
        Ok(Self {
            llm,
            templates: Arc::new(templates),
            name,
            character: Character::default(),
            tools: Toolbox::new(),
            rounds: None,
        })
    }

    /// Who it is: "a senior researcher".
    #[must_use]
    pub fn with_role(mut self, role: impl Into<String>) -> Self {
        self.character.role = Some(role.into());
        self
    }

    /// What it is after: "find what is new".
    #[must_use]
    pub fn with_goal(mut self, goal: impl Into<String>) -> Self {
        self.character.goal = Some(goal.into());
        self
    }

    /// What it has been through: "you have read every paper of the field".
    #[must_use]
    pub fn with_backstory(mut self, backstory: impl Into<String>) -> Self {
        self.character.backstory = Some(backstory.into());
        self
    }

    /// Instructions that stand above the prompt, as they are; role, goal and backstory follow them.
    #[must_use]
    pub fn with_instructions(mut self, instructions: impl Into<String>) -> Self {
        self.character.instructions = Some(instructions.into());
        self
    }

    /// Lets it use these tools: see [`Llm::run_tools`].
    #[must_use]
    pub fn with_tools(mut self, tools: Toolbox) -> Self {
        self.tools = tools;
        self
    }

    /// Sets how many answers of the model a run may read: see [`Llm::run_tools_within`].
    #[must_use]
    pub const fn with_rounds(mut self, rounds: usize) -> Self {
        self.rounds = Some(rounds);
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Fills in the template, asks the model, runs its tools, and returns the answer's text.
    ///
    /// `variables` is anything that serializes to an object: a struct, a map, `serde_json::json!`.
    ///
    /// # Errors
    /// See [`AgentError`].
    pub async fn run(&self, variables: impl Serialize) -> Result<String, AgentError> {
        Ok(self.converse(variables).await?.reply.text())
    }

    /// As [`run`](Self::run), and returns the whole conversation.
    ///
    /// Telemetry is told in a span `invoke_agent`, by OpenTelemetry's conventions; never of variables and prompts.
    ///
    /// # Errors
    /// See [`AgentError`].
    pub async fn converse(&self, variables: impl Serialize) -> Result<ToolRun, AgentError> {
        let span = tracing::info_span!(
            "invoke_agent",
            otel.name = format_args!("invoke_agent {}", self.name),
            otel.kind = "internal",
            gen_ai.operation.name = "invoke_agent",
            gen_ai.agent.name = self.name,
            gen_ai.request.model = self.llm.model(),
            error.r#type = Empty,
            otel.status_code = Empty,
        );
        let run = self.run_through(variables).instrument(span.clone()).await;
        if let Err(error) = &run {
            span.record("error.type", error.word());
            span.record("otel.status_code", "ERROR");
        }
        run
    }

    async fn run_through(&self, variables: impl Serialize) -> Result<ToolRun, AgentError> {
        let request = self.request(variables)?;
        let run = match self.rounds {
            Some(rounds) => self.llm.run_tools_within(rounds, request, &self.tools).await,
            None => self.llm.run_tools(request, &self.tools).await,
        };
        Ok(run?)
    }

    /// What the model would be asked: the character as a system message, the filled-in prompt as the user's.
    ///
    /// # Errors
    /// [`AgentError::Template`] for a variable that is missing.
    pub fn request(&self, variables: impl Serialize) -> Result<ChatRequest, AgentError> {
        let variables = minijinja::Value::from(minijinja::value::Serde(variables));
        let prompt = self
            .templates
            .get_template(&self.name)
            .and_then(|template| template.render(&variables))
            .map_err(|source| AgentError::template(&self.name, source, self.missing(&variables)))?;
        let mut messages = Vec::with_capacity(2);
        let character = self.character.to_string();
        if !character.is_empty() {
            messages.push(Message::system(character));
        }
        messages.push(Message::user(prompt));
        Ok(ChatRequest::new(messages))
    }

    /// The variables that the template uses and that are not given.
    fn missing(&self, variables: &minijinja::Value) -> Vec<String> {
        let Ok(template) = self.templates.get_template(&self.name) else {
            return Vec::new();
        };
        let used = template.undeclared_variables(false).into_iter();
        let is_missing = |name: &String| {
            let given = variables.get_attr(name);
            given.map_or(true, |value| value.is_undefined())
        };
        // What the environment has of its own: `range`, for instance.
        let is_global = |name: &String| self.templates.globals().any(|(global, _)| global == name);
        let mut missing: Vec<_> = used.filter(|name| is_missing(name) && !is_global(name)).collect();
        missing.sort_unstable();
        missing
    }

    /// The model that it asks.
    #[must_use]
    pub const fn llm(&self) -> &Llm {
        &self.llm
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("name", &self.name)
            .field("llm", &self.llm)
            .field("character", &self.character)
            .field("tools", &self.tools)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Character {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [
            self.instructions.clone(),
            self.role.as_ref().map(|role| format!("You are {role}.")),
            self.goal.as_ref().map(|goal| format!("Your goal: {goal}.")),
            self.backstory.clone(),
        ];
        let lines: Vec<_> = lines.into_iter().flatten().collect();
        f.write_str(&lines.join("\n"))
    }
}

/// Why an agent has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// Its template can't be read, or a variable is missing.
    #[error("the template of the agent '{agent}' can't be filled in")]
    Template {
        /// The agent.
        agent: String,
        /// The variables that it uses and that were not given.
        missing: Vec<String>,
        /// Where, and why.
        #[source]
        source: Box<minijinja::Error>,
    },
    /// The model could not be asked, or didn't come to an end.
    #[error(transparent)]
    Run(#[from] ToolRunError),
}

impl AgentError {
    fn template(agent: &str, source: minijinja::Error, missing: Vec<String>) -> Self {
        Self::Template {
            agent: gatepass_core::printable(agent),
            missing,
            source: Box::new(source),
        }
    }

    /// Which kind of failure this is, for telemetry.
    fn word(&self) -> &'static str {
        match self {
            Self::Template { .. } => "template",
            Self::Run(ToolRunError::Backend { source, .. }) => source.kind().as_str(),
            Self::Run(_) => "too_many_rounds",
        }
    }

    /// What the caller can do.
    #[must_use]
    pub const fn advice(&self) -> Advice {
        match self {
            Self::Template { .. } => Advice::FixConfig,
            Self::Run(error) => error.advice(),
        }
    }

    /// The next step, as a sentence without a full stop.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Template { missing, .. } if !missing.is_empty() => format!("give {}", missing.join(", ")),
            Self::Template { .. } => "mend the template, or give all its variables".into(),
            Self::Run(error) => error.fix(),
        }
    }
}

#[cfg(test)]
mod tests;
