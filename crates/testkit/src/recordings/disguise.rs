//! The same answer, as another server might write it.

use super::check::{said, same};
use super::{Problem, Recording};
use crate::model::ModelServer;
use gatepass_core::{ChatReply, ChatRequest, LlmBackend};
use serde_json::Value;

/// What servers add in later versions.
const UNHEARD_OF: &str = r#""x_unheard_of":{"deep":[{"x":1},"y"],"flag":true}"#;

impl Recording {
    /// Serves the answer in other forms of the same meaning, and expects the same `reply` of each: other line ends, comments
    /// and events of other kinds between the events, members in another order and more of them.
    ///
    /// # Errors
    /// The form that is read differently, and how.
    pub async fn check_disguised(
        &self,
        backend: &impl LlmBackend,
        question: &ChatRequest,
        server: &ModelServer,
        reply: &ChatReply,
    ) -> Result<(), Problem> {
        for (form, body) in self.disguises() {
            let mut disguised = self.clone();
            disguised.body = body;
            let asked = disguised.ask(backend, question.clone(), server, 1009).await;
            let read = asked.map_err(|error| format!("{form}: {error:?}"))?;
            same(form, &said(&read), &said(reply))?;
        }
        Ok(())
    }

    fn disguises(&self) -> Vec<(&'static str, String)> {
        if !self.stream {
            let Ok(body) = serde_json::from_str::<Value>(&self.body) else {
                return Vec::new();
            };
            return vec![
                ("with more members, in another order", rewritten(&body)),
                ("with indents", format!("\r\n\t{body:#}\n\n")),
            ];
        }
        let events = || self.body.lines();
        let joined = |end: &'static str| move |line: String| line + end;
        let rewritten = |line: &str| match line.strip_prefix("data:").map(serde_json::from_str::<Value>) {
            Some(Ok(data @ Value::Object(_))) => format!("data: {}", rewritten(&data)),
            _ => line.to_owned(),
        };
        let among_others = |line: &str| {
            let other = match line {
                "" => {
                    "\n: still here\n\nevent: unheard.of\nid: 7\nretry: 100\ndata: {\"type\":\"unheard.of\",\"x\":1}\n"
                }
                _ => "",
            };
            line.to_owned() + other
        };
        let tight = |line: &str| match line.split_once(": ") {
            Some((field @ ("data" | "event"), value)) => format!("{field}:{value}"),
            _ => line.to_owned(),
        };
        vec![
            (
                "with CR LF",
                events().map(str::to_owned).map(joined("\r\n")).collect(),
            ),
            ("with CR", events().map(str::to_owned).map(joined("\r")).collect()),
            ("without blanks", events().map(tight).map(joined("\n")).collect()),
            ("without its last line end", self.body.trim_end().to_owned()),
            (
                "among other events",
                events().map(among_others).map(joined("\n")).collect(),
            ),
            (
                "with more members, in another order",
                events().map(rewritten).map(joined("\n")).collect(),
            ),
        ]
    }
}

/// JSON whose objects are written from their last member to their first, and have one more; but for what a model wrote.
fn rewritten(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(rewritten).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let members = members.iter().rev();
            let mut members: Vec<_> = members
                .map(|(name, value)| {
                    let is_the_models = matches!(name.as_str(), "args" | "arguments" | "input");
                    let value = if is_the_models {
                        value.to_string()
                    } else {
                        rewritten(value)
                    };
                    format!("{}:{value}", Value::from(name.as_str()))
                })
                .collect();
            members.insert(members.len() / 2, UNHEARD_OF.to_owned());
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_is_another_one_and_says_the_same() {
        let expect = json!({ "text": "", "tool_calls": [], "finish": null });
        let body = json!({ "id": "r", "input": { "a": 1 }, "parts": [{ "text": "Hi" }] });
        let whole = Recording::made_up("whole", &body, expect.clone());
        let forms = whole.disguises();
        assert_eq!(forms.len(), 2);
        for (form, disguised) in forms {
            assert_ne!(disguised, whole.body, "{form}");
            let read: Value = serde_json::from_str(&disguised).unwrap();
            assert_eq!(
                (&read["id"], &read["input"]),
                (&body["id"], &body["input"]),
                "{form}"
            );
            assert_eq!(read["parts"][0]["text"], "Hi", "{form}");
        }
        let reordered = rewritten(&body);
        assert!(
            reordered.find("\"parts\"") < reordered.find("\"id\""),
            "{reordered}"
        );
        assert_eq!(reordered.matches("x_unheard_of").count(), 2, "{reordered}");

        let events = [json!({ "type": "a", "n": 1 }), json!({ "type": "b", "n": 2 })];
        let stream = Recording::made_up_stream("stream", &events, expect);
        let forms = stream.disguises();
        assert_eq!(forms.len(), 6);
        for (form, disguised) in forms {
            assert_ne!(disguised, stream.body, "{form}");
            let numbers = ["\"n\":1", "\"n\":2"].map(|number| disguised.matches(number).count());
            assert_eq!(numbers, [1, 1], "{form}: {disguised}");
        }
    }
}
