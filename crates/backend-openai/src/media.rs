//! Images, files and sound, as OpenAI's wires write them.

use gatepass_core::{Media, MediaSource};
use serde::{Serialize, Serializer};
use std::fmt;

/// Whether it is an upload, which nobody but its provider knows.
pub(crate) const fn is_uploaded(media: &Media) -> bool {
    matches!(media.source, MediaSource::Id(_))
}

/// Sound: `{"data":…,"format":…}`.
#[derive(Serialize)]
pub(crate) struct Sound<'a> {
    data: &'a str,
    format: &'a str,
}

impl<'a> Sound<'a> {
    pub(crate) fn of(sound: &'a Media) -> Result<Self, &'static str> {
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

/// An address: that of the media, or the media itself as a `data:` URL (RFC 2397).
pub(crate) enum Location<'a> {
    Remote(&'a str),
    Data { media_type: &'a str, content: &'a str },
}

impl<'a> Location<'a> {
    pub(crate) fn of(media: &'a Media, untyped: &'static str) -> Result<Self, &'static str> {
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
pub(crate) fn filename(file: &Media) -> &str {
    match (&file.name, file.media_type.as_deref()) {
        (Some(name), _) => name,
        (None, Some("application/pdf")) => "document.pdf",
        (None, _) => "document",
    }
}
