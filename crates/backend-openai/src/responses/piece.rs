use super::item::ITEM;
use crate::media::{Location, Sound, filename, is_uploaded};
use gatepass_core::{JsonObject, Media, MediaSource, Part, Text};
use gatepass_wire::Members;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;
use std::sync::LazyLock;

static NOTHING: LazyLock<JsonObject> = LazyLock::new(JsonObject::new);

/// A piece of what goes in: text, an image, a file.
pub(super) enum Piece<'a> {
    Text {
        text: &'a str,
        extra: &'a JsonObject,
    },
    Image {
        source: Source<'a>,
        extra: &'a JsonObject,
    },
    File {
        file: &'a Media,
        source: Source<'a>,
        extra: &'a JsonObject,
    },
    Sound {
        sound: Sound<'a>,
        extra: &'a JsonObject,
    },
    Other(&'a JsonObject),
}

/// Where media is.
pub(super) enum Source<'a> {
    Uploaded(&'a str),
    At(Location<'a>),
}

impl<'a> Piece<'a> {
    /// The piece that says `part`; none for what stands elsewhere, or can't be sent here.
    ///
    /// # Errors
    /// Why this wire can't say it.
    pub(super) fn of(part: &'a Part, belongs: bool) -> Result<Option<Self>, &'static str> {
        let extra = if belongs { part.extra() } else { &*NOTHING };
        Ok(Some(match part {
            Part::Text(text) => Self::text(text, extra),
            Part::Image(media) | Part::File(media) if !belongs && is_uploaded(media) => return Ok(None),
            Part::Image(image) => Self::Image {
                source: Source::of(image, "an image without its media type")?,
                extra,
            },
            Part::File(file) => Self::File {
                file,
                source: Source::of(file, "a file without its media type")?,
                extra,
            },
            Part::Audio(sound) => Self::Sound {
                sound: Sound::of(sound)?,
                extra,
            },
            Part::Other(piece) if belongs => Self::Other(piece),
            Part::Other(_) | Part::ToolCall(_) | Part::ToolResult(_) | Part::Reasoning(_) => return Ok(None),
            _ => return Err("a part that this wire doesn't have"),
        }))
    }

    pub(super) const fn text(text: &'a str, extra: &'a JsonObject) -> Self {
        Self::Text { text, extra }
    }

    /// Whether an object is a piece of a message, and no item of its own.
    pub(super) fn is_piece(object: &JsonObject) -> bool {
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
        kind.starts_with("input_") || matches!(kind, "output_text" | "refusal" | "text" | "summary_text")
    }
}

impl<'a> Source<'a> {
    fn of(media: &'a Media, untyped: &'static str) -> Result<Self, &'static str> {
        Ok(match &media.source {
            MediaSource::Id(id) => Self::Uploaded(id),
            _ => Self::At(Location::of(media, untyped)?),
        })
    }
}

impl Serialize for Piece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text { text, extra } => {
                let mut piece = Members::start(serializer, extra)?;
                piece.member("type", "input_text")?;
                piece.member("text", text)?;
                piece.end()
            }
            Self::Image { source, extra } => {
                let mut piece = Members::start(serializer, extra)?;
                piece.member("type", "input_image")?;
                match source {
                    Source::Uploaded(id) => piece.member("file_id", id)?,
                    Source::At(location) => piece.member("image_url", location)?,
                }
                piece.end()
            }
            Self::File { file, source, extra } => {
                let mut piece = Members::start(serializer, extra)?;
                piece.member("type", "input_file")?;
                match source {
                    Source::Uploaded(id) => piece.member("file_id", id)?,
                    Source::At(url @ Location::Remote(_)) => piece.member("file_url", url)?,
                    Source::At(data) => {
                        piece.member("filename", filename(file))?;
                        piece.member("file_data", data)?;
                    }
                }
                piece.end()
            }
            Self::Sound { sound, extra } => {
                let mut piece = Members::start(serializer, extra)?;
                piece.member("type", "input_audio")?;
                piece.member("input_audio", sound)?;
                piece.end()
            }
            Self::Other(piece) => piece.serialize(serializer),
        }
    }
}

/// A piece of what the assistant said.
pub(super) enum Spoken<'a> {
    Text(&'a Text),
    Other(&'a JsonObject),
}

impl<'a> Spoken<'a> {
    pub(super) const fn extra(&self) -> &'a JsonObject {
        match self {
            Self::Text(text) => &text.extra,
            Self::Other(piece) => piece,
        }
    }
}

impl Spoken<'_> {
    /// Whether there is more to it than the item that it is a piece of.
    pub(super) fn is_said(&self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty() || text.extra.keys().any(|name| name != ITEM),
            Self::Other(_) => true,
        }
    }
}

impl Serialize for Spoken<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let extra = self.extra();
        let mut piece = serializer.serialize_map(None)?;
        if let Self::Text(text) = self {
            if extra.get("type").and_then(Value::as_str) == Some("refusal") {
                piece.serialize_entry("refusal", &text.text)?;
            } else {
                piece.serialize_entry("text", &text.text)?;
                // The API wants the list, even an empty one.
                if !extra.contains_key("annotations") {
                    piece.serialize_entry("annotations", &[(); 0])?;
                }
                if !extra.contains_key("type") {
                    piece.serialize_entry("type", "output_text")?;
                }
            }
        }
        for (name, value) in extra.iter().filter(|(name, _)| *name != ITEM) {
            piece.serialize_entry(name, value)?;
        }
        piece.end()
    }
}
