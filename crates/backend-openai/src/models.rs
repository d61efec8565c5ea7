use gatepass_core::ModelInfo;
use serde_json::Value;

/// A list of models: `{"data":[{"id":…}]}`, or the bare list; none if there is none. What is no model in it is passed over.
pub(crate) fn models(body: &[u8]) -> Result<Option<Vec<ModelInfo>>, serde_json::Error> {
    let list = match serde_json::from_slice(body)? {
        Value::Object(mut members) => members.remove("data").unwrap_or_default(),
        list => list,
    };
    Ok(match list {
        Value::Array(items) => Some(items.into_iter().filter_map(model).collect()),
        _ => None,
    })
}

fn model(told: Value) -> Option<ModelInfo> {
    let Value::Object(mut members) = told else {
        return None;
    };
    let Some(Value::String(id)) = members.remove("id") else {
        return None;
    };
    members.remove("object");
    let mut model = ModelInfo::new(id);
    model.extra = members;
    Some(model)
}
