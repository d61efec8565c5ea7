use gatepass_core::{JsonObject, Media, MediaSource, Part};
use serde::{Serialize, Serializer};
use std::fmt;

/// A piece of `content`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum WirePart<'a> {
    Text {
        text: &'a str,
    },
    ImageUrl {
        image_url: Address<'a>,
    },
    InputAudio {
        input_audio: Sound<'a>,
    },
    File {
        file: Document<'a>,
    },
    #[serde(untagged)]
    Other(&'a JsonObject),
}

#[derive(Serialize)]
pub(super) struct Address<'a> {
    url: Location<'a>,
}

#[derive(Serialize)]
pub(super) struct Sound<'a> {
    data: &'a str,
    format: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Document<'a> {
    Uploaded {
        file_id: &'a str,
    },
    Sent {
        filename: Filename<'a>,
        file_data: Location<'a>,
    },
}

impl<'a> WirePart<'a> {
    /// The piece that says `part`; none for a part that stands elsewhere in the message, and for thoughts,
    /// which this wire has no place for.
    ///
    /// # Errors
    /// Why this wire can't say it.
    pub(super) fn of(part: &'a Part) -> Result<Option<Self>, &'static str> {
        Ok(Some(match part {
            Part::Text(text) => Self::Text { text },
            Part::Image(image) => Self::ImageUrl {
                image_url: Address {
                    url: Location::of(image, "an image without its media type")?,
                },
            },
            Part::Audio(sound) => Self::InputAudio {
                input_audio: Sound::of(sound)?,
            },
            Part::File(file) => Self::File {
                file: Document::of(file)?,
            },
            Part::Other(members) => Self::Other(members),
            Part::ToolCall(_) | Part::ToolResult(_) | Part::Reasoning(_) => return Ok(None),
            _ => return Err("a part that this wire doesn't have"),
        }))
    }
}

impl<'a> Sound<'a> {
    fn of(sound: &'a Media) -> Result<Self, &'static str> {
        let MediaSource::Base64(data) = &sound.source else {
            return Err("sound that isn't sent along");
        };
        let media_type = sound
            .media_type
            .as_deref()
            .ok_or("sound without its media type")?;
        let format = match media_type.rsplit('/').next().unwrap_or_default() {
            "mpeg" | "mpeg3" | "x-mpeg" => "mp3",
            "wave" | "x-wav" | "vnd.wave" => "wav",
            format => format.strip_prefix("x-").unwrap_or(format),
        };
        Ok(Self { data, format })
    }
}

impl<'a> Document<'a> {
    fn of(file: &'a Media) -> Result<Self, &'static str> {
        Ok(match &file.source {
            MediaSource::Id(file_id) => Self::Uploaded { file_id },
            _ => Self::Sent {
                filename: Filename(file),
                file_data: Location::of(file, "a file without its media type")?,
            },
        })
    }
}

/// An address: that of the media, or the media itself as a `data:` URL (RFC 2397).
pub(super) enum Location<'a> {
    Remote(&'a str),
    Data { media_type: &'a str, content: &'a str },
}

impl<'a> Location<'a> {
    fn of(media: &'a Media, untyped: &'static str) -> Result<Self, &'static str> {
        match (&media.source, media.media_type.as_deref()) {
            (MediaSource::Url(url), _) => Ok(Self::Remote(url)),
            (MediaSource::Base64(content), Some(media_type)) => Ok(Self::Data { media_type, content }),
            (MediaSource::Base64(_), None) => Err(untyped),
            _ => Err("an image by the id of an upload"),
        }
    }
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(url) => f.write_str(url),
            Self::Data { media_type, content } => write!(f, "data:{media_type};base64,{content}"),
        }
    }
}

impl Serialize for Location<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Remote(url) => serializer.serialize_str(url),
            Self::Data { .. } => serializer.collect_str(self),
        }
    }
}

/// The name of a file; OpenAI wants one.
pub(super) struct Filename<'a>(&'a Media);

impl Serialize for Filename<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (&self.0.name, self.0.media_type.as_deref()) {
            (Some(name), _) => serializer.serialize_str(name),
            (None, Some("application/pdf")) => serializer.serialize_str("document.pdf"),
            (None, _) => serializer.serialize_str("document"),
        }
    }
}
