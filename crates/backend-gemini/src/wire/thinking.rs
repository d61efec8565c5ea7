use gatepass_core::{JsonObject, ReasoningEffort, ReasoningOptions};

/// How a model takes how much it shall think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// Gemini 2.5: `thinkingBudget`, in tokens. Pro models can't do without.
    Budget { can_be_off: bool },
    /// Gemini 3 and later, and what has no version in its name: `thinkingLevel`. Only the smaller models know `minimal`.
    Level { has_minimal: bool },
    /// Gemini 2.0 and earlier, which don't think.
    No,
}

impl Thinking {
    pub(super) fn of(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or_default();
        let is_pro = name.contains("pro");
        match version(name) {
            Some((2, 5..)) => Self::Budget { can_be_off: !is_pro },
            Some((..=2, _)) => Self::No,
            _ => Self::Level { has_minimal: !is_pro },
        }
    }

    /// Whether a tool call that is sent back needs a thought's signature.
    pub(super) const fn wants_signatures(self) -> bool {
        matches!(self, Self::Level { .. })
    }

    /// `thinkingConfig`. Efforts become budgets as in the table of Google's page on OpenAI compatibility.
    pub(super) fn config(self, options: ReasoningOptions) -> JsonObject {
        let mut config = JsonObject::new();
        if self == Self::No {
            return config;
        }
        if let Some(visible) = options.visible {
            config.insert("includeThoughts".into(), visible.into());
        }
        match (self, options.effort, options.max_tokens) {
            (Self::Level { has_minimal }, Some(effort), _) => {
                config.insert("thinkingLevel".into(), level(effort, has_minimal).into());
            }
            (_, _, Some(tokens)) => _ = config.insert("thinkingBudget".into(), tokens.into()),
            (Self::Budget { can_be_off }, Some(effort), None) => {
                config.insert("thinkingBudget".into(), budget(effort, can_be_off).into());
            }
            _ => {}
        }
        config
    }
}

/// `gemini-2.5-flash` is (2, 5), `gemini-3-pro` (3, 0).
fn version(name: &str) -> Option<(u32, u32)> {
    let version = name.strip_prefix("gemini-")?.split('-').next()?;
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

const fn level(effort: ReasoningEffort, has_minimal: bool) -> &'static str {
    match effort {
        ReasoningEffort::None | ReasoningEffort::Minimal if has_minimal => "MINIMAL",
        ReasoningEffort::None | ReasoningEffort::Minimal | ReasoningEffort::Low => "LOW",
        ReasoningEffort::Medium => "MEDIUM",
        _ => "HIGH",
    }
}

const fn budget(effort: ReasoningEffort, can_be_off: bool) -> u32 {
    match effort {
        ReasoningEffort::None if can_be_off => 0,
        // The least that a pro model takes.
        ReasoningEffort::None => 128,
        ReasoningEffort::Minimal | ReasoningEffort::Low => 1024,
        ReasoningEffort::Medium => 8192,
        _ => 24_576,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn config(model: &str, options: impl Into<ReasoningOptions>) -> Value {
        Thinking::of(model).config(options.into()).into()
    }

    #[test]
    fn each_model_is_told_in_the_words_that_it_takes() {
        use ReasoningEffort::{High, Low, Medium, Minimal, None};
        for (model, effort, expected) in [
            ("gemini-2.5-flash", None, json!({ "thinkingBudget": 0 })),
            ("gemini-2.5-pro-preview", None, json!({ "thinkingBudget": 128 })),
            (
                "models/gemini-2.5-flash-lite",
                Minimal,
                json!({ "thinkingBudget": 1024 }),
            ),
            ("gemini-2.5-pro", High, json!({ "thinkingBudget": 24_576 })),
            (
                "gemini-3-flash-preview",
                None,
                json!({ "thinkingLevel": "MINIMAL" }),
            ),
            ("gemini-3-pro-preview", None, json!({ "thinkingLevel": "LOW" })),
            ("gemini-3.1-pro", Medium, json!({ "thinkingLevel": "MEDIUM" })),
            (
                "publishers/google/models/gemini-3-flash",
                Low,
                json!({ "thinkingLevel": "LOW" }),
            ),
            ("gemini-flash-latest", High, json!({ "thinkingLevel": "HIGH" })),
            ("gemini-2.0-flash", High, json!({})),
        ] {
            assert_eq!(config(model, effort), expected, "{model}");
        }
    }

    #[test]
    fn a_level_and_a_budget_are_never_sent_together() {
        let mut both = ReasoningOptions::effort(ReasoningEffort::High).with_visible(true);
        both.max_tokens = Some(512);
        let level = json!({ "includeThoughts": true, "thinkingLevel": "HIGH" });
        let budget = json!({ "includeThoughts": true, "thinkingBudget": 512 });
        assert_eq!(config("gemini-3-pro-preview", both), level);
        assert_eq!(config("gemini-2.5-pro", both), budget);
        assert_eq!(config("gemini-2.0-flash", both), json!({}));
        let alone = ReasoningOptions::max_tokens(512);
        assert_eq!(
            config("gemini-3-pro-preview", alone),
            json!({ "thinkingBudget": 512 })
        );
    }

    #[test]
    fn no_version_in_a_name_means_a_new_model() {
        for (model, wants) in [
            ("gemini-2.5-pro", false),
            ("gemini-1.5-flash", false),
            ("gemini-3-pro-preview", true),
            ("gemini-3.6-flash", true),
            ("gemini-pro-latest", true),
            ("endpoints/123", true),
        ] {
            assert_eq!(Thinking::of(model).wants_signatures(), wants, "{model}");
        }
    }
}
