use super::lenient::{Count, Rest, says_nothing};
use gatepass_core::{JsonObject, Usage};
use serde::Deserialize;
use serde_json::Value;

/// `usage`, as far as any server has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tokens {
    prompt_tokens: Count,
    completion_tokens: Count,
    total_tokens: Count,
    prompt_tokens_details: Option<Details>,
    completion_tokens_details: Option<Details>,
    /// DeepSeek's.
    prompt_cache_hit_tokens: Count,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    cached_tokens: Count,
    reasoning_tokens: Count,
    #[serde(flatten)]
    rest: Rest,
}

impl Tokens {
    pub(super) fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        let input = self.prompt_tokens_details.as_ref();
        let output = self.completion_tokens_details.as_ref();
        usage.input_tokens = self.prompt_tokens.0;
        usage.output_tokens = self.completion_tokens.0;
        usage.total_tokens = self.total_tokens.0;
        usage.cached_input_tokens = input
            .and_then(|details| details.cached_tokens.0)
            .or(self.prompt_cache_hit_tokens.0);
        usage.reasoning_tokens = output.and_then(|details| details.reasoning_tokens.0);
        usage
    }

    /// What else it tells, costs for instance.
    pub(super) fn into_rest(self) -> JsonObject {
        let mut rest = self.rest.0;
        for (name, details) in [
            ("prompt_tokens_details", self.prompt_tokens_details),
            ("completion_tokens_details", self.completion_tokens_details),
        ] {
            let details = Value::Object(details.map(|details| details.rest.0).unwrap_or_default());
            if !says_nothing(&details) {
                rest.insert(name.into(), details);
            }
        }
        rest
    }
}
