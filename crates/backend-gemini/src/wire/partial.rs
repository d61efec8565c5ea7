use gatepass_core::ToolCall;
use serde_json::{Value, json};

/// A call whose arguments come in pieces, as Vertex AI tells them where `streamFunctionCallArguments` asks for it.
#[derive(Debug)]
pub(super) struct Partial {
    call: ToolCall,
    args: Value,
}

impl Partial {
    /// Begins with what is known of the call.
    pub(super) fn new(call: ToolCall) -> Self {
        let args = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
        Self { call, args }
    }

    /// Adds `partialArgs`: values, each with its place. A text may go on with the next piece for its place.
    pub(super) fn add(&mut self, pieces: &Value, signature: Option<String>) {
        self.call.signature = self.call.signature.take().or(signature);
        for piece in pieces.as_array().into_iter().flatten() {
            let path = piece.get("jsonPath").and_then(Value::as_str).unwrap_or_default();
            let Some(place) = place(&mut self.args, path) else {
                continue;
            };
            match (&mut *place, value(piece)) {
                (Value::String(text), Some(Value::String(more))) => text.push_str(&more),
                (_, Some(value)) => *place = value,
                (_, None) => {}
            }
        }
    }

    pub(super) fn whole(mut self) -> ToolCall {
        self.call.arguments = self.args.to_string();
        self.call
    }
}

fn value(piece: &Value) -> Option<Value> {
    ["stringValue", "numberValue", "boolValue"]
        .iter()
        .find_map(|name| piece.get(*name).cloned())
        .or_else(|| piece.get("nullValue").map(|_| Value::Null))
}

/// The place that a path (RFC 9535, names and indexes alone) names, made where it isn't there yet. A list grows by
/// one at a time.
fn place<'v>(root: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    let mut place = root;
    let mut rest = path.strip_prefix('$')?;
    while !rest.is_empty() {
        let (step, next) = step(rest)?;
        rest = next;
        place = match step {
            Step::Name(name) => {
                if place.is_null() {
                    *place = json!({});
                }
                place.as_object_mut()?.entry(name).or_insert(Value::Null)
            }
            Step::Index(index) => {
                if place.is_null() {
                    *place = json!([]);
                }
                let list = place.as_array_mut()?;
                if index == list.len() {
                    list.push(Value::Null);
                }
                list.get_mut(index)?
            }
        };
    }
    Some(place)
}

enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

/// `.name`, `['name']` or `[0]`, and what follows.
fn step(path: &str) -> Option<(Step<'_>, &str)> {
    if let Some(rest) = path.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, rest) = rest.split_at_checked(end)?;
        return Some((Step::Name(name), rest));
    }
    let rest = path.strip_prefix('[')?;
    for quote in ['\'', '"'] {
        if let Some(rest) = rest.strip_prefix(quote) {
            let (name, rest) = rest.split_once(quote)?;
            return Some((Step::Name(name), rest.strip_prefix(']')?));
        }
    }
    let (index, rest) = rest.split_once(']')?;
    Some((Step::Index(index.parse().ok()?), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put_together(pieces: &Value) -> Value {
        let mut partial = Partial::new(ToolCall::new("1", "f", "{}"));
        partial.add(pieces, None);
        partial.whole().parse().unwrap()
    }

    #[test]
    fn values_find_their_places_and_texts_go_on() {
        let pieces = json!([
            { "jsonPath": "$.city", "stringValue": "New ", "willContinue": true },
            { "jsonPath": "$.city", "stringValue": "Delhi" },
            { "jsonPath": "$.days[0].high", "numberValue": 30.5 },
            { "jsonPath": "$.days[1]['low']", "boolValue": false },
            { "jsonPath": "$[\"a.b\"].c", "nullValue": "NULL_VALUE" },
        ]);
        assert_eq!(
            put_together(&pieces),
            json!({ "city": "New Delhi", "days": [{ "high": 30.5 }, { "low": false }], "a.b": { "c": null } })
        );
    }

    #[test]
    fn a_path_that_leads_nowhere_is_passed_over() {
        for path in [
            "",
            "a",
            "$a",
            "$[",
            "$[x]",
            "$['a",
            "$.l[99999999999]",
            "$.l[1]",
            "$.t.u",
            "$['a']x",
        ] {
            let pieces =
                json!([{ "jsonPath": "$.t", "stringValue": "" }, { "jsonPath": path, "numberValue": 1 }]);
            let args = put_together(&pieces);
            assert_eq!(args["t"], "", "{path}: {args}");
            assert!(args["l"].as_array().is_none_or(Vec::is_empty), "{path}: {args}");
        }
        assert_eq!(put_together(&json!("nothing")), json!({}));
    }
}
