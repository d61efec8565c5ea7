//! Tools with the functions behind them, and the loop that runs them until the model is done.

use crate::llm::Llm;
use gatepass_core::{
    Advice, BackendError, ChatReply, ChatRequest, FinishReason, Message, Part, Role, Tool, ToolCall,
    ToolResult, printable,
};
use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use tracing::Instrument;
use tracing::field::Empty;

/// How many answers of the model a loop reads, if nothing else is said.
const ROUNDS: usize = 10;

type Running = Pin<Box<dyn Future<Output = Result<String, String>> + Send>>;
type Function = Arc<dyn Fn(ToolCall) -> Running + Send + Sync>;

/// Tools, each with the function that answers its calls. Cheap to clone.
///
/// ```
/// use gatepass::{Tool, Toolbox};
/// use serde_json::json;
///
/// let weather = Tool::new("weather", json!({ "type": "object", "properties": { "city": { "type": "string" } } }))
///     .with_description("The weather in a city");
/// let tools = Toolbox::new().with(weather, |call| async move {
///     let arguments: serde_json::Value = call.parse().map_err(|error| error.to_string())?;
///     Ok(format!("sunny in {}", arguments["city"]))
/// });
/// # drop(tools);
/// ```
#[derive(Clone, Default)]
pub struct Toolbox {
    tools: BTreeMap<String, (Tool, Function)>,
}

impl Toolbox {
    /// No tools yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `tool`; `function` answers its calls, with text or with what went wrong. Both go to the model.
    /// A tool of the same name is replaced.
    #[must_use]
    pub fn with<F>(mut self, tool: Tool, function: impl Fn(ToolCall) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<String, String>> + Send + 'static,
    {
        let function: Function = Arc::new(move |call| Box::pin(function(call)));
        self.tools.insert(tool.name.clone(), (tool, function));
        self
    }

    /// The tools, as a request offers them.
    pub fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.tools.values().map(|(tool, _)| tool)
    }

    /// Answers `calls`, all at once; the answers are in the order of the calls. A call of an unknown tool is
    /// answered, too: with an error that names the tools there are.
    ///
    /// Telemetry is told of each call in a span `execute_tool`, by OpenTelemetry's conventions; never of arguments and answers.
    pub async fn answer(&self, calls: &[ToolCall]) -> Vec<ToolResult> {
        let running = calls.iter().map(|call| self.start(call)).collect();
        let answers = all(running).await;
        let results = calls.iter().zip(answers);
        results
            .map(|(call, answer)| match answer {
                Ok(text) => ToolResult::to_call(call, text),
                Err(problem) => ToolResult::to_call(call, problem).with_error(),
            })
            .collect()
    }

    fn start(&self, call: &ToolCall) -> Running {
        let name = printable(&call.name);
        let span = tracing::info_span!(
            "execute_tool",
            otel.name = format_args!("execute_tool {name}"),
            otel.kind = "internal",
            gen_ai.operation.name = "execute_tool",
            gen_ai.tool.name = %name,
            gen_ai.tool.call.id = %printable(&call.id),
            gen_ai.tool.r#type = "function",
            error.r#type = Empty,
            otel.status_code = Empty,
        );
        let running = self.run(call);
        let told = span.clone();
        let running = async move {
            let answer = running.await;
            if answer.is_err() {
                told.record("error.type", "tool_error");
                told.record("otel.status_code", "ERROR");
            }
            answer
        };
        Box::pin(running.instrument(span))
    }

    fn run(&self, call: &ToolCall) -> Running {
        if let Some((_, function)) = self.tools.get(&call.name) {
            return function(call.clone());
        }
        let known: Vec<_> = self.tools.keys().map(String::as_str).collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        let problem = format!("there is no tool '{}'; there are: {known}", printable(&call.name));
        Box::pin(async { Err(problem) })
    }
}

impl fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tools.keys()).finish()
    }
}

/// Waits for all of them at once. Dropping it drops what still runs.
async fn all(running: Vec<Running>) -> Vec<Result<String, String>> {
    enum Slot {
        Running(Running),
        Done(Result<String, String>),
    }
    let mut slots: Vec<_> = running.into_iter().map(Slot::Running).collect();
    poll_fn(|cx| {
        let mut waiting = false;
        for slot in &mut slots {
            if let Slot::Running(future) = slot {
                match future.as_mut().poll(cx) {
                    Poll::Ready(answer) => *slot = Slot::Done(answer),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    let answers = slots.into_iter().filter_map(|slot| match slot {
        Slot::Done(answer) => Some(answer),
        Slot::Running(_) => None,
    });
    answers.collect()
}

/// How a tool loop went.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ToolRun {
    /// The model's last answer.
    pub reply: ChatReply,
    /// The whole conversation: the request's messages, each answer, each tool's result.
    pub messages: Vec<Message>,
    /// How many answers the model gave.
    pub rounds: usize,
}

/// Why a tool loop ended early. What had been said until then is kept: put `messages` into a new request to go on.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ToolRunError {
    /// The model could not be asked.
    #[error("the model could not be asked in round {round}")]
    Backend {
        /// In which round, from 1.
        round: usize,
        /// The conversation until then.
        so_far: Vec<Message>,
        /// Why.
        #[source]
        source: Box<BackendError>,
    },
    /// The model still asks for tools.
    #[error("the model still asks for tools after {rounds} rounds")]
    TooManyRounds {
        /// How many answers the model gave.
        rounds: usize,
        /// The conversation until then, with the results that the last answer asked for.
        so_far: Vec<Message>,
    },
}

impl ToolRunError {
    /// What had been said until then.
    #[must_use]
    pub fn so_far(&self) -> &[Message] {
        match self {
            Self::Backend { so_far, .. } | Self::TooManyRounds { so_far, .. } => so_far,
        }
    }

    /// What the caller can do.
    #[must_use]
    pub const fn advice(&self) -> Advice {
        match self {
            Self::Backend { source, .. } => source.advice(),
            Self::TooManyRounds { .. } => Advice::FixConfig,
        }
    }

    /// The next step, as a sentence without a full stop.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Backend { source, .. } => source.fix(),
            Self::TooManyRounds { .. } => "allow more rounds, or make the task smaller".into(),
        }
    }
}

impl Llm {
    /// Asks, runs the tools that the model asks for, tells it their answers, and so on until it has done: at
    /// most 10 rounds. The token is looked at before each request, so it may run out in between.
    ///
    /// The tools of one answer run at once, on the caller's task; dropping the future drops them. Tools of the request come
    /// before those of `tools`, which take the place of any that have their names. An answer that its provider paused to run
    /// its own tools on (`pause_turn`) is sent back, and goes on.
    ///
    /// # Errors
    /// See [`ToolRunError`], which keeps the conversation. A tool that fails is no error: the model is told.
    pub async fn run_tools(&self, request: ChatRequest, tools: &Toolbox) -> Result<ToolRun, ToolRunError> {
        self.run_tools_within(ROUNDS, request, tools).await
    }

    /// As [`run_tools`](Self::run_tools), with another limit on the model's answers; at least one is asked for.
    ///
    /// # Errors
    /// As [`run_tools`](Self::run_tools).
    pub async fn run_tools_within(
        &self,
        rounds: usize,
        mut request: ChatRequest,
        tools: &Toolbox,
    ) -> Result<ToolRun, ToolRunError> {
        request.tools.retain(|tool| !tools.tools.contains_key(&tool.name));
        request.tools.extend(tools.tools().cloned());
        let mut done = 0;
        loop {
            let reply = match self.chat(request.clone()).await {
                Ok(reply) => reply,
                Err(source) => {
                    return Err(ToolRunError::Backend {
                        round: done + 1,
                        so_far: request.messages,
                        source: Box::new(source),
                    });
                }
            };
            done += 1;
            request.messages.push(reply.message.clone());
            let calls: Vec<_> = reply.tool_calls().cloned().collect();
            if calls.is_empty() && !is_paused(&reply) {
                return Ok(ToolRun {
                    reply,
                    messages: request.messages,
                    rounds: done,
                });
            }
            if !calls.is_empty() {
                let results = tools.answer(&calls).await.into_iter().map(Part::ToolResult);
                request
                    .messages
                    .push(Message::new(Role::Tool, results.collect::<Vec<_>>()));
                // A tool that had to be asked for has been.
                request.tool_choice = None;
            }
            if done >= rounds {
                return Err(ToolRunError::TooManyRounds {
                    rounds: done,
                    so_far: request.messages,
                });
            }
        }
    }
}

/// Whether its provider, Anthropic, wants it back as it is.
fn is_paused(reply: &ChatReply) -> bool {
    matches!(&reply.finish, Some(FinishReason::Other(word)) if word == "pause_turn")
}

#[cfg(test)]
mod tests;
