use super::made_up;
use crate::place::Place;
use gatepass_core::{JsonObject, MediaSource, Reasoning, Text, ToolCall};
use gatepass_wire::Members;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use std::borrow::Cow;

/// A part on its way out.
#[derive(Debug)]
pub(super) struct WirePart<'a> {
    pub(super) data: Data<'a>,
    pub(super) signature: Option<&'a str>,
    extra: Option<&'a JsonObject>,
}

#[derive(Debug)]
pub(super) enum Data<'a> {
    Text(&'a Text),
    Thought(&'a Reasoning),
    Call(Call<'a>),
    Response(Response<'a>),
    Media(Media<'a>),
    /// As it stands.
    Whole(&'a JsonObject),
    /// Nothing but what `extra` says.
    Nothing,
}

impl<'a> WirePart<'a> {
    /// An empty text.
    pub(super) const EMPTY: Self = Self::new(Data::Nothing, None);

    pub(super) const fn new(data: Data<'a>, extra: Option<&'a JsonObject>) -> Self {
        Self {
            data,
            signature: None,
            extra,
        }
    }

    /// A thought; or the signature of the part before it, if it says nothing else.
    pub(super) fn add_thought(thought: &'a Reasoning, parts: &mut Vec<Self>) {
        let signature = thought.signature.as_deref();
        if !thought.text.is_empty() {
            let mut part = Self::new(Data::Thought(thought), Some(&thought.extra));
            part.signature = signature;
            parts.push(part);
        } else if let Some(signature) = signature {
            match parts.last_mut() {
                Some(last) if thought.extra.is_empty() && last.signature.is_none() => {
                    last.signature = Some(signature);
                }
                _ => {
                    let mut part = Self::new(Data::Nothing, Some(&thought.extra));
                    part.signature = Some(signature);
                    parts.push(part);
                }
            }
        }
    }

    pub(super) const fn is_text(&self) -> bool {
        matches!(self.data, Data::Text(_))
    }

    /// Where it belongs among the answers to calls; other parts stay after them.
    pub(super) fn order(&self) -> usize {
        match &self.data {
            Data::Response(response) => response.order.unwrap_or(usize::MAX),
            _ => usize::MAX,
        }
    }
}

impl Serialize for WirePart<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let none = JsonObject::new();
        let extra = match self.data {
            Data::Whole(members) => Cow::Borrowed(members),
            Data::Call(_) => without(self.extra.unwrap_or(&none), "functionCall"),
            _ => Cow::Borrowed(self.extra.unwrap_or(&none)),
        };
        let mut part = Members::start(serializer, &extra)?;
        match &self.data {
            Data::Text(text) => part.member("text", &text.text)?,
            Data::Thought(thought) => {
                part.member("text", &thought.text)?;
                part.member("thought", &true)?;
            }
            Data::Call(call) => part.member("functionCall", call)?,
            Data::Response(response) => part.member("functionResponse", response)?,
            Data::Media(media @ Media::Inline { .. }) => part.member("inlineData", media)?,
            Data::Media(media @ Media::Stored { .. }) => part.member("fileData", media)?,
            Data::Nothing if extra.is_empty() => part.member("text", "")?,
            Data::Nothing | Data::Whole(_) => {}
        }
        part.optional("thoughtSignature", self.signature.as_ref())?;
        part.end()
    }
}

fn without<'a>(extra: &'a JsonObject, name: &str) -> Cow<'a, JsonObject> {
    let mut extra = Cow::Borrowed(extra);
    if extra.contains_key(name) {
        extra.to_mut().remove(name);
    }
    extra
}

/// A call that the model made.
#[derive(Debug, Serialize)]
pub(super) struct Call<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    name: &'a str,
    args: Cow<'a, RawValue>,
    /// What else it said of the call.
    #[serde(flatten)]
    extra: Option<&'a JsonObject>,
}

impl<'a> Call<'a> {
    /// # Errors
    /// What is wrong with it.
    pub(super) fn of(call: &'a ToolCall, ours: bool) -> Result<Self, &'static str> {
        let arguments = match call.arguments.trim() {
            "" => "{}",
            arguments => arguments,
        };
        let args = serde_json::from_str(arguments).ok();
        let args = args.filter(|args: &&RawValue| args.get().starts_with('{'));
        let args = match args {
            Some(args) => Cow::Borrowed(args),
            // As Anthropic's documentation says, which has the only rule for it.
            None => Cow::Owned(
                to_raw_value(&json!({ "INVALID_JSON": arguments }))
                    .map_err(|_| "the arguments of a tool call can't be written as JSON")?,
            ),
        };
        Ok(Self {
            id: Some(&*call.id).filter(|id| !id.is_empty() && !made_up::is(id)),
            name: &call.name,
            args,
            extra: call
                .extra
                .get("functionCall")
                .and_then(Value::as_object)
                .filter(|_| ours),
        })
    }
}

/// A tool's answer.
#[derive(Debug)]
pub(super) struct Response<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) content: &'a str,
    pub(super) is_error: bool,
    pub(super) media: Vec<Media<'a>>,
    /// Which call of its message it answers.
    pub(super) order: Option<usize>,
}

impl Serialize for Response<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut response = serializer.serialize_map(None)?;
        if let Some(id) = self.id {
            response.serialize_entry("id", id)?;
        }
        response.serialize_entry("name", self.name)?;
        response.serialize_entry("response", &Answer(self))?;
        if !self.media.is_empty() {
            let media: Vec<_> = self.media.iter().map(Answered).collect();
            response.serialize_entry("parts", &media)?;
        }
        response.end()
    }
}

/// An object as it is; anything else as its `output`, or its `error`.
struct Answer<'a>(&'a Response<'a>);

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Response {
            content, is_error, ..
        } = *self.0;
        let json: Option<&RawValue> = serde_json::from_str(content).ok();
        let object = json.filter(|json| json.get().starts_with('{'));
        if let Some(object) = object
            && (!is_error || tells_error(object))
        {
            return object.serialize(serializer);
        }
        let name = if is_error { "error" } else { "output" };
        let mut answer = serializer.serialize_map(Some(1))?;
        match object {
            Some(object) => answer.serialize_entry(name, object)?,
            None => answer.serialize_entry(name, content)?,
        }
        answer.end()
    }
}

fn tells_error(object: &RawValue) -> bool {
    serde_json::from_str(object.get()).is_ok_and(|object: JsonObject| object.contains_key("error"))
}

/// Media in a tool's answer.
struct Answered<'a>(&'a Media<'a>);

impl Serialize for Answered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = match self.0 {
            Media::Inline { .. } => "inlineData",
            Media::Stored { .. } => "fileData",
        };
        let mut part = serializer.serialize_map(Some(1))?;
        part.serialize_entry(name, self.0)?;
        part.end()
    }
}

/// An image, a file or sound.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(super) enum Media<'a> {
    Inline {
        mime_type: &'a str,
        data: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        display_name: Option<&'a str>,
    },
    Stored {
        #[serde(skip_serializing_if = "Option::is_none")]
        mime_type: Option<&'a str>,
        file_uri: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        display_name: Option<&'a str>,
    },
}

impl<'a> Media<'a> {
    /// None for an upload that another provider has.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn of(
        media: &'a gatepass_core::Media,
        place: &Place,
        ours: bool,
    ) -> Result<Option<Self>, &'static str> {
        let mime_type = media.media_type.as_deref();
        if mime_type.is_some_and(|mime_type| !is_media_type(mime_type)) {
            return Err("a media type is none: write image/png, for instance");
        }
        let display_name = media.name.as_deref();
        Ok(Some(match &media.source {
            MediaSource::Base64(data) => Self::Inline {
                mime_type: mime_type
                    .ok_or("an image, a file or sound is sent along without its media type")?,
                data,
                display_name,
            },
            MediaSource::Url(url) => Self::Stored {
                mime_type,
                file_uri: url.clone(),
                display_name,
            },
            MediaSource::Id(_) if !ours => return Ok(None),
            MediaSource::Id(id) => Self::Stored {
                mime_type,
                file_uri: place.file(id),
                display_name,
            },
            _ => return Err("an image, a file or sound is at a place that this wire doesn't know"),
        }))
    }
}

/// `type/subtype` of RFC 6838 §4.2, with parameters or without.
fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        !name.is_empty() && name.chars().all(is_part)
    };
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    let names = essence.split_once('/');
    names.is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
        && !text.chars().any(char::is_control)
}

/// Members of the wire that `extra` adds to, rather than replaces.
pub(super) fn merge(ours: &mut JsonObject, extra: &JsonObject) {
    for (name, value) in extra {
        match (ours.get_mut(name), value) {
            (Some(Value::Object(ours)), Value::Object(extra)) => merge(ours, extra),
            _ => _ = ours.insert(name.clone(), value.clone()),
        }
    }
}
