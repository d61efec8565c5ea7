use gatepass_core::{JsonObject, Usage};
use gatepass_wire::{Count, Text};
use gatepass_wire::{Object, Place, read_into};
use gatepass_wire::{keep, keep_count};
use serde::de::MapAccess;

/// `usage`, as far as any server has it.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    prompt_tokens: Count,
    completion_tokens: Count,
    total_tokens: Count,
    prompt_tokens_details: Details,
    completion_tokens_details: Details,
    /// DeepSeek's name for `cached_tokens`; Moonshot and Mistral have theirs here, too.
    prompt_cache_hit_tokens: Count,
    rest: JsonObject,
}

impl<'de> Object<'de> for Tokens {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "prompt_tokens" => self.prompt_tokens = members.next_value()?,
            "completion_tokens" => self.completion_tokens = members.next_value()?,
            "total_tokens" => self.total_tokens = members.next_value()?,
            "prompt_tokens_details" => read_into(Place(&mut self.prompt_tokens_details), members)?,
            "completion_tokens_details" => read_into(Place(&mut self.completion_tokens_details), members)?,
            "prompt_cache_hit_tokens" | "cached_tokens" | "num_cached_tokens" => {
                self.prompt_cache_hit_tokens = members.next_value()?
            }
            _ => keep(&mut self.rest, name, members)?,
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Details {
    cached_tokens: Count,
    cache_write_tokens: Count,
    reasoning_tokens: Count,
    rest: JsonObject,
}

impl<'de> Object<'de> for Details {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "cached_tokens" => self.cached_tokens = members.next_value()?,
            "cache_write_tokens" => self.cache_write_tokens = members.next_value()?,
            "reasoning_tokens" => self.reasoning_tokens = members.next_value()?,
            _ => keep_count(&mut self.rest, name, members)?,
        }
        Ok(())
    }
}

impl Tokens {
    pub(super) fn into_usage(self) -> Usage {
        let mut usage = Usage::default();
        usage.input_tokens = self.prompt_tokens.0;
        usage.output_tokens = self.completion_tokens.0;
        usage.total_tokens = self.total_tokens.0;
        let cached = self.prompt_tokens_details.cached_tokens.0;
        usage.cached_input_tokens = cached.or(self.prompt_cache_hit_tokens.0);
        usage.cache_write_tokens = self.prompt_tokens_details.cache_write_tokens.0;
        usage.reasoning_tokens = self.completion_tokens_details.reasoning_tokens.0;
        usage.extra = self.rest;
        for (name, details) in [
            ("prompt_tokens_details", self.prompt_tokens_details),
            ("completion_tokens_details", self.completion_tokens_details),
        ] {
            if !details.rest.is_empty() {
                usage.extra.insert(name.into(), details.rest.into());
            }
        }
        usage
    }
}
