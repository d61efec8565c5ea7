//! JSON Schemas from Rust types: answers and tool arguments that are read into them.

use crate::llm::Llm;
use crate::tools::Toolbox;
use gatepass_core::{Advice, BackendError, ChatReply, ChatRequest, ErrorKind, FinishReason, Message, Tool};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

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
    /// # Errors
    /// See [`StructuredError`].
    pub async fn chat_as<T>(&self, request: ChatRequest) -> Result<T, StructuredError>
    where
        T: DeserializeOwned + JsonSchema,
    {
        let request = request.with_json_schema(name_of::<T>(), schema_of::<T>());
        let reply = self.chat(request).await?;
        match serde_json::from_str(unfenced(&reply.text())) {
            Ok(value) => Ok(value),
            Err(source) => Err(StructuredError::Unreadable {
                reply: Box::new(reply),
                source,
            }),
        }
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
/// it can be, no other members than those of the type, all of them required.
#[must_use]
pub fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    close(&mut schema);
    schema
}

/// Says of each object that it has these members, all of them, and no others.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                let names: Vec<_> = properties.keys().cloned().collect();
                members.insert("required".into(), names.into());
                members.entry("additionalProperties").or_insert(false.into());
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
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

/// What stands between the fences of a code block; all of it if there are none.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some(block) = text.strip_prefix("```").and_then(|text| text.strip_suffix("```")) else {
        return text;
    };
    block.strip_prefix("json").unwrap_or(block).trim()
}

#[cfg(test)]
mod tests;
