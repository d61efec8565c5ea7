use crate::answer::Answer;
use serde_json::json;
use std::borrow::Cow;

/// An error answer of RFC 6749 §5.2.
pub(super) struct Refusal {
    error: Cow<'static, str>,
    description: String,
    /// Whether the client tried HTTP Basic, and is told so.
    challenged: bool,
}

impl Refusal {
    pub(super) fn new(error: impl Into<Cow<'static, str>>, description: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            description: description.into(),
            challenged: false,
        }
    }

    pub(super) fn missing(parameter: &str) -> Self {
        Self::new("invalid_request", format!("{parameter} is missing"))
    }

    pub(super) fn unknown_client(description: &str, tried_basic: bool) -> Self {
        Self {
            challenged: tried_basic,
            ..Self::new("invalid_client", description)
        }
    }
}

impl Refusal {
    /// As the two parameters of an authorization response, RFC 6749 §4.1.2.1.
    pub(super) fn parameters(self) -> [(&'static str, String); 2] {
        [
            ("error", self.error.into_owned()),
            ("error_description", self.description),
        ]
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let status = if refusal.error == "invalid_client" {
            401
        } else {
            400
        };
        let body = json!({ "error": refusal.error, "error_description": refusal.description });
        let answer = Self::json(status, &body).with_header("cache-control", "no-store");
        if refusal.challenged {
            answer.with_header("www-authenticate", "Basic realm=\"gatepass-testkit\"")
        } else {
            answer
        }
    }
}
