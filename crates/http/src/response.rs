use crate::client::HttpOptions;
use crate::error::HttpError;
use bytes::{Bytes, BytesMut};
use gatepass_core::Phase;
use http::{HeaderMap, StatusCode, header};
use std::time::Duration;

/// The most bytes that an answer's head may have.
const HEAD_LIMIT: usize = 64 << 10;

/// An answer whose head is there and whose body may still be coming. Dropping it closes the connection.
#[derive(Debug)]
pub struct HttpResponse {
    host: String,
    inner: reqwest::Response,
    idle_timeout: Duration,
    /// For a body that is read whole.
    whole_timeout: Duration,
}

impl HttpResponse {
    pub(crate) fn new(
        host: String,
        inner: reqwest::Response,
        options: &HttpOptions,
    ) -> Result<Self, HttpError> {
        let head: usize = inner
            .headers()
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        if head > HEAD_LIMIT {
            return Err(HttpError::unreadable(&host, "its headers are larger than 64 KiB"));
        }
        // We never ask for one, so nothing is ever inflated, and a bomb stays as small as it came.
        let encoding = inner.headers().get(header::CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(HttpError::unreadable(
                &host,
                "it has a content encoding that nobody asked for",
            ));
        }
        Ok(Self {
            host,
            inner,
            idle_timeout: options.idle_timeout,
            whole_timeout: options.first_byte_timeout,
        })
    }

    /// Host and port of the server, for people.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// Waits for the next chunk of the body; `None` at its end.
    ///
    /// # Errors
    /// [`HttpError::Network`] when the connection breaks, or is silent for longer than the idle timeout.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        match tokio::time::timeout(self.idle_timeout, self.inner.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(HttpError::of(&self.host, error, Phase::Body)),
            Err(_) => Err(HttpError::timeout(&self.host, Phase::Idle)),
        }
    }

    /// Reads the whole body, if it has no more than `limit` bytes and comes within the time that an answer may
    /// take to begin.
    ///
    /// # Errors
    /// [`HttpError::Unreadable`] as soon as there is more; [`HttpError::Network`] as for [`chunk`](Self::chunk).
    pub async fn read(&mut self, limit: usize) -> Result<Bytes, HttpError> {
        let announced = self.inner.content_length().unwrap_or_default();
        if usize::try_from(announced).is_ok_and(|announced| announced > limit) {
            return Err(self.too_large(limit));
        }
        let whole_timeout = self.whole_timeout;
        match tokio::time::timeout(whole_timeout, self.read_chunks(limit)).await {
            Ok(body) => body,
            Err(_) => Err(HttpError::timeout(&self.host, Phase::Idle)),
        }
    }

    async fn read_chunks(&mut self, limit: usize) -> Result<Bytes, HttpError> {
        let Some(mut body) = self.chunk().await? else {
            return Ok(Bytes::new());
        };
        while let Some(chunk) = self.chunk().await? {
            if body.len() + chunk.len() > limit {
                return Err(self.too_large(limit));
            }
            // One chunk is the rule; a second one makes it a buffer that grows.
            let mut buffer = BytesMut::from(body);
            buffer.extend_from_slice(&chunk);
            body = buffer.freeze();
        }
        if body.len() > limit {
            Err(self.too_large(limit))
        } else {
            Ok(body)
        }
    }

    /// What an error answer says: the first 64 KiB of its body, and what comes within 10 s.
    pub(crate) async fn read_some(&mut self) -> Vec<u8> {
        const ENOUGH: usize = 64 << 10;
        let mut body = Vec::new();
        let reading = async {
            while let Ok(Some(chunk)) = self.chunk().await {
                body.extend_from_slice(&chunk);
                if body.len() >= ENOUGH {
                    break;
                }
            }
        };
        _ = tokio::time::timeout(Duration::from_secs(10), reading).await;
        body.truncate(ENOUGH);
        body
    }

    fn too_large(&self, limit: usize) -> HttpError {
        HttpError::unreadable(&self.host, format!("its body is larger than {limit} bytes"))
    }
}
