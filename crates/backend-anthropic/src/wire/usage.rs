use gatepass_core::{JsonObject, Usage};
use gatepass_wire::{Count, Object, Place, Text, keep, keep_count, read_into};
use serde::de::MapAccess;

/// `usage`. The input tokens don't include those of the cache.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    input: Count,
    cache_read: Count,
    cache_write: Count,
    output: Count,
    output_details: Details,
    rest: JsonObject,
}

impl<'de> Object<'de> for Tokens {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "input_tokens" => self.input = members.next_value()?,
            "cache_read_input_tokens" => self.cache_read = members.next_value()?,
            "cache_creation_input_tokens" => self.cache_write = members.next_value()?,
            "output_tokens" => self.output = members.next_value()?,
            "output_tokens_details" => read_into(Place(&mut self.output_details), members)?,
            _ => keep(&mut self.rest, name, members)?,
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Details {
    thinking: Count,
    rest: JsonObject,
}

impl<'de> Object<'de> for Details {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "thinking_tokens" => self.thinking = members.next_value()?,
            _ => keep_count(&mut self.rest, name, members)?,
        }
        Ok(())
    }
}

impl Tokens {
    /// Adds what a stream tells later: all that it tells counts from its beginning.
    pub(super) fn update(&mut self, later: Self) {
        for (count, later) in [
            (&mut self.input, later.input),
            (&mut self.cache_read, later.cache_read),
            (&mut self.cache_write, later.cache_write),
            (&mut self.output, later.output),
            (&mut self.output_details.thinking, later.output_details.thinking),
        ] {
            count.0 = later.0.or(count.0);
        }
        self.output_details.rest.extend(later.output_details.rest);
        self.rest.extend(later.rest);
    }

    pub(super) fn usage(&self) -> Usage {
        let cached = self.cache_read.0.unwrap_or_default();
        let cached = cached.saturating_add(self.cache_write.0.unwrap_or_default());
        let mut usage = Usage::default();
        usage.input_tokens = self.input.0.map(|tokens| tokens.saturating_add(cached));
        usage.output_tokens = self.output.0;
        usage.cached_input_tokens = self.cache_read.0;
        usage.cache_write_tokens = self.cache_write.0;
        usage.reasoning_tokens = self.output_details.thinking.0;
        usage.extra = self.rest.clone();
        let details = &self.output_details.rest;
        if !details.is_empty() {
            usage
                .extra
                .insert("output_tokens_details".into(), details.clone().into());
        }
        if let (Some(uncached), true) = (self.input.0, cached > 0) {
            usage.extra.insert("input_tokens".into(), uncached.into());
        }
        usage
    }
}
