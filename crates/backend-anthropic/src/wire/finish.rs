use gatepass_core::{FinishReason, JsonObject};

/// Our word for the provider's. Where ours says less, `rest` keeps the provider's.
pub(super) fn finish_reason(word: &str, rest: &mut JsonObject) -> Option<FinishReason> {
    if matches!(word, "stop_sequence" | "model_context_window_exceeded") {
        rest.insert("stop_reason".into(), word.into());
    }
    Some(match word {
        "" => return None,
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        other => FinishReason::Other(other.to_owned()),
    })
}
