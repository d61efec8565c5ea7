use super::contents::{Conversation, invalid};
use super::part::merge;
use super::schema::schema;
use super::thinking::Thinking;
use crate::place::Place;
use gatepass_core::{BackendError, ChatRequest, JsonObject, Message, Part, ResponseFormat, Tool, ToolChoice};
use gatepass_wire::Members;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};
use std::borrow::Cow;

/// A request, ready to be sent.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// The path of its model.
    pub(crate) model: String,
    body: Body<'a>,
    size: usize,
}

impl<'a> Request<'a> {
    /// # Errors
    /// [`BackendError::Request`], with what this wire can't say; never with content.
    pub(crate) fn new(request: &'a ChatRequest, place: &Place) -> Result<Self, BackendError> {
        let name = request
            .model
            .as_deref()
            .ok_or_else(|| invalid("no model is named"))?;
        let model = place.model(name)?;
        check(request)?;
        let thinking = Thinking::of(name);
        let conversation = Conversation::of(&request.messages, place, thinking)?;
        if conversation.contents.is_empty() && !request.extra.contains_key("contents") {
            return Err(invalid("there are no messages"));
        }
        let mut generation = generation(request, thinking)?;
        let mut tool_config = tool_config(request);
        let extra = extend(
            &request.extra,
            [
                ("generationConfig", &mut generation),
                ("toolConfig", &mut tool_config),
            ],
        );
        Ok(Self {
            model,
            body: Body {
                conversation,
                tools: tools(request)?,
                generation,
                tool_config,
                extra,
            },
            size: 512 + request.messages.iter().map(size).sum::<usize>(),
        })
    }

    /// The body of `generateContent`.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, BackendError> {
        self.write(&self.body)
    }

    /// The body of `countTokens`. Vertex AI takes what it counts as it is, but for `toolConfig`; the Gemini API
    /// takes messages as they are, and a whole request within another.
    pub(crate) fn encode_count(&self, place: &Place) -> Result<Vec<u8>, BackendError> {
        match place {
            Place::Vertex { .. } => self.write(&Counted(&self.body)),
            Place::Gemini if self.body.says_messages_alone() => self.write(&Counted(&self.body)),
            Place::Gemini => self.write(&Enclosed(self)),
        }
    }

    fn write(&self, body: &impl Serialize) -> Result<Vec<u8>, BackendError> {
        let mut bytes = Vec::with_capacity(self.size);
        match serde_json::to_writer(&mut bytes, body) {
            Ok(()) => Ok(bytes),
            Err(_) => Err(invalid("it can't be written as JSON")),
        }
    }
}

/// About as many bytes as a message takes.
fn size(message: &Message) -> usize {
    let text = |part: &Part| part.as_text().map_or(128, |text| text.len() + text.len() / 16);
    message.parts.iter().map(text).sum::<usize>() + 64
}

#[derive(Debug)]
struct Body<'a> {
    conversation: Conversation<'a>,
    tools: Vec<Value>,
    generation: JsonObject,
    tool_config: JsonObject,
    extra: Cow<'a, JsonObject>,
}

impl Body<'_> {
    fn says_messages_alone(&self) -> bool {
        self.conversation.instructions.is_empty()
            && self.tools.is_empty()
            && self.generation.is_empty()
            && self.tool_config.is_empty()
            && self.extra.is_empty()
    }

    fn members<M: SerializeMap>(&self, body: &mut Members<'_, M>) -> Result<(), M::Error> {
        body.member("contents", &self.conversation.contents)?;
        if !self.conversation.instructions.is_empty() {
            let instructions = Instructions {
                role: "user",
                parts: &self.conversation.instructions,
            };
            body.member("systemInstruction", &instructions)?;
        }
        body.list("tools", &self.tools)?;
        object(body, "generationConfig", &self.generation)
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = Members::start(serializer, &self.extra)?;
        self.members(&mut body)?;
        object(&mut body, "toolConfig", &self.tool_config)?;
        body.end()
    }
}

/// What is counted, without what only an answer needs.
struct Counted<'a>(&'a Body<'a>);

impl Serialize for Counted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counted =
            |name: &str| ["contents", "systemInstruction", "tools", "generationConfig"].contains(&name);
        let mut extra = self.0.extra.clone().into_owned();
        extra.retain(|name, _| counted(name));
        let mut body = Members::start(serializer, &extra)?;
        self.0.members(&mut body)?;
        body.end()
    }
}

/// `{"generateContentRequest":{"model":…}}`
struct Enclosed<'a>(&'a Request<'a>);

impl Serialize for Enclosed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Named<'a>(&'a Request<'a>);
        impl Serialize for Named<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let Request { model, body, .. } = self.0;
                let mut members = Members::start(serializer, &body.extra)?;
                members.member("model", model)?;
                body.members(&mut members)?;
                object(&mut members, "toolConfig", &body.tool_config)?;
                members.end()
            }
        }
        let mut body = serializer.serialize_map(Some(1))?;
        body.serialize_entry("generateContentRequest", &Named(self.0))?;
        body.end()
    }
}

#[derive(Serialize)]
struct Instructions<'a, P> {
    role: &'static str,
    parts: &'a [P],
}

fn object<M: SerializeMap>(
    body: &mut Members<'_, M>,
    name: &str,
    members: &JsonObject,
) -> Result<(), M::Error> {
    body.optional(name, (!members.is_empty()).then_some(members).as_ref())
}

/// Objects of `extra` add to ours of the same name, and win within it; the rest of `extra` is returned.
fn extend<'a, const N: usize>(
    extra: &'a JsonObject,
    ours: [(&str, &mut JsonObject); N],
) -> Cow<'a, JsonObject> {
    let mut rest = Cow::Borrowed(extra);
    for (name, ours) in ours {
        if let Some(Value::Object(more)) = extra.get(name) {
            merge(ours, more);
            rest.to_mut().remove(name);
        }
    }
    rest
}

fn generation(request: &ChatRequest, thinking: Thinking) -> Result<JsonObject, BackendError> {
    let mut config = JsonObject::new();
    let mut set = |name: &str, value: Option<Value>| {
        config.extend(value.map(|value| (name.to_owned(), value)));
    };
    set("temperature", request.temperature.map(Value::from));
    set("maxOutputTokens", request.max_tokens.map(Value::from));
    set("topP", request.top_p.map(Value::from));
    set("topK", request.top_k.map(Value::from));
    set("presencePenalty", request.presence_penalty.map(Value::from));
    set("frequencyPenalty", request.frequency_penalty.map(Value::from));
    set("seed", request.seed.map(Value::from));
    set(
        "stopSequences",
        (!request.stop.is_empty()).then(|| json!(request.stop)),
    );
    match &request.response_format {
        Some(ResponseFormat::Json) => set("responseMimeType", Some("application/json".into())),
        Some(ResponseFormat::JsonSchema {
            schema: told, strict, ..
        }) => {
            let meant = schema(told, *strict)
                .map_err(|problem| cannot_follow("the schema of the answer", &problem))?;
            set("responseMimeType", Some("application/json".into()));
            set("responseJsonSchema", Some(meant.into_owned()));
        }
        _ => {}
    }
    if let Some(reasoning) = request.reasoning {
        let thinking = thinking.config(reasoning);
        set("thinkingConfig", (!thinking.is_empty()).then(|| thinking.into()));
    }
    Ok(config)
}

fn cannot_follow(what: &str, problem: &str) -> BackendError {
    invalid(format!(
        "Gemini can't follow {what}: {problem}; say it in other words, or not strictly"
    ))
}

fn tools(request: &ChatRequest) -> Result<Vec<Value>, BackendError> {
    let declarations: Result<Vec<_>, _> = request.tools.iter().map(declaration).collect();
    let declarations = declarations?;
    let functions = (!declarations.is_empty()).then(|| json!({ "functionDeclarations": declarations }));
    let provided = request
        .provider_tools
        .iter()
        .map(|tool| Value::Object(tool.clone()));
    Ok(provided.chain(functions).collect())
}

fn declaration(tool: &Tool) -> Result<Value, BackendError> {
    let mut declaration = JsonObject::new();
    declaration.insert("name".into(), tool.name.as_str().into());
    declaration.extend(
        tool.description
            .as_deref()
            .map(|text| ("description".to_owned(), text.into())),
    );
    if !tool.parameters.is_null() {
        let what = || format!("the arguments of the tool {}", tool.name);
        let meant = schema(&tool.parameters, tool.strict == Some(true));
        let meant = meant.map_err(|problem| cannot_follow(&what(), &problem))?;
        declaration.insert("parametersJsonSchema".into(), meant.into_owned());
    }
    Ok(declaration.into())
}

/// `VALIDATED` keeps calls to their schemas without demanding one: what a strict tool means.
fn tool_config(request: &ChatRequest) -> JsonObject {
    let is_strict = request.tools.iter().any(|tool| tool.strict == Some(true));
    let calling = match &request.tool_choice {
        None | Some(ToolChoice::Auto) if is_strict => json!({ "mode": "VALIDATED" }),
        None => return JsonObject::new(),
        Some(ToolChoice::None) => json!({ "mode": "NONE" }),
        Some(ToolChoice::Required) => json!({ "mode": "ANY" }),
        Some(ToolChoice::Tool(name)) => json!({ "mode": "ANY", "allowedFunctionNames": [name] }),
        Some(_) => json!({ "mode": "AUTO" }),
    };
    JsonObject::from_iter([("functionCallingConfig".into(), calling)])
}

/// Refuses what Gemini can't be told, before it is asked.
fn check(request: &ChatRequest) -> Result<(), BackendError> {
    for (value, name) in [
        (request.temperature, "temperature"),
        (request.top_p, "top_p"),
        (request.presence_penalty, "presence_penalty"),
        (request.frequency_penalty, "frequency_penalty"),
    ] {
        if value.is_some_and(|value| !value.is_finite()) {
            return Err(invalid(format!("{name} is not a number")));
        }
    }
    if request.parallel_tool_calls == Some(false) {
        return Err(invalid("Gemini can't be told to ask for one tool at a time"));
    }
    let chosen = match &request.tool_choice {
        Some(ToolChoice::Tool(name)) => Some(name),
        _ => None,
    };
    let mut names = request.tools.iter().map(|tool| &tool.name).chain(chosen);
    if names.any(|name| name.is_empty() || name.chars().any(char::is_control)) {
        return Err(invalid("a tool's name is empty, or has a control character"));
    }
    Ok(())
}
