//! JSON Schemas from Rust types: answers and tool arguments that are read into them.

use crate::llm::Llm;
use crate::tools::Toolbox;
use gatepass_core::{
    Advice, BackendError, ChatReply, ChatRequest, ErrorKind, FinishReason, JsonObject, Message, Tool,
};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Why there is no answer of the wanted type.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StructuredError {
    /// The model could not be asked.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The answer isn't of that type: the model was cut off, refused, or doesn't keep to schemas.
    #[error("the model's answer {}", what(.reply))]
    Unreadable {
        /// The answer.
        reply: Box<ChatReply>,
        /// Where it differs from the type.
        #[source]
        source: serde_json::Error,
    },
}

fn what(reply: &ChatReply) -> &'static str {
    match reply.finish {
        Some(FinishReason::Length) => "was cut off before it was whole",
        Some(FinishReason::ContentFilter) => "was withheld, or is a refusal",
        _ => "is not of the wanted type",
    }
}

impl StructuredError {
    /// What kind of failure this is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Backend(error) => error.kind(),
            Self::Unreadable { reply, .. } => match reply.finish {
                Some(FinishReason::ContentFilter) => ErrorKind::ContentFilter,
                _ => ErrorKind::Decode,
            },
        }
    }

    /// What the caller can do.
    #[must_use]
    pub const fn advice(&self) -> Advice {
        match self {
            Self::Backend(error) => error.advice(),
            Self::Unreadable { .. } => Advice::Fail,
        }
    }

    /// The next step, as a sentence without a full stop.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Backend(error) => error.fix(),
            Self::Unreadable { reply, .. } => match reply.finish {
                Some(FinishReason::Length) => "raise max_tokens, or ask for less".into(),
                Some(FinishReason::ContentFilter) => "change the content".into(),
                _ => "ask a model that keeps to JSON Schemas, or make the type simpler".into(),
            },
        }
    }
}

impl Llm {
    /// Asks one question; the answer is read into `T`.
    ///
    /// ```no_run
    /// # async fn f(llm: gatepass::Llm) -> Result<(), gatepass::StructuredError> {
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct City { name: String, inhabitants: u64 }
    ///
    /// let city: City = llm.ask_as("The largest city of France?").await?;
    /// println!("{}: {}", city.name, city.inhabitants);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`StructuredError`].
    pub async fn ask_as<T>(&self, question: impl Into<String>) -> Result<T, StructuredError>
    where
        T: DeserializeOwned + JsonSchema,
    {
        self.chat_as(ChatRequest::new([Message::user(question)])).await
    }

    /// Asks with a whole request; its answer follows the JSON Schema of `T` and is read into it. A fence of a code
    /// block around it, which some models can't leave out, is passed over.
    ///
    /// Providers follow schemas of objects alone. Any other `T` (a list, an enum, a number) is asked for as the one member
    /// `answer` of an object, and read out of it.
    ///
    /// # Errors
    /// See [`StructuredError`].
    pub async fn chat_as<T>(&self, request: ChatRequest) -> Result<T, StructuredError>
    where
        T: DeserializeOwned + JsonSchema,
    {
        let mut schema = schema_of::<T>();
        let is_wrapped = schema.get("type").and_then(Value::as_str) != Some("object");
        if is_wrapped {
            schema = wrapped(schema);
        }
        let request = request.with_json_schema(name_of::<T>(), schema);
        let reply = self.chat(request).await?;
        match read_answer(&reply.text(), is_wrapped) {
            Ok(value) => Ok(value),
            Err(source) => Err(StructuredError::Unreadable {
                reply: Box::new(reply),
                source,
            }),
        }
    }
}

/// What is no object, in one.
#[derive(serde::Deserialize)]
struct Wrapped<T> {
    answer: T,
}

/// The schema of [`Wrapped`].
fn wrapped(mut schema: Value) -> Value {
    let definitions = schema.as_object_mut().and_then(|members| members.remove("$defs"));
    lead_to_the_answer(&mut schema);
    let mut outer = json!({
        "type": "object",
        "properties": { "answer": schema },
        "required": ["answer"],
        "additionalProperties": false,
    });
    if let (Some(mut definitions), Some(members)) = (definitions, outer.as_object_mut()) {
        lead_to_the_answer(&mut definitions);
        members.insert("$defs".into(), definitions);
    }
    outer
}

/// The whole of a schema that holds itself is the answer now.
fn lead_to_the_answer(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(reference) = members.get_mut("$ref").filter(|reference| **reference == "#") {
                *reference = "#/properties/answer".into();
            }
            members.values_mut().for_each(lead_to_the_answer);
        }
        Value::Array(items) => items.iter_mut().for_each(lead_to_the_answer),
        _ => {}
    }
}

impl Toolbox {
    /// Adds a tool whose arguments are read into `A`; its JSON Schema is made from that type. A call whose
    /// arguments don't fit is answered with what is wrong with them, so that the model can mend it.
    #[must_use]
    pub fn with_function<A, F>(
        self,
        name: impl Into<String>,
        description: impl Into<String>,
        function: impl Fn(A) -> F + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema,
        F: Future<Output = Result<String, String>> + Send + 'static,
    {
        let tool = Tool::new(name, schema_of::<A>()).with_description(description);
        self.with(tool, move |call| {
            let answer = call.parse().map(&function);
            async move {
                match answer {
                    Ok(answer) => answer.await,
                    Err(error) => Err(format!("the arguments don't fit: {error}")),
                }
            }
        })
    }
}

/// The JSON Schema of `T` in the form that strict providers ask for: one schema without references to others where
/// it can be, no other members than those of the type, all of them required, and no keyword that they refuse: `oneOf` is
/// said as `anyOf`, and defaults and the names of Rust's number types are left out.
#[must_use]
pub fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    make_strict(&mut schema);
    schema
}

/// Formats that OpenAI takes; it refuses a schema with any other one.
const FORMATS: [&str; 9] = [
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uuid",
];

fn make_strict(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    members.remove("default");
    members.retain(|keyword, value| {
        keyword != "format" || value.as_str().is_none_or(|format| FORMATS.contains(&format))
    });
    if !members.contains_key("anyOf")
        && let Some(variants) = members.remove("oneOf")
    {
        members.insert("anyOf".into(), variants);
    }
    close(members);
    // By keyword: what stands in `properties` are names, and in `enum` and `const` values, whatever they are called.
    for (keyword, value) in members.iter_mut() {
        match (keyword.as_str(), value) {
            ("properties" | "$defs" | "definitions", Value::Object(schemas)) => {
                schemas.values_mut().for_each(make_strict);
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                schemas.iter_mut().for_each(make_strict);
            }
            ("items" | "additionalProperties" | "not", schema) => make_strict(schema),
            _ => {}
        }
    }
}

/// Says of an object that it has these members, all of them, and no others.
fn close(schema: &mut JsonObject) {
    let is_empty = schema.get("type").and_then(Value::as_str) == Some("object")
        && !["properties", "additionalProperties", "patternProperties"]
            .iter()
            .any(|keyword| schema.contains_key(*keyword));
    if is_empty {
        schema.insert("properties".into(), json!({}));
    }
    if let Some(Value::Object(properties)) = schema.get("properties") {
        let names: Vec<_> = properties.keys().cloned().collect();
        schema.insert("required".into(), names.into());
        schema.entry("additionalProperties").or_insert(false.into());
    }
}

/// Its name, of letters, digits, `-` and `_`, at most 64.
fn name_of<T: JsonSchema>() -> String {
    let name = T::schema_name();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.chars()
        .map(|c| if fits(c) { c } else { '_' })
        .take(64)
        .collect()
}

fn read_answer<T: DeserializeOwned>(text: &str, is_wrapped: bool) -> Result<T, serde_json::Error> {
    if !is_wrapped {
        return read(text);
    }
    match read::<Wrapped<T>>(text) {
        Ok(wrapped) => Ok(wrapped.answer),
        // Who doesn't keep to schemas may still have understood the question.
        Err(error) => read(text).map_err(|_| error),
    }
}

/// Reads all of the text, or what stands in a code block of it.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    match (serde_json::from_str(text), block(text)) {
        (Err(_), Some(block)) => serde_json::from_str(block),
        (read, _) => read,
    }
}

/// What stands between the first fence and the last one, without the language's name.
fn block(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("```")?;
    let (block, _) = rest.rsplit_once("```")?;
    Some(block.trim_start_matches(|c: char| c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests;
