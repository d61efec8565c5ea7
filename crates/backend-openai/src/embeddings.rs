use crate::check::{self, invalid};
use crate::dialect::Dialect;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gatepass_core::{BackendError, EmbeddingRequest, Embeddings, JsonObject, Usage};
use gatepass_http::HttpResponse;
use gatepass_wire::{Count, Members, Origin, metadata, read_json};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// The body of a request for vectors.
pub(crate) fn encode(request: &EmbeddingRequest, dialect: Dialect) -> Result<Vec<u8>, BackendError> {
    if !request.extra.contains_key("model") {
        check::model_name(request.model.as_deref())?;
    }
    if request.texts.is_empty() && !request.extra.contains_key("input") {
        return Err(invalid("there are no texts"));
    }
    serde_json::to_vec(&Body { request, dialect }).map_err(|_| invalid("it can't be written as JSON"))
}

struct Body<'a> {
    request: &'a EmbeddingRequest,
    dialect: Dialect,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = self.request;
        let mut body = Members::start(serializer, &request.extra)?;
        body.optional("model", request.model.as_ref())?;
        body.list("input", &request.texts)?;
        let dimensions = match self.dialect {
            Dialect::Mistral => "output_dimension",
            _ => "dimensions",
        };
        body.optional(dimensions, request.dimensions.as_ref())?;
        if self.dialect.takes_base64_vectors() {
            body.member("encoding_format", "base64")?;
        }
        body.end()
    }
}

/// Reads as many vectors as there are texts.
pub(crate) async fn read(response: HttpResponse, texts: usize) -> Result<Embeddings, BackendError> {
    let metadata = metadata(&response);
    let mut embeddings = read_json(response, |origin, body| parse(origin, body, texts)).await?;
    embeddings.metadata = metadata;
    Ok(embeddings)
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Option<Vec<Item>>,
    #[serde(flatten)]
    rest: JsonObject,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    index: Count,
    embedding: Vector,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Vector {
    Numbers(Vec<f32>),
    /// Numbers of four bytes each, the lowest first.
    Base64(String),
}

fn parse(origin: &Origin, body: &[u8], texts: usize) -> Result<Embeddings, BackendError> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| origin.unparsable("it", &error))?;
    let mut rest = answer.rest;
    if let Some(error) = rest.remove("error").filter(|error| !error.is_null()) {
        return Err(origin.told(&error));
    }
    let mut items = answer
        .data
        .ok_or_else(|| origin.unanswered(body, "it has no vectors"))?;
    // A stable order: servers without indexes answer in the order of the texts.
    items.sort_by_key(|item| item.index.0.unwrap_or_default());
    if texts != 0 && items.len() != texts {
        return Err(origin.unreadable(format!("it has {} vectors for {texts} texts", items.len())));
    }
    let mut embeddings = Embeddings::default();
    for item in items {
        let vector = item.embedding.numbers();
        let vector = vector.ok_or_else(|| origin.unreadable("a vector is no base64 of numbers"))?;
        embeddings.vectors.push(vector);
    }
    if let Some(Value::Object(tokens)) = rest.remove("usage") {
        embeddings.usage = Some(usage(tokens));
    }
    if let Some(Value::String(model)) = rest.remove("model") {
        embeddings.model = Some(model);
    }
    rest.remove("object");
    rest.retain(|_, value| !value.is_null());
    embeddings.extra = rest;
    Ok(embeddings)
}

fn usage(mut members: JsonObject) -> Usage {
    let mut take = |name: &str| serde_json::from_value::<Count>(members.remove(name)?).ok()?.0;
    let mut usage = Usage::default();
    usage.input_tokens = take("prompt_tokens");
    usage.total_tokens = take("total_tokens");
    take("completion_tokens");
    members.retain(|_, value| !value.is_null() && value.as_f64() != Some(0.0));
    usage.extra = members;
    usage
}

impl Vector {
    fn numbers(self) -> Option<Vec<f32>> {
        let text = match self {
            Self::Numbers(numbers) => return Some(numbers),
            Self::Base64(text) => text,
        };
        let bytes = BASE64_STANDARD.decode(text).ok()?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        rest.is_empty()
            .then(|| numbers.iter().copied().map(f32::from_le_bytes).collect())
    }
}
