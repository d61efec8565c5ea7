use super::JsonObject;
use serde::{Deserialize, Serialize};

/// An image, a file or sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Media {
    /// Its type, `image/png` for instance; a provider may need it even for an address.
    pub media_type: Option<String>,
    /// Its file name.
    pub name: Option<String>,
    /// Where it is.
    pub source: MediaSource,
    /// Fields of the provider's part that the vocabulary doesn't have.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub extra: JsonObject,
}

/// Where a piece of media is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MediaSource {
    /// An address that the provider fetches.
    Url(String),
    /// The content, base64 of RFC 4648 §4.
    Base64(String),
    /// The provider's id of an uploaded file.
    Id(String),
}

impl Media {
    /// Media at an address that the provider fetches.
    pub fn url(url: impl Into<String>) -> Self {
        Self::new(MediaSource::Url(url.into()))
    }

    /// Media of this type and base64 content.
    pub fn base64(media_type: impl Into<String>, content: impl Into<String>) -> Self {
        Self::new(MediaSource::Base64(content.into())).with_media_type(media_type)
    }

    /// Media that was uploaded to the provider before.
    pub fn id(id: impl Into<String>) -> Self {
        Self::new(MediaSource::Id(id.into()))
    }

    fn new(source: MediaSource) -> Self {
        Self {
            media_type: None,
            name: None,
            source,
            extra: JsonObject::new(),
        }
    }

    /// Sets the file name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the media type.
    #[must_use]
    pub fn with_media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }
}
