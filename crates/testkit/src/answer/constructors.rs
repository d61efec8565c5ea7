use super::{Answer, Opening, Step, gzip_bomb};
use bytes::Bytes;
use http::{HeaderValue, header};
use serde_json::Value;
use std::time::Duration;

impl Answer {
    /// A JSON body.
    ///
    /// # Panics
    /// If `status` is not between 100 and 999.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::new(status)
            .with_header("content-type", "application/json")
            .with_body(value.to_string())
    }

    /// A plain text body.
    ///
    /// # Panics
    /// If `status` is not between 100 and 999.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self::new(status)
            .with_header("content-type", "text/plain; charset=utf-8")
            .with_body(text.into())
    }

    /// Sends the client elsewhere; `status` is 301, 302, 303, 307 or 308.
    ///
    /// # Panics
    /// If `status` is not between 100 and 999, or `location` has a line break.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::new(status).with_header("location", location)
    }

    /// Server-sent events, as raw chunks: each goes out on its own, so cut them where it hurts, inside an event
    /// or a UTF-8 character.
    pub fn sse(chunks: impl IntoIterator<Item = impl Into<Bytes>>) -> Self {
        let mut answer = Self::new(200)
            .with_header("content-type", "text/event-stream; charset=utf-8")
            .with_header("cache-control", "no-cache");
        answer.steps = chunks.into_iter().map(|chunk| Step::Send(chunk.into())).collect();
        answer
    }

    /// Server-sent events with a pause before each but the first.
    pub fn slow_sse(chunks: impl IntoIterator<Item = impl Into<Bytes>>, interval: Duration) -> Self {
        let mut answer = Self::sse(chunks);
        let steps = std::mem::take(&mut answer.steps);
        for (index, step) in steps.into_iter().enumerate() {
            if index > 0 && !interval.is_zero() {
                answer.steps.push(Step::Wait(interval));
            }
            answer.steps.push(step);
        }
        answer
    }

    /// Takes the request and never answers.
    pub fn hang() -> Self {
        Self {
            opening: Opening::Silence,
            ..Self::new(200)
        }
    }

    /// Takes the request and closes the connection without a byte.
    pub fn close() -> Self {
        Self {
            opening: Opening::Close,
            ..Self::new(200)
        }
    }

    /// The head at once, the body byte by byte, with a pause before each.
    pub fn drip(body: impl Into<Bytes>, interval: Duration) -> Self {
        let mut answer = Self::new(200).with_body(body);
        let steps = std::mem::take(&mut answer.steps);
        for step in steps {
            let Step::Send(mut body) = step else { continue };
            while !body.is_empty() {
                answer.steps.push(Step::Wait(interval));
                answer.steps.push(Step::Send(body.split_to(1)));
            }
        }
        answer
    }

    /// The same chunk again and again, 1 GiB in all, without holding it in memory.
    pub fn endless(chunk: impl Into<Bytes>) -> Self {
        const GIB: u64 = 1 << 30;
        Self::new(200).then(Step::Repeat {
            chunk: chunk.into(),
            left: GIB,
        })
    }

    /// 1 MiB on the wire, 1 GiB when unpacked (`Content-Encoding: gzip`).
    pub fn gzip_bomb() -> Self {
        let mut answer = Self::new(200)
            .with_header("content-type", "application/json")
            .with_header("content-encoding", "gzip");
        answer
            .headers
            .insert(header::CONTENT_LENGTH, HeaderValue::from(gzip_bomb::LENGTH));
        answer.steps = gzip_bomb::steps();
        answer
    }

    /// Announces a longer body than it sends, then closes the connection.
    pub fn truncated(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let announced = body.len().saturating_add(1000);
        Self::new(200)
            .with_body(body)
            .with_header("content-length", announced.to_string())
            .then_close_abruptly()
    }
}
