use gatepass_core::{JsonObject, ModelInfo};
use serde::Deserialize;
use serde_json::Value;

/// A list of models: `{"data":[{"id":…}]}`, or the bare list.
pub(crate) fn models(body: &[u8]) -> Result<Vec<ModelInfo>, serde_json::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Models {
        Listed { data: Vec<JsonObject> },
        Bare(Vec<JsonObject>),
    }
    let (Models::Listed { data } | Models::Bare(data)) = serde_json::from_slice(body)?;
    Ok(data.into_iter().filter_map(model).collect())
}

fn model(mut members: JsonObject) -> Option<ModelInfo> {
    let Some(Value::String(id)) = members.remove("id") else {
        return None;
    };
    members.remove("object");
    let mut model = ModelInfo::new(id);
    model.extra = members;
    Some(model)
}
