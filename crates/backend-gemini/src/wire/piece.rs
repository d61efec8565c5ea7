use super::made_up;
use super::partial::Partial;
use gatepass_core::{JsonObject, Media, Part, Reasoning, Text as TextPart, ToolCall};
use gatepass_wire::{Object, Optional, Text, pass_over, read_into, weight};
use serde::de::MapAccess;
use serde_json::Value;
use serde_json::value::RawValue;

/// A part of an answer.
#[derive(Debug, Default)]
pub(super) struct Piece<'a> {
    text: Option<Text<'a>>,
    is_thought: bool,
    signature: Text<'a>,
    call: Option<Box<Call<'a>>>,
    inline: Option<Box<Blob<'a>>>,
    stored: Option<Box<Blob<'a>>>,
    rest: JsonObject,
}

impl<'de> Object<'de> for Piece<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "text" => self.text = members.next_value::<Option<Text<'de>>>()?,
            "thought" => self.is_thought = members.next_value::<Value>()? == Value::Bool(true),
            "thoughtSignature" => self.signature = members.next_value()?,
            "functionCall" => read_into(Optional(&mut self.call), members)?,
            "inlineData" => read_into(Optional(&mut self.inline), members)?,
            "fileData" => read_into(Optional(&mut self.stored), members)?,
            _ => keep_all(&mut self.rest, name, members)?,
        }
        Ok(())
    }
}

/// A call of a tool.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    id: Text<'a>,
    name: Text<'a>,
    args: Option<&'a RawValue>,
    rest: JsonObject,
}

impl<'de> Object<'de> for Call<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "id" => self.id = members.next_value()?,
            "name" => self.name = members.next_value()?,
            "args" => self.args = members.next_value()?,
            _ => keep_all(&mut self.rest, name, members)?,
        }
        Ok(())
    }
}

/// Media, or where it is.
#[derive(Debug, Default)]
struct Blob<'a> {
    mime_type: Text<'a>,
    data: Text<'a>,
    uri: Text<'a>,
    name: Text<'a>,
}

impl<'de> Object<'de> for Blob<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "mimeType" => self.mime_type = members.next_value()?,
            "data" => self.data = members.next_value()?,
            "fileUri" => self.uri = members.next_value()?,
            "displayName" => self.name = members.next_value()?,
            _ => pass_over(members)?,
        }
        Ok(())
    }
}

/// Keeps a member as it stands, so that the part can be sent back as it came.
fn keep_all<'de, A: MapAccess<'de>>(
    rest: &mut JsonObject,
    name: Text<'de>,
    members: &mut A,
) -> Result<(), A::Error> {
    let value: Value = members.next_value()?;
    if !value.is_null() {
        rest.extend(name.into_owned().map(|name| (name, value)));
    }
    Ok(())
}

/// What the calls of an answer are numbered by.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// The answer's id.
    reply: String,
    pub(super) count: usize,
    /// The one whose arguments are still coming.
    open: Option<Partial>,
}

impl Calls {
    /// Of the answer `reply`.
    pub(super) fn of(reply: &Text<'_>) -> Self {
        Self {
            reply: reply.as_str().to_owned(),
            ..Self::default()
        }
    }

    /// The one whose arguments were still coming when the answer ended.
    pub(super) fn close(&mut self) -> Option<Part> {
        let open = self.open.take()?;
        self.count += 1;
        Some(Part::ToolCall(open.whole()))
    }
}

impl Piece<'_> {
    /// So many bytes of it wait for the rest of a call.
    pub(super) fn held_back(&self) -> usize {
        let pieces = self.call.as_ref().and_then(|call| call.rest.get("partialArgs"));
        pieces.map_or(0, weight)
    }

    /// What it is in our vocabulary: a part, and its proof where the part has no place for that.
    pub(super) fn into_parts(self, calls: &mut Calls) -> [Option<Part>; 2] {
        let signature = self.signature.into_owned();
        if let Some(call) = self.call {
            return call.into_parts(signature, self.rest, calls);
        }
        let text = self.text.filter(|text| !text.is_empty());
        let blob = self.inline.map(Place::Inline).or(self.stored.map(Place::Stored));
        let part = match (text, blob) {
            (Some(text), _) if self.is_thought => {
                let mut thought = Reasoning::new(text.as_str());
                thought.signature = signature;
                thought.extra = self.rest;
                return [Some(Part::Reasoning(thought)), None];
            }
            (Some(text), _) => {
                let mut text = TextPart::new(text.into_owned().unwrap_or_default());
                text.extra = self.rest;
                Part::Text(text)
            }
            (None, Some(blob)) if !self.is_thought => blob.into_part(self.rest),
            (None, blob) => return [whole(self.rest, blob, self.is_thought, signature), None],
        };
        [Some(part), signature.map(proof)]
    }
}

/// The proof of the part before it.
fn proof(signature: String) -> Part {
    Part::Reasoning(Reasoning::default().with_signature(signature))
}

/// A part that the vocabulary doesn't have, as it stands: code and its result, what Google's own tools were asked
/// and answered, an image that is a thought. A proof on its own is a thought without text.
fn whole(
    mut members: JsonObject,
    blob: Option<Place<'_>>,
    is_thought: bool,
    signature: Option<String>,
) -> Option<Part> {
    let says_nothing = members.is_empty() && blob.is_none();
    members.extend(blob.map(Place::into_member));
    if is_thought {
        members.insert("thought".into(), true.into());
    }
    if !says_nothing {
        members.extend(signature.map(|signature| ("thoughtSignature".to_owned(), signature.into())));
        return Some(Part::Other(members));
    }
    let mut thought = Reasoning::default().with_signature(signature?);
    members.insert("text".into(), "".into());
    thought.extra = members;
    Some(Part::Reasoning(thought))
}

impl Call<'_> {
    /// The call, if it is whole; and the one before it, if that never ended.
    fn into_parts(
        mut self,
        signature: Option<String>,
        extra: JsonObject,
        calls: &mut Calls,
    ) -> [Option<Part>; 2] {
        let goes_on = self.rest.remove("willContinue") == Some(Value::Bool(true));
        let pieces = self.rest.remove("partialArgs");
        let before = if self.name.is_empty() { None } else { calls.close() };
        if !self.name.is_empty() && !goes_on && pieces.is_none() {
            let call = self.into_call(signature, extra, calls);
            calls.count += 1;
            return [before, Some(Part::ToolCall(call))];
        }
        if !self.name.is_empty() {
            let call = self.into_call(signature.clone(), extra, calls);
            calls.open = Some(Partial::new(call));
        }
        if let Some(open) = &mut calls.open {
            open.add(&pieces.unwrap_or_default(), signature);
        }
        let part = if goes_on { None } else { calls.close() };
        [before, part]
    }

    fn into_call(self, signature: Option<String>, extra: JsonObject, calls: &Calls) -> ToolCall {
        let id = self
            .id
            .into_owned()
            .unwrap_or_else(|| made_up::id(&calls.reply, calls.count));
        let args = self.args.map_or("null", RawValue::get);
        let args = if args == "null" {
            "{}".into()
        } else {
            compact(args)
        };
        let mut call = ToolCall::new(id, self.name.as_str(), args);
        call.signature = signature;
        call.extra = extra;
        if !self.rest.is_empty() {
            call.extra.insert("functionCall".into(), self.rest.into());
        }
        call
    }
}

/// JSON without the white space around its values, which Google indents; else as it is.
fn compact(json: &str) -> String {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let is_kept = |c: &char| {
        let was_quoted = is_quoted;
        is_quoted = if is_quoted {
            *c != '"' || is_escaped
        } else {
            *c == '"'
        };
        is_escaped = was_quoted && *c == '\\' && !is_escaped;
        was_quoted || !c.is_ascii_whitespace()
    };
    json.chars().filter(is_kept).collect()
}

/// Where media is.
enum Place<'a> {
    Inline(Box<Blob<'a>>),
    Stored(Box<Blob<'a>>),
}

impl Place<'_> {
    fn into_part(self, extra: JsonObject) -> Part {
        let (mut media, blob) = match self {
            Self::Inline(blob) => (Media::base64(blob.mime_type.as_str(), blob.data.as_str()), blob),
            Self::Stored(blob) => (Media::url(blob.uri.as_str()), blob),
        };
        media.media_type = blob.mime_type.into_owned();
        media.name = blob.name.into_owned();
        media.extra = extra;
        let kind = media.media_type.as_deref().unwrap_or_default();
        if kind.starts_with("image/") {
            Part::Image(media)
        } else if kind.starts_with("audio/") {
            Part::Audio(media)
        } else {
            Part::File(media)
        }
    }

    fn into_member(self) -> (String, Value) {
        let (name, blob) = match self {
            Self::Inline(blob) => ("inlineData", blob),
            Self::Stored(blob) => ("fileData", blob),
        };
        let members = [
            ("mimeType", blob.mime_type),
            ("data", blob.data),
            ("fileUri", blob.uri),
            ("displayName", blob.name),
        ];
        let members = members.into_iter();
        let members = members.filter_map(|(name, text)| Some((name.to_owned(), text.into_owned()?.into())));
        (name.into(), members.collect::<JsonObject>().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_but_where_it_is_said() {
        let json = "{\n  \"a b\" : [ 1.0, \"\\\" \\\\\" ,\t\"\\\\\\\" c d\" ]\r\n}";
        assert_eq!(compact(json), r#"{"a b":[1.0,"\" \\","\\\" c d"]}"#);
        let same: Value = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&compact(json)).unwrap(), same);
    }
}
