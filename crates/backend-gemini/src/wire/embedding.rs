use super::contents::invalid;
use super::usage::counts;
use crate::place::Place;
use gatepass_core::{BackendError, EmbeddingRequest, Embeddings, JsonObject, Usage};
use gatepass_wire::Members;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How a model is asked for vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The Gemini API's.
    Batch,
    /// Vertex AI's for its newer models: one text a request.
    Single,
    /// Vertex AI's for `text-embedding-…` and `gemini-embedding-001`.
    Predict {
        /// So many texts a request.
        limit: usize,
    },
}

impl Way {
    fn of(place: &Place, model: &str) -> Self {
        match (place, model.rsplit('/').next()) {
            (Place::Gemini, _) => Self::Batch,
            (_, Some("gemini-embedding-001")) => Self::Predict { limit: 1 },
            (_, Some(name)) if name.starts_with("gemini-") => Self::Single,
            _ => Self::Predict { limit: 250 },
        }
    }

    /// The method's name, which ends the path.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::Batch => "batchEmbedContents",
            Self::Single => "embedContent",
            Self::Predict { .. } => "predict",
        }
    }

    const fn limit(self) -> usize {
        match self {
            Self::Batch => 100,
            Self::Single => 1,
            Self::Predict { limit } => limit,
        }
    }
}

/// Texts to be turned into vectors.
#[derive(Debug)]
pub(crate) struct Texts<'a> {
    /// The path of the model.
    pub(crate) model: String,
    pub(crate) way: Way,
    request: &'a EmbeddingRequest,
}

impl<'a> Texts<'a> {
    /// # Errors
    /// [`BackendError::Request`], with what this wire can't say.
    pub(crate) fn new(request: &'a EmbeddingRequest, place: &Place) -> Result<Self, BackendError> {
        let name = request
            .model
            .as_deref()
            .ok_or_else(|| invalid("no model is named"))?;
        if request.texts.is_empty() {
            return Err(invalid("there are no texts"));
        }
        Ok(Self {
            model: place.model(name)?,
            way: Way::of(place, name),
            request,
        })
    }

    /// A body for each request that it takes, with the number of its texts.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = (usize, Vec<u8>)> {
        let chunks = self.request.texts.chunks(self.way.limit());
        chunks.map(|texts| (texts.len(), self.body(texts).to_string().into_bytes()))
    }

    fn body(&self, texts: &[String]) -> Value {
        let mut asked = texts.iter().map(|text| Asked { texts: self, text });
        match self.way {
            Way::Batch => json!({ "requests": asked.collect::<Vec<_>>() }),
            Way::Single => json!(asked.next()),
            Way::Predict { .. } => self.prediction(texts),
        }
    }

    /// What is said of a text goes beside it, what is said of its vector to the parameters.
    fn prediction(&self, texts: &[String]) -> Value {
        let is_of_text = |name: &str| matches!(name, "task_type" | "taskType" | "title" | "mimeType");
        let extra = self.request.extra.iter();
        let (of_text, of_vector): (Vec<_>, Vec<_>) = extra.partition(|(name, _)| is_of_text(name));
        let mut parameters = JsonObject::new();
        let dimensions = self.request.dimensions;
        parameters.extend(dimensions.map(|length| ("outputDimensionality".to_owned(), length.into())));
        parameters.extend(
            of_vector
                .into_iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        let instances = texts.iter().map(|text| {
            let mut instance = JsonObject::from_iter([("content".to_owned(), Value::from(text.as_str()))]);
            for (name, value) in &of_text {
                let name = if *name == "taskType" { "task_type" } else { name };
                instance.insert(name.to_owned(), (*value).clone());
            }
            instance
        });
        let mut body = json!({ "instances": instances.collect::<Vec<_>>() });
        if let (Some(body), false) = (body.as_object_mut(), parameters.is_empty()) {
            body.insert("parameters".into(), parameters.into());
        }
        body
    }
}

/// One text, as `embedContent` takes it.
struct Asked<'a> {
    texts: &'a Texts<'a>,
    text: &'a str,
}

impl Serialize for Asked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Texts { model, way, request } = self.texts;
        let mut asked = Members::start(serializer, &request.extra)?;
        if *way == Way::Batch {
            asked.member("model", model)?;
        }
        asked.member("content", &json!({ "parts": [{ "text": self.text }] }))?;
        asked.optional("outputDimensionality", request.dimensions.as_ref())?;
        asked.end()
    }
}

/// What one request for vectors was answered.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Vectors {
    embeddings: Vec<Vector>,
    embedding: Option<Vector>,
    predictions: Vec<Prediction>,
    usage_metadata: Option<JsonObject>,
    #[serde(flatten)]
    rest: JsonObject,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Vector {
    values: Vec<f32>,
    statistics: Option<Statistics>,
}

#[derive(Debug, Deserialize)]
struct Prediction {
    embeddings: Vector,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Statistics {
    token_count: Option<f64>,
    #[serde(flatten)]
    rest: JsonObject,
}

impl Vectors {
    pub(crate) fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }

    /// How many they are.
    pub(crate) fn len(&self) -> usize {
        self.embeddings.len() + usize::from(self.embedding.is_some()) + self.predictions.len()
    }

    /// Adds them to those there are.
    pub(crate) fn add_to(self, all: &mut Embeddings) {
        let predicted = self
            .predictions
            .into_iter()
            .map(|prediction| prediction.embeddings);
        let vectors = self.embeddings.into_iter().chain(self.embedding).chain(predicted);
        let mut tokens = self.usage_metadata.and_then(counts);
        for vector in vectors {
            all.vectors.push(vector.values);
            if let Some(counted) = vector.statistics {
                let tokens = tokens.get_or_insert_default();
                let more = counted.token_count.map(|count| count as u64);
                tokens.input_tokens = sum(tokens.input_tokens, more);
                note(&mut all.extra, "statistics", counted.rest);
            }
        }
        if let Some(more) = tokens {
            add(all.usage.get_or_insert_default(), more);
        }
        all.extra.extend(self.rest);
    }
}

/// What else was said of each vector, in their order.
fn note(extra: &mut JsonObject, name: &str, more: JsonObject) {
    let list = extra.entry(name).or_insert_with(|| json!([]));
    if let Value::Array(list) = list {
        list.push(more.into());
    }
}

fn add(all: &mut Usage, more: Usage) {
    all.input_tokens = sum(all.input_tokens, more.input_tokens);
    all.total_tokens = sum(all.total_tokens, more.total_tokens);
    all.extra.extend(more.extra);
}

const fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, None) => one,
        (None, other) => other,
    }
}
