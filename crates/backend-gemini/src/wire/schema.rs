use gatepass_core::JsonObject;
use serde_json::{Value, json};
use std::borrow::Cow;

/// What a JSON Schema says and Gemini's dialect has no words for.
const UNSPEAKABLE: [&str; 8] = [
    "not",
    "if",
    "patternProperties",
    "propertyNames",
    "dependentSchemas",
    "dependentRequired",
    "contains",
    "unevaluatedProperties",
];

/// A JSON Schema in Gemini's dialect (`responseJsonSchema` of its `GenerationConfig`), unchanged where that has
/// words for it:
///
/// * `const` becomes an `enum` of one, an `allOf` of one an `anyOf` of one;
/// * `exclusiveMinimum` and `exclusiveMaximum` become `minimum` and `maximum`, one further for integers;
/// * draft 7's `definitions` become `$defs`;
/// * a `$ref` beside other members moves into an `anyOf`, since it has to stand alone.
///
/// # Errors
/// If `strict`, the place of what has no words there. Else that is sent as it stands, and passed over.
pub(super) fn schema(schema: &Value, strict: bool) -> Result<Cow<'_, Value>, String> {
    if strict {
        refuse(schema, "")?;
    }
    if !needs_words(schema) {
        return Ok(Cow::Borrowed(schema));
    }
    let mut schema = schema.clone();
    translate(&mut schema);
    Ok(Cow::Owned(schema))
}

fn refuse(schema: &Value, place: &str) -> Result<(), String> {
    let Some(members) = schema.as_object() else {
        return Ok(());
    };
    let here = || if place.is_empty() { "its root" } else { place };
    if let Some(word) = UNSPEAKABLE.iter().find(|word| members.contains_key(**word)) {
        return Err(format!("it has `{word}` at {}", here()));
    }
    if members
        .get("allOf")
        .and_then(Value::as_array)
        .is_some_and(|all| all.len() > 1)
    {
        return Err(format!("it has `allOf` with several schemas at {}", here()));
    }
    let reference = members.get("$ref").and_then(Value::as_str);
    if reference.is_some_and(|reference| !reference.starts_with('#')) {
        return Err(format!("it has a `$ref` to elsewhere at {}", here()));
    }
    inner(members)
        .try_for_each(|(name, schema)| refuse(schema, format!("{place}/{name}").trim_start_matches('/')))
}

/// The schemas within one, each with its place.
fn inner(members: &JsonObject) -> impl Iterator<Item = (String, &Value)> {
    members.iter().flat_map(|(name, value)| {
        let (named, listed, single) = match (name.as_str(), value) {
            ("properties" | "$defs" | "definitions", Value::Object(schemas)) => (Some(schemas), None, None),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                (None, Some(schemas), None)
            }
            ("items" | "additionalProperties", schema) => (None, None, Some(schema)),
            _ => (None, None, None),
        };
        let named = named.into_iter().flatten();
        let named = named.map(move |(inner, schema)| (format!("{name}/{inner}"), schema));
        let listed = listed.into_iter().flatten().enumerate();
        let listed = listed.map(move |(at, schema)| (format!("{name}/{at}"), schema));
        named
            .chain(listed)
            .chain(single.map(|schema| (name.clone(), schema)))
    })
}

fn needs_words(schema: &Value) -> bool {
    let Some(members) = schema.as_object() else {
        return false;
    };
    let has = |word| members.contains_key(word);
    [
        "const",
        "allOf",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "definitions",
    ]
    .into_iter()
    .any(has)
        || (has("$ref") && !stands_alone(members))
        || inner(members).any(|(_, schema)| needs_words(schema))
}

/// Whether nothing but `$defs` and the like is beside a `$ref`.
fn stands_alone(members: &JsonObject) -> bool {
    members.keys().all(|name| name.starts_with('$'))
}

fn translate(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    if let Some(value) = members.remove("const") {
        members.insert("enum".into(), json!([value]));
    }
    exclusive(members, "exclusiveMinimum", "minimum", 1);
    exclusive(members, "exclusiveMaximum", "maximum", -1);
    if let Some(definitions) = members.remove("definitions") {
        members.insert("$defs".into(), definitions);
    }
    if let Some(Value::String(reference)) = members.get_mut("$ref")
        && let Some(name) = reference.strip_prefix("#/definitions/")
    {
        *reference = format!("#/$defs/{name}");
    }
    if !members.contains_key("anyOf") {
        match members.remove("allOf") {
            Some(Value::Array(all)) if all.len() == 1 => _ = members.insert("anyOf".into(), all.into()),
            Some(other) => _ = members.insert("allOf".into(), other),
            None => {}
        }
        if !stands_alone(members)
            && let Some(reference) = members.remove("$ref")
        {
            members.insert("anyOf".into(), json!([{ "$ref": reference }]));
        }
    }
    for (name, value) in members.iter_mut() {
        match (name.as_str(), value) {
            ("properties" | "$defs", Value::Object(schemas)) => schemas.values_mut().for_each(translate),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                schemas.iter_mut().for_each(translate);
            }
            ("items" | "additionalProperties", schema) => translate(schema),
            _ => {}
        }
    }
}

/// A limit that isn't reached becomes one that is: the same for integers, a little wider for other numbers.
fn exclusive(members: &mut JsonObject, exclusive: &str, inclusive: &str, step: i64) {
    let Some(limit) = members.remove(exclusive).filter(Value::is_number) else {
        return;
    };
    let is_integer = members.get("type").and_then(Value::as_str) == Some("integer");
    let limit = match limit.as_i64().and_then(|limit| limit.checked_add(step)) {
        Some(next) if is_integer => next.into(),
        _ => limit,
    };
    members.entry(inclusive).or_insert(limit);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gemini_has_words_for_is_not_touched() {
        let told = json!({
            "$defs": { "a": { "type": "string", "pattern": "^a" } },
            "type": "object",
            "properties": {
                "a": { "$ref": "#/$defs/a" },
                "b": { "anyOf": [{ "type": "null" }, { "type": "integer", "minimum": 1, "default": 2 }] },
                "const": { "type": "string", "description": "a property of that name" },
            },
            "required": ["a"],
            "additionalProperties": false,
        });
        assert!(matches!(schema(&told, true), Ok(Cow::Borrowed(same)) if *same == told));
    }

    #[test]
    fn what_it_says_in_other_words_is_translated() {
        for (told, meant) in [
            (json!({ "const": "a" }), json!({ "enum": ["a"] })),
            (
                json!({ "items": { "type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10 } }),
                json!({ "items": { "type": "integer", "minimum": 1, "maximum": 9 } }),
            ),
            (
                json!({ "type": "number", "exclusiveMinimum": 0 }),
                json!({ "type": "number", "minimum": 0 }),
            ),
            (
                json!({ "definitions": { "A": { "const": 1 } }, "$ref": "#/definitions/A" }),
                json!({ "$defs": { "A": { "enum": [1] } }, "$ref": "#/$defs/A" }),
            ),
            (
                json!({ "properties": { "a": { "$ref": "#/$defs/A", "description": "d" } } }),
                json!({ "properties": { "a": { "anyOf": [{ "$ref": "#/$defs/A" }], "description": "d" } } }),
            ),
            (
                json!({ "allOf": [{ "$ref": "#/$defs/A" }], "default": 1 }),
                json!({ "anyOf": [{ "$ref": "#/$defs/A" }], "default": 1 }),
            ),
        ] {
            assert_eq!(*schema(&told, true).unwrap(), meant);
        }
    }

    #[test]
    fn what_it_has_no_words_for_is_refused_with_its_place() {
        for (told, problem) in [
            (json!({ "not": {} }), "it has `not` at its root"),
            (
                json!({ "properties": { "a": { "items": { "if": {} } } } }),
                "it has `if` at properties/a/items",
            ),
            (
                json!({ "anyOf": [{}, { "allOf": [{}, {}] }] }),
                "it has `allOf` with several schemas at anyOf/1",
            ),
            (
                json!({ "$defs": { "A": { "$ref": "https://s.example/a" } } }),
                "it has a `$ref` to elsewhere at $defs/A",
            ),
        ] {
            assert_eq!(schema(&told, true).unwrap_err(), problem);
            assert_eq!(*schema(&told, false).unwrap(), told);
        }
    }
}
