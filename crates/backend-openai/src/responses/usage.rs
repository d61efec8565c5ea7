use gatepass_core::{JsonObject, Usage};
use serde_json::Value;

/// Reads `usage`: `{"input_tokens":…,"input_tokens_details":{"cached_tokens":…},…}`.
pub(super) fn usage(mut members: JsonObject) -> Usage {
    let mut usage = Usage::default();
    usage.input_tokens = take(&mut members, "input_tokens");
    usage.output_tokens = take(&mut members, "output_tokens");
    usage.total_tokens = take(&mut members, "total_tokens");
    let mut input = details(&mut members, "input_tokens_details");
    usage.cached_input_tokens = take(&mut input, "cached_tokens");
    usage.cache_write_tokens = take(&mut input, "cache_write_tokens");
    let mut output = details(&mut members, "output_tokens_details");
    usage.reasoning_tokens = take(&mut output, "reasoning_tokens");
    for (name, mut rest) in [("input_tokens_details", input), ("output_tokens_details", output)] {
        rest.retain(|_, value| says_something(value));
        if !rest.is_empty() {
            members.insert(name.into(), rest.into());
        }
    }
    members.retain(|_, value| says_something(value));
    usage.extra = members;
    usage
}

fn details(members: &mut JsonObject, name: &str) -> JsonObject {
    match members.remove(name) {
        Some(Value::Object(details)) => details,
        _ => JsonObject::new(),
    }
}

/// A count; what is none stays where it is.
fn take(members: &mut JsonObject, name: &str) -> Option<u64> {
    let value = members.get(name)?;
    let count = value
        .as_u64()
        .or_else(|| {
            value
                .as_f64()
                .filter(|count| *count >= 0.0)
                .map(|count| count as u64)
        })
        .or_else(|| value.as_str()?.parse().ok())?;
    members.remove(name);
    Some(count)
}

fn says_something(value: &Value) -> bool {
    !value.is_null() && value.as_f64() != Some(0.0)
}
