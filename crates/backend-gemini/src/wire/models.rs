use gatepass_core::{JsonObject, ModelInfo};
use gatepass_wire::Count;
use serde::Deserialize;
use serde_json::Value;

/// One page of a list of models.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Models {
    /// Vertex AI calls them `publisherModels`. A list without any isn't sent.
    #[serde(default, alias = "publisherModels", alias = "tunedModels")]
    models: Vec<JsonObject>,
    next_page_token: Option<String>,
    #[serde(flatten)]
    rest: JsonObject,
}

impl Models {
    /// One page; none if it is something else.
    pub(crate) fn read(body: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        let page: Self = serde_json::from_slice(body)?;
        let is_list = !page.models.is_empty() || page.next_page_token.is_some() || page.rest.is_empty();
        Ok(is_list.then_some(page))
    }

    /// Adds them to those there are; the token of the next page.
    pub(crate) fn add_to(self, all: &mut Vec<ModelInfo>) -> Option<String> {
        all.extend(self.models.into_iter().filter_map(model));
        self.next_page_token.filter(|token| !token.is_empty())
    }
}

/// `models/gemini-2.5-flash` and `publishers/google/models/gemini-2.5-flash` are called `gemini-2.5-flash`.
fn model(mut members: JsonObject) -> Option<ModelInfo> {
    let Some(Value::String(name)) = members.remove("name") else {
        return None;
    };
    let short = name.strip_prefix("publishers/google/").unwrap_or(&name);
    let mut model = ModelInfo::new(short.strip_prefix("models/").unwrap_or(short));
    model.extra = members;
    Some(model)
}

/// What `countTokens` answered; none if it is something else.
pub(crate) fn count(body: &[u8]) -> Result<Option<u64>, serde_json::Error> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Counted {
        total_tokens: Count,
    }
    let counted: Counted = serde_json::from_slice(body)?;
    Ok(counted.total_tokens.0)
}

/// An error in place of an answer.
pub(crate) fn error(body: &[u8]) -> Option<Value> {
    #[derive(Deserialize)]
    struct Told {
        error: Value,
    }
    let told: Told = serde_json::from_slice(body).ok()?;
    (!told.error.is_null()).then_some(told.error)
}
