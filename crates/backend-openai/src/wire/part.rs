use crate::dialect::Dialect;
use crate::media::{Location, Sound, filename, is_uploaded};
use gatepass_core::{JsonObject, Media, MediaSource, Part};
use gatepass_wire::Members;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::sync::LazyLock;

static NOTHING: LazyLock<JsonObject> = LazyLock::new(JsonObject::new);

/// A piece of `content`.
pub(super) struct WirePart<'a> {
    pub(super) kind: Kind<'a>,
    /// What only this wire understands.
    pub(super) extra: &'a JsonObject,
}

pub(super) enum Kind<'a> {
    Text(&'a str),
    Image(Location<'a>),
    Sound(Sound<'a>),
    Uploaded(&'a str),
    Document {
        name: &'a str,
        location: Location<'a>,
    },
    /// Mistral's name for one.
    DocumentUrl(Location<'a>),
    Thought(&'a str),
    Other,
}

/// What is known of a message that a part stands in.
#[derive(Clone, Copy)]
pub(super) struct Context {
    pub(super) dialect: Dialect,
    /// Whether all of it may be sent here: see `Message::belongs_to`.
    pub(super) belongs: bool,
}

impl<'a> WirePart<'a> {
    /// The piece that says `part`; none for a part that stands elsewhere in the message, and for one that this
    /// wire has no place for.
    ///
    /// # Errors
    /// Why this wire can't say it.
    pub(super) fn of(part: &'a Part, context: Context) -> Result<Option<Self>, &'static str> {
        let kind = match part {
            Part::Text(text) => Kind::Text(text),
            Part::Image(media) | Part::File(media) | Part::Audio(media)
                if !context.belongs && is_uploaded(media) =>
            {
                return Ok(None);
            }
            Part::Image(image) => Kind::Image(Location::of(image, "an image without its media type")?),
            Part::Audio(sound) => Kind::Sound(Sound::of(sound)?),
            Part::File(file) => Kind::document(file, context.dialect)?,
            Part::Reasoning(thought) if context.belongs && is_piece(&thought.extra, context.dialect) => {
                Kind::Thought(&thought.text)
            }
            Part::Other(_) if context.belongs => Kind::Other,
            Part::Other(_) | Part::ToolCall(_) | Part::ToolResult(_) | Part::Reasoning(_) => return Ok(None),
            _ => return Err("a part that this wire doesn't have"),
        };
        let extra = if context.belongs { part.extra() } else { &NOTHING };
        Ok(Some(Self { kind, extra }))
    }

    pub(super) fn text(text: &'a str) -> Self {
        let kind = Kind::Text(text);
        Self {
            kind,
            extra: &NOTHING,
        }
    }

    /// The text, if it is nothing but that.
    pub(super) fn as_plain_text(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Text(text) if self.extra.is_empty() => Some(text),
            _ => None,
        }
    }
}

/// Whether a thought came as a piece of `content`, as Mistral's do.
fn is_piece(extra: &JsonObject, dialect: Dialect) -> bool {
    extra.get("type").and_then(Value::as_str) == Some("thinking") && dialect.takes_thoughts()
}

impl<'a> Kind<'a> {
    fn document(file: &'a Media, dialect: Dialect) -> Result<Self, &'static str> {
        if let MediaSource::Id(id) = &file.source {
            return Ok(Self::Uploaded(id));
        }
        let location = Location::of(file, "a file without its media type")?;
        Ok(match dialect {
            Dialect::Mistral => Self::DocumentUrl(location),
            _ => Self::Document {
                name: filename(file),
                location,
            },
        })
    }
}

#[derive(Serialize)]
struct Address<'a> {
    url: &'a Location<'a>,
    /// How closely the model looks: OpenAI has it beside the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a Value>,
}

#[derive(Serialize)]
struct Uploaded<'a> {
    file_id: &'a str,
}

#[derive(Serialize)]
struct Document<'a> {
    filename: &'a str,
    file_data: &'a Location<'a>,
}

impl Serialize for WirePart<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let (Kind::Image(url), Some(detail)) = (&self.kind, self.extra.get("detail")) {
            let mut extra = self.extra.clone();
            extra.remove("detail");
            let mut piece = Members::start(serializer, &extra)?;
            let detail = Some(detail);
            piece.member("type", "image_url")?;
            piece.member("image_url", &Address { url, detail })?;
            return piece.end();
        }
        let mut piece = Members::start(serializer, self.extra)?;
        match &self.kind {
            Kind::Text(text) => {
                piece.member("type", "text")?;
                piece.member("text", text)?;
            }
            Kind::Image(url) => {
                piece.member("type", "image_url")?;
                piece.member("image_url", &Address { url, detail: None })?;
            }
            Kind::Sound(sound) => {
                piece.member("type", "input_audio")?;
                piece.member("input_audio", sound)?;
            }
            Kind::Uploaded(file_id) => {
                piece.member("type", "file")?;
                piece.member("file", &Uploaded { file_id })?;
            }
            Kind::Document { name, location } => {
                let (filename, file_data) = (*name, location);
                piece.member("type", "file")?;
                piece.member("file", &Document { filename, file_data })?;
            }
            Kind::DocumentUrl(location) => {
                piece.member("type", "document_url")?;
                piece.member("document_url", location)?;
            }
            Kind::Thought(text) => piece.member("thinking", &[WirePart::text(text)])?,
            Kind::Other => {}
        }
        piece.end()
    }
}
