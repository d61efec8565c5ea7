use super::{JsonObject, ReplyMetadata, Usage};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Texts to turn into vectors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmbeddingRequest {
    /// The model, by the provider's name; an `Llm` that is bound to one fills it in.
    pub model: Option<String>,
    /// The texts.
    pub texts: Vec<String>,
    /// How long each vector shall be, where the model can choose.
    pub dimensions: Option<u32>,
    /// Fields that only one provider knows, added to the request's body as they stand; they win over ours.
    pub extra: JsonObject,
}

impl EmbeddingRequest {
    /// Asks for a vector of each of these texts.
    pub fn new(texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            texts: texts.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Sets the model, by the provider's name.
    #[must_use]
    pub fn with_model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets how long each vector shall be.
    #[must_use]
    pub const fn with_dimensions(mut self, dimensions: u32) -> Self {
        self.dimensions = Some(dimensions);
        self
    }

    /// Adds a field that only one provider knows.
    #[must_use]
    pub fn with_extra(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(field.into(), value.into());
        self
    }
}

/// Vectors, one for each text, in the order of the texts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Embeddings {
    /// The vectors.
    pub vectors: Vec<Vec<f32>>,
    /// What they cost.
    pub usage: Option<Usage>,
    /// The model that answered, by the provider's name.
    pub model: Option<String>,
    /// What came beside them.
    pub metadata: ReplyMetadata,
    /// Fields of the provider's answer that the vocabulary doesn't have.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub extra: JsonObject,
}
