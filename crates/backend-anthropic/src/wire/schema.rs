//! A JSON Schema in the dialect that the provider's constrained decoding takes: objects are closed, and what it
//! can't enforce is told to the model in the description, as Anthropic's own libraries do.

use gatepass_core::JsonObject;
use serde_json::{Map, Value, json};

/// Keywords that stay as they are.
const TAKEN: [&str; 8] = [
    "type",
    "title",
    "description",
    "enum",
    "const",
    "default",
    "required",
    "$ref",
];

/// Formats of a string that are enforced.
const FORMATS: [&str; 10] = [
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "uri",
    "ipv4",
    "ipv6",
    "uuid",
];

/// `schema` in that dialect.
///
/// # Errors
/// What can't be said in it, and where.
pub(super) fn adapted(schema: &Value) -> Result<Value, String> {
    adapt(schema, "")
}

fn adapt(schema: &Value, place: &str) -> Result<Value, String> {
    let refuse = |what: &str| {
        let place = if place.is_empty() { "its top" } else { place };
        Err(format!("the schema {what} at {place}"))
    };
    let Value::Object(schema) = schema else {
        return refuse("isn't an object");
    };
    if is_free_form(schema) {
        return refuse("takes properties of any name, which this provider can't enforce,");
    }
    let mut adapted = Map::new();
    let mut told = Vec::new();
    for (keyword, value) in schema {
        let place = format!("{place}/{keyword}");
        match (keyword.as_str(), value) {
            ("anyOf" | "allOf", Value::Array(schemas)) => {
                adapted.insert(keyword.clone(), list(schemas, &place)?);
            }
            ("oneOf", Value::Array(schemas)) => {
                adapted.insert("anyOf".into(), list(schemas, &place)?);
            }
            ("properties" | "$defs" | "definitions", Value::Object(schemas)) => {
                adapted.insert(keyword.clone(), members(schemas, &place)?);
            }
            ("items", Value::Object(_)) => {
                adapted.insert(keyword.clone(), adapt(value, &place)?);
            }
            ("format", Value::String(format)) if FORMATS.contains(&format.as_str()) => {
                adapted.insert(keyword.clone(), value.clone());
            }
            ("minItems", _) if matches!(value.as_u64(), Some(0 | 1)) => {
                adapted.insert(keyword.clone(), value.clone());
            }
            ("additionalProperties" | "$schema", _) => {}
            (name, _) if TAKEN.contains(&name) => {
                adapted.insert(keyword.clone(), value.clone());
            }
            _ => told.push(format!("{keyword}: {}", plain(value))),
        }
    }
    if is_of(schema, "object") {
        adapted.insert("additionalProperties".into(), false.into());
    }
    if !told.is_empty() {
        let described = adapted.get("description").and_then(Value::as_str);
        let before = described.map(|text| format!("{text}\n\n")).unwrap_or_default();
        let description = format!("{before}{{{}}}", told.join(", "));
        adapted.insert("description".into(), description.into());
    }
    Ok(adapted.into())
}

fn list(schemas: &[Value], place: &str) -> Result<Value, String> {
    let schemas = schemas.iter().enumerate();
    schemas
        .map(|(index, schema)| adapt(schema, &format!("{place}/{index}")))
        .collect()
}

fn members(schemas: &JsonObject, place: &str) -> Result<Value, String> {
    let mut adapted = Map::new();
    for (name, schema) in schemas {
        adapted.insert(name.clone(), adapt(schema, &format!("{place}/{name}"))?);
    }
    Ok(adapted.into())
}

/// Whether it is a map: closed, it would be an object that is always empty.
fn is_free_form(schema: &JsonObject) -> bool {
    let has = |keyword: &str| schema.get(keyword).is_some_and(|value| *value != json!({}));
    let additional = match schema.get("additionalProperties") {
        Some(Value::Object(_)) => true,
        Some(Value::Bool(true)) => !has("properties"),
        _ => false,
    };
    additional || has("patternProperties")
}

/// Whether `type` is this one, or several with this one among them.
fn is_of(schema: &JsonObject, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|one| one == kind),
        one => one.is_some_and(|one| one == kind),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_closed_and_what_cannot_be_enforced_is_described() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "age": { "type": "integer", "minimum": 0, "maximum": 150, "description": "In years." },
                "mail": { "type": "string", "format": "email" },
                "code": { "type": "string", "format": "plate", "pattern": "^[A-Z]+$" },
                "tags": { "type": "array", "items": { "$ref": "#/$defs/Tag" }, "minItems": 1, "maxItems": 3 },
                "choice": { "oneOf": [{ "type": "null" }, { "type": ["object", "null"], "additionalProperties": true, "properties": { "a": { "const": 1 } } }] },
            },
            "required": ["age"],
            "$defs": { "Tag": { "enum": ["a", "b"] } },
        });
        let expected = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "age": { "type": "integer", "description": "In years.\n\n{maximum: 150, minimum: 0}" },
                "mail": { "type": "string", "format": "email" },
                "code": { "type": "string", "description": "{format: plate, pattern: ^[A-Z]+$}" },
                "tags": { "type": "array", "items": { "$ref": "#/$defs/Tag" }, "minItems": 1, "description": "{maxItems: 3}" },
                "choice": { "anyOf": [{ "type": "null" }, { "type": ["object", "null"], "additionalProperties": false, "properties": { "a": { "const": 1 } } }] },
            },
            "required": ["age"],
            "$defs": { "Tag": { "enum": ["a", "b"] } },
        });
        let once = adapted(&schema).unwrap();
        assert_eq!(once, expected);
        assert_eq!(
            adapted(&once).unwrap(),
            expected,
            "what is adapted stays as it is"
        );
    }

    #[test]
    fn what_cannot_be_said_is_refused_with_its_place() {
        for (schema, expected) in [
            (json!(true), "the schema isn't an object at its top"),
            (
                json!({ "type": "object", "properties": { "a": 7 } }),
                "the schema isn't an object at /properties/a",
            ),
            (
                json!({ "anyOf": [{ "type": "object", "additionalProperties": { "type": "string" } }] }),
                "the schema takes properties of any name, which this provider can't enforce, at /anyOf/0",
            ),
            (
                json!({ "type": "object", "additionalProperties": true }),
                "the schema takes properties of any name, which this provider can't enforce, at its top",
            ),
        ] {
            assert_eq!(adapted(&schema).unwrap_err(), expected);
        }
    }
}
