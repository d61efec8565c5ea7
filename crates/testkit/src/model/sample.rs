use serde_json::{Map, Value, json};

/// The smallest value that a JSON Schema of the common kind allows.
pub(super) fn sample(schema: &Value) -> Value {
    if let Some(fixed) = schema.get("const") {
        return fixed.clone();
    }
    if let Some(first) = first(schema, "enum") {
        return first.clone();
    }
    if let Some(first) = first(schema, "anyOf").or_else(|| first(schema, "oneOf")) {
        return sample(first);
    }
    match kind(schema) {
        "string" => json!("text"),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(true),
        "array" => Value::Array(schema.get("items").map(sample).into_iter().collect()),
        "null" => Value::Null,
        _ => object(schema),
    }
}

/// `type`, or the first of several.
fn kind(schema: &Value) -> &str {
    let kind = first(schema, "type").or_else(|| schema.get("type"));
    kind.and_then(Value::as_str).unwrap_or("object")
}

fn first<'a>(schema: &'a Value, keyword: &str) -> Option<&'a Value> {
    schema.get(keyword)?.as_array()?.first()
}

/// Its required properties.
fn object(schema: &Value) -> Value {
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let filled = required.filter_map(|name| {
        let name = name.as_str()?;
        let property = schema.get("properties")?.get(name)?;
        Some((name.to_owned(), sample(property)))
    });
    Value::Object(filled.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_what_the_schema_requires() {
        let schema = json!({
            "type": "object",
            "required": ["city", "days", "unit", "tags"],
            "properties": {
                "city": { "type": ["string", "null"] },
                "days": { "type": "integer", "minimum": 3 },
                "unit": { "enum": ["C", "F"] },
                "tags": { "type": "array", "items": { "type": "boolean" } },
                "note": { "type": "string" },
            },
        });
        let expected = json!({ "city": "text", "days": 3, "unit": "C", "tags": [true] });
        assert_eq!(sample(&schema), expected);
    }
}
