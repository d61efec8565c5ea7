use super::generation::Generation;
use gatepass_core::{ChatRequest, ReasoningEffort};
use serde::Serialize;
use serde_json::Value;

/// What may be thought where the model decides itself, and an answer shall still fit behind it.
const ROOM: u32 = 16_384;

/// `thinking`, and the effort that goes elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Thinking {
    pub(super) mode: Option<ThinkingMode>,
    pub(super) effort: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ThinkingMode {
    Disabled,
    Adaptive {
        #[serde(skip_serializing_if = "Option::is_none")]
        display: Option<&'static str>,
    },
    Enabled {
        budget_tokens: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        display: Option<&'static str>,
    },
}

impl Thinking {
    pub(super) fn of(request: &ChatRequest) -> Self {
        let Some(options) = &request.reasoning else {
            return Self::default();
        };
        if options.effort == Some(ReasoningEffort::None) {
            return Self {
                mode: Some(ThinkingMode::Disabled),
                effort: None,
            };
        }
        let generation = Generation::asked(request);
        let decides_itself = generation.is_some_and(Generation::decides_itself);
        let takes_budget = generation.is_none_or(Generation::takes_budget);
        let display = options
            .visible
            .map(|visible| if visible { "summarized" } else { "omitted" });
        let told = options.max_tokens.filter(|_| takes_budget);
        let meant = || options.effort.map(|effort| budget(effort, request.max_tokens));
        let mode = match told {
            None if decides_itself => Some(ThinkingMode::Adaptive { display }),
            told => told.or_else(meant).map(|budget_tokens| ThinkingMode::Enabled {
                budget_tokens,
                display,
            }),
        };
        Self {
            mode,
            effort: options.effort.filter(|_| decides_itself).map(word),
        }
    }

    /// So many tokens of `max_tokens` it may take.
    pub(super) fn tokens(self, request: &ChatRequest) -> u32 {
        if let Some(told) = request.extra.get("thinking") {
            let budget = told.get("budget_tokens").and_then(Value::as_u64);
            let decides_itself = told.get("type").is_some_and(|mode| mode == "adaptive");
            let room = if decides_itself { ROOM.into() } else { 0 };
            return budget.unwrap_or(room).try_into().unwrap_or(u32::MAX);
        }
        match self.mode {
            None | Some(ThinkingMode::Disabled) => 0,
            Some(ThinkingMode::Adaptive { .. }) => ROOM,
            Some(ThinkingMode::Enabled { budget_tokens, .. }) => budget_tokens,
        }
    }
}

const fn word(effort: ReasoningEffort) -> &'static str {
    match effort {
        ReasoningEffort::High => "high",
        ReasoningEffort::Medium => "medium",
        _ => "low",
    }
}

/// For models that know no effort; it has to stay below `max_tokens`, and the API takes no less than 1024.
fn budget(effort: ReasoningEffort, max_tokens: Option<u32>) -> u32 {
    const LEAST: u32 = 1024;
    let budget = match effort {
        ReasoningEffort::High => 16_384,
        ReasoningEffort::Medium => 8192,
        ReasoningEffort::Low => 2048,
        _ => LEAST,
    };
    max_tokens.map_or(budget, |most| budget.min(most.saturating_sub(1)).max(LEAST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass_core::{Message, ReasoningOptions};
    use serde_json::json;

    fn said(model: &str, options: ReasoningOptions) -> (serde_json::Value, Option<&'static str>) {
        let request = ChatRequest::new([Message::user("Hi")])
            .with_model(model)
            .with_reasoning(options);
        let thinking = Thinking::of(&request);
        (serde_json::to_value(thinking.mode).unwrap(), thinking.effort)
    }

    #[test]
    fn an_effort_is_said_as_the_models_generation_wants_it() {
        let medium = ReasoningOptions::effort(ReasoningEffort::Medium);
        let budget = json!({ "type": "enabled", "budget_tokens": 8192 });
        let adaptive = json!({ "type": "adaptive" });
        assert_eq!(said("claude-sonnet-4-5", medium), (budget.clone(), None));
        assert_eq!(said("some-other-model", medium), (budget, None));
        assert_eq!(
            said("claude-opus-4-6", medium),
            (adaptive.clone(), Some("medium"))
        );
        let minimal = ReasoningOptions::effort(ReasoningEffort::Minimal);
        assert_eq!(said("claude-opus-5", minimal), (adaptive, Some("low")));
        let none = ReasoningOptions::effort(ReasoningEffort::None);
        assert_eq!(said("claude-opus-5", none), (json!({ "type": "disabled" }), None));
    }

    #[test]
    fn a_budget_is_told_to_models_that_take_one() {
        let budget = ReasoningOptions::max_tokens(3000).with_visible(false);
        let enabled = json!({ "type": "enabled", "budget_tokens": 3000, "display": "omitted" });
        assert_eq!(said("claude-sonnet-4-6", budget), (enabled, None));
        let adaptive = json!({ "type": "adaptive", "display": "omitted" });
        assert_eq!(said("claude-opus-4-8", budget), (adaptive, None));
    }

    #[test]
    fn no_wish_is_the_models_own_choice() {
        let any = ReasoningOptions::default();
        assert_eq!(said("claude-sonnet-4-5", any), (json!(null), None));
        assert_eq!(
            said("claude-opus-4-6", any),
            (json!({ "type": "adaptive" }), None)
        );
        let shown = any.with_visible(true);
        let adaptive = json!({ "type": "adaptive", "display": "summarized" });
        assert_eq!(said("claude-opus-4-8", shown), (adaptive, None));
    }

    #[test]
    fn a_budget_that_we_made_up_leaves_room_for_the_answer() {
        assert_eq!(budget(ReasoningEffort::High, Some(4096)), 4095);
        assert_eq!(budget(ReasoningEffort::High, None), 16_384);
        assert_eq!(budget(ReasoningEffort::Low, Some(10)), 1024);
    }
}
