use gatepass_core::ChatRequest;
use serde_json::Value;

/// How old a Claude model is, as its name tells: 4.5 for `claude-sonnet-4-5-20250929`.
///
/// Anthropic refuses to one generation what another one asks for. The generations up to 4.7 are history, so what
/// is said of them here stays true; whatever comes later is taken for a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Generation(u32, u32);

impl Generation {
    /// Of the model that is asked.
    pub(super) fn asked(request: &ChatRequest) -> Option<Self> {
        let extra = request.extra.get("model").and_then(Value::as_str);
        Self::of(extra.or(request.model.as_deref())?)
    }

    /// Of the model `name`; `None` if it is no Claude, or doesn't tell.
    fn of(name: &str) -> Option<Self> {
        let (_, rest) = name.split_once("claude")?;
        let mut words = rest.split(|c: char| !c.is_ascii_alphanumeric());
        let major = words.find_map(version)?;
        let minor = words.next().and_then(version).unwrap_or_default();
        Some(Self(major, minor))
    }

    /// Whether it decides itself how much it thinks (`adaptive`), by an effort.
    pub(super) fn decides_itself(self) -> bool {
        self >= Self(4, 6)
    }

    /// Whether it may be told how many tokens it may think.
    pub(super) fn takes_budget(self) -> bool {
        self < Self(4, 7)
    }

    /// Whether a system message may stand within the conversation.
    pub(super) fn takes_system_turns(self) -> bool {
        self >= Self(4, 8)
    }
}

/// A number of one or two digits; more are a date.
fn version(word: &str) -> Option<u32> {
    (word.len() <= 2).then(|| word.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_generation() {
        for (name, expected) in [
            ("claude-3-5-sonnet-20241022", Some(Generation(3, 5))),
            ("claude-3-haiku-20240307", Some(Generation(3, 0))),
            ("claude-sonnet-4-20250514", Some(Generation(4, 0))),
            ("claude-sonnet-4-5-20250929", Some(Generation(4, 5))),
            ("claude-opus-4-8", Some(Generation(4, 8))),
            ("claude-fable-5", Some(Generation(5, 0))),
            ("anthropic/claude-sonnet-4.6", Some(Generation(4, 6))),
            (
                "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
                Some(Generation(4, 5)),
            ),
            ("claude-opus-10-1", Some(Generation(10, 1))),
            ("claude-latest", None),
            ("smollm2-135m-instruct", None),
            ("", None),
        ] {
            assert_eq!(Generation::of(name), expected, "{name}");
        }
    }

    #[test]
    fn generations_differ_in_what_they_take() {
        let takes = |generation: Generation| {
            (
                generation.takes_budget(),
                generation.decides_itself(),
                generation.takes_system_turns(),
            )
        };
        assert_eq!(takes(Generation(4, 5)), (true, false, false));
        assert_eq!(takes(Generation(4, 6)), (true, true, false));
        assert_eq!(takes(Generation(4, 7)), (false, true, false));
        assert_eq!(takes(Generation(4, 8)), (false, true, true));
        assert_eq!(takes(Generation(5, 0)), (false, true, true));
    }
}
