use gatepass_core::{BackendError, ModelInfo};
use gatepass_wire::Origin;
use serde::Deserialize;
use serde_json::Value;

/// A page of the list of models.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) models: Vec<ModelInfo>,
    /// The id after which the next page begins.
    pub(crate) next: Option<String>,
}

impl Page {
    pub(crate) fn read(origin: &Origin, body: &[u8]) -> Result<Self, BackendError> {
        #[derive(Deserialize)]
        struct Wire {
            data: Vec<Value>,
            #[serde(default)]
            has_more: Option<bool>,
            #[serde(default)]
            last_id: Option<String>,
        }
        let page: Wire = parse(origin, body)?;
        Ok(Self {
            models: page.data.into_iter().filter_map(model).collect(),
            next: page.last_id.filter(|_| page.has_more == Some(true)),
        })
    }
}

/// What is no model is passed over.
fn model(told: Value) -> Option<ModelInfo> {
    let Value::Object(mut members) = told else {
        return None;
    };
    let Some(Value::String(id)) = members.remove("id") else {
        return None;
    };
    members.remove("type");
    let mut model = ModelInfo::new(id);
    model.extra = members;
    Some(model)
}

/// The number of input tokens.
pub(crate) fn count(origin: &Origin, body: &[u8]) -> Result<u64, BackendError> {
    #[derive(Deserialize)]
    struct Wire {
        input_tokens: u64,
    }
    Ok(parse::<Wire>(origin, body)?.input_tokens)
}

fn parse<'a, T: Deserialize<'a>>(origin: &Origin, body: &'a [u8]) -> Result<T, BackendError> {
    serde_json::from_slice(body).map_err(|error| origin.unparsable("it", &error))
}
