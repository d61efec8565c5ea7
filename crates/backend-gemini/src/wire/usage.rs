use gatepass_core::{JsonObject, Usage};
use gatepass_wire::Count;
use serde_json::Value;

/// `usageMetadata`; what has no name here stays in [`Usage::extra`].
///
/// Its `candidatesTokenCount` is without the thoughts, its `promptTokenCount` with what was cached and without what
/// the provider's tools found.
pub(super) fn usage(told: &str) -> Option<Usage> {
    counts(serde_json::from_str(told).ok()?)
}

/// As [`usage`], read already.
pub(super) fn counts(mut told: JsonObject) -> Option<Usage> {
    if told.is_empty() {
        return None;
    }
    let mut take = |name: &str| told.remove(name).and_then(count);
    let mut usage = Usage::default();
    usage.input_tokens = take("promptTokenCount");
    usage.total_tokens = take("totalTokenCount");
    usage.cached_input_tokens = take("cachedContentTokenCount");
    usage.reasoning_tokens = take("thoughtsTokenCount");
    let answer = take("candidatesTokenCount");
    usage.output_tokens = match (answer, usage.reasoning_tokens) {
        (None, None) => None,
        (answer, thoughts) => Some(
            answer
                .unwrap_or_default()
                .saturating_add(thoughts.unwrap_or_default()),
        ),
    };
    usage.extra = told;
    Some(usage)
}

fn count(value: Value) -> Option<u64> {
    serde_json::from_value::<Count>(value).ok()?.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(told: &Value) -> Usage {
        usage(&told.to_string()).unwrap()
    }

    #[test]
    fn thoughts_are_output_and_modalities_are_kept() {
        let usage = read(&json!({
            "promptTokenCount": 10,
            "cachedContentTokenCount": 4,
            "candidatesTokenCount": 3,
            "thoughtsTokenCount": 20,
            "totalTokenCount": 40,
            "toolUsePromptTokenCount": 7,
            "promptTokensDetails": [{ "modality": "IMAGE", "tokenCount": 10 }],
            "trafficType": "ON_DEMAND",
        }));
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(10), Some(23)));
        assert_eq!(
            (usage.reasoning_tokens, usage.cached_input_tokens),
            (Some(20), Some(4))
        );
        assert_eq!(usage.total_tokens, Some(40));
        let rest = json!({
            "toolUsePromptTokenCount": 7,
            "promptTokensDetails": [{ "modality": "IMAGE", "tokenCount": 10 }],
            "trafficType": "ON_DEMAND",
        });
        assert_eq!(Value::from(usage.extra), rest);
    }

    #[test]
    fn what_is_not_told_is_not_made_up() {
        assert!(
            ["{}", "null", "[]", "7"]
                .into_iter()
                .all(|told| usage(told).is_none())
        );
        let usage =
            read(&json!({ "promptTokenCount": "10", "totalTokenCount": null, "candidatesTokenCount": [] }));
        assert_eq!(
            (usage.input_tokens, usage.output_tokens, usage.total_tokens),
            (Some(10), None, None)
        );
        assert_eq!(
            read(&json!({ "thoughtsTokenCount": u64::MAX, "candidatesTokenCount": 1 })).output_tokens,
            Some(u64::MAX)
        );
    }
}
