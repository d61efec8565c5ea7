use super::Problem;
use super::check::{same, thoughts};
use gatepass_core::{ChatReply, Usage};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a client reads out of an answer.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Expected {
    /// All text, joined.
    pub text: String,
    /// All thoughts, joined; not told of every wire.
    #[serde(default)]
    pub reasoning: Option<String>,
    /// The tools that are asked for.
    pub tool_calls: Vec<ExpectedCall>,
    /// Why it ended, in the provider's word.
    pub finish: Option<String>,
    /// Tokens: `input`, `output`, `total`, as far as the wire tells them.
    #[serde(default)]
    pub usage: BTreeMap<String, Option<u64>>,
}

/// A tool that is asked for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ExpectedCall {
    /// The tool.
    pub name: String,
    /// The arguments: JSON, or the text that the model wrote in its place.
    pub args: Value,
}

impl Expected {
    /// Compares all but the finish. `input_tokens` are the input's as this wire counts them.
    ///
    /// # Errors
    /// What differs first.
    pub fn check(
        &self,
        reply: &ChatReply,
        input_tokens: impl Fn(&Usage) -> Option<u64>,
    ) -> Result<(), Problem> {
        same("text", &reply.text(), &self.text)?;
        if let Some(reasoning) = &self.reasoning {
            same("reasoning", &thoughts(reply), reasoning)?;
        }
        same("tool calls", &calls(reply), &self.tool_calls)?;
        let ids = reply.tool_calls().map(|call| call.id.as_str());
        let ids: BTreeSet<_> = ids.filter(|id| !id.is_empty()).collect();
        same("the number of ids", &ids.len(), &reply.tool_calls().count())?;
        let usage = reply.usage.clone().unwrap_or_default();
        for (name, count) in &self.usage {
            let read = match name.as_str() {
                "input" => input_tokens(&usage),
                "output" => usage.output_tokens,
                "total" => usage.total_tokens,
                other => return Err(format!("nobody here knows the tokens {other}")),
            };
            same(&format!("{name} tokens"), &read, count)?;
        }
        Ok(())
    }
}

/// The calls of a reply.
pub(super) fn calls(reply: &ChatReply) -> Vec<ExpectedCall> {
    let calls = reply.tool_calls();
    calls
        .map(|call| ExpectedCall {
            name: call.name.clone(),
            args: call.parse().unwrap_or_else(|_| call.arguments.clone().into()),
        })
        .collect()
}
