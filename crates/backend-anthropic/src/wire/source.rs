use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatepass_core::{Media, MediaSource, printable};
use serde::Serialize;

/// Where an image or a document is.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Source<'a> {
    Base64 { media_type: &'a str, data: &'a str },
    Url { url: &'a str },
    File { file_id: &'a str },
    Text { media_type: &'static str, data: String },
}

impl<'a> Source<'a> {
    /// # Errors
    /// Why this wire can't say it.
    pub(super) fn of_image(image: &'a Media) -> Result<Self, String> {
        Self::elsewhere(image).map_or_else(|data| of_image_data(image, data), Ok)
    }

    /// # Errors
    /// Why this wire can't say it.
    pub(super) fn of_document(file: &'a Media) -> Result<Self, String> {
        Self::elsewhere(file).map_or_else(|data| of_document_data(file, data), Ok)
    }

    /// # Errors
    /// The content, if it is sent along.
    fn elsewhere(media: &'a Media) -> Result<Self, &'a str> {
        match &media.source {
            MediaSource::Url(url) => Ok(Self::Url { url }),
            MediaSource::Id(file_id) => Ok(Self::File { file_id }),
            MediaSource::Base64(data) => Err(data),
            _ => Err(""),
        }
    }
}

fn of_image_data<'a>(image: &'a Media, data: &'a str) -> Result<Source<'a>, String> {
    let media_type = image
        .media_type
        .as_deref()
        .ok_or("an image without its media type")?;
    match media_type {
        "image/jpeg" | "image/png" | "image/gif" | "image/webp" => Ok(Source::Base64 { media_type, data }),
        "image/jpg" => Ok(Source::Base64 {
            media_type: "image/jpeg",
            data,
        }),
        _ => Err(format!(
            "an image of the type {}: this provider takes JPEG, PNG, GIF and WebP",
            printable(media_type)
        )),
    }
}

fn of_document_data<'a>(file: &'a Media, data: &'a str) -> Result<Source<'a>, String> {
    let media_type = file
        .media_type
        .as_deref()
        .ok_or("a file without its media type")?;
    if media_type == "application/pdf" {
        return Ok(Source::Base64 { media_type, data });
    }
    if !is_text(media_type) {
        return Err(format!(
            "a file of the type {}: this provider takes PDF and text",
            printable(media_type)
        ));
    }
    let text = STANDARD.decode(data).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(Source::Text {
        media_type: "text/plain",
        data: text.ok_or("a text file whose content isn't base64 of UTF-8")?,
    })
}

/// The API has one type for all text.
fn is_text(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim_end();
    essence.starts_with("text/")
        || ["json", "xml", "yaml", "x-yaml", "toml", "javascript"]
            .iter()
            .any(|kind| essence.strip_prefix("application/") == Some(kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn media_is_said_by_where_it_is() {
        let said = |source: Result<Source<'_>, String>| serde_json::to_value(source.unwrap()).unwrap();
        assert_eq!(
            said(Source::of_image(&Media::base64("image/jpg", "AA=="))),
            json!({ "type": "base64", "media_type": "image/jpeg", "data": "AA==" })
        );
        assert_eq!(
            said(Source::of_image(&Media::url("https://a.example/a.png"))),
            json!({ "type": "url", "url": "https://a.example/a.png" })
        );
        assert_eq!(
            said(Source::of_document(&Media::id("file_1"))),
            json!({ "type": "file", "file_id": "file_1" })
        );
        assert_eq!(
            said(Source::of_document(&Media::base64("application/pdf", "AA=="))),
            json!({ "type": "base64", "media_type": "application/pdf", "data": "AA==" })
        );
        assert_eq!(
            said(Source::of_document(&Media::base64(
                "text/csv; charset=utf-8",
                "YSxi"
            ))),
            json!({ "type": "text", "media_type": "text/plain", "data": "a,b" })
        );
    }

    #[test]
    fn media_that_the_api_does_not_take_is_refused_with_what_it_takes() {
        let error = |media: Media| Source::of_image(&media).unwrap_err();
        assert_eq!(
            error(Media::base64("image/tiff", "AA==")),
            "an image of the type image/tiff: this provider takes JPEG, PNG, GIF and WebP"
        );
        let mut untyped = Media::base64("", "AA==");
        untyped.media_type = None;
        assert_eq!(error(untyped.clone()), "an image without its media type");
        assert_eq!(
            Source::of_document(&untyped).unwrap_err(),
            "a file without its media type"
        );
        assert_eq!(
            Source::of_document(&Media::base64("application/zip", "AA==")).unwrap_err(),
            "a file of the type application/zip: this provider takes PDF and text"
        );
        for content in ["no base64", "/w=="] {
            let error = Source::of_document(&Media::base64("text/plain", content)).unwrap_err();
            assert_eq!(error, "a text file whose content isn't base64 of UTF-8");
        }
    }
}
