//! Answers with status 200.

use crate::body::{is_stream, read_all};
use crate::error::is_html;
use crate::origin::Origin;
use crate::stream::{Events, StreamDecoder};
use crate::surrogate::mended;
use gatepass_core::{Answered, BackendError, ChatReply, ChatStream, ReplyMetadata};
use gatepass_http::{Bytes, Call, HttpError, HttpResponse, rate_limits, request_id};
use serde_json::Value;
use std::future::ready;

/// The most bytes that a whole answer may have; sound or an image in base64 fits.
pub const ANSWER_LIMIT: usize = 64 << 20;

/// Reads the JSON of a whole answer; the origin makes errors.
pub type Parse = fn(&Origin, &[u8]) -> Result<ChatReply, BackendError>;

/// A whole answer to what was `asked`, read with `parse`; with the reply's metadata. A server that answers with a stream all the
/// same is understood: a decoder reads it. An answer that lacks nothing but the end of its connection is whole.
///
/// # Errors
/// That of `asked`; [`BackendError::Decode`] for a page, for nothing, and for what `parse` can't read;
/// [`BackendError::Network`] for an answer that breaks off; [`BackendError::Interrupted`], with what had come, if it is a stream.
pub fn chat_reply<'a, D: StreamDecoder + Default>(
    asked: Result<Call<'a>, BackendError>,
    parse: Parse,
) -> Answered<'a, ChatReply> {
    match asked {
        // By hand, where `?` would do: it keeps a second place for the answer, and a future of over a kilobyte is more than
        // what an allocator has at hand.
        Ok(asked) => Box::pin(async move {
            match asked.send().await {
                Ok(mut response) => read_reply::<D>(&mut response, parse).await,
                Err(error) => Err(error),
            }
        }),
        Err(error) => Box::pin(ready(Err(error))),
    }
}

/// A streamed answer to what was `asked`. A server that answers in one piece all the same is understood: `parse` reads it.
///
/// # Errors
/// As [`chat_reply`], before the first event; later ones come through the stream.
pub fn chat_stream<'a, D: StreamDecoder + Default + 'a>(
    asked: Result<Call<'a>, BackendError>,
    parse: Parse,
) -> Answered<'a, ChatStream> {
    match asked {
        Ok(asked) => Box::pin(async move { read_stream::<D>(asked.send().await?, parse).await }),
        Err(error) => Box::pin(ready(Err(error))),
    }
}

async fn read_reply<D: StreamDecoder + Default>(
    response: &mut HttpResponse,
    parse: Parse,
) -> Result<ChatReply, BackendError> {
    let body = match response.read(ANSWER_LIMIT).await {
        Ok(body) => body,
        Err(error) => {
            let come = response.take_come();
            return salvaged::<D>(response, &come, error, parse);
        }
    };
    let metadata = metadata(response);
    let read = |origin: &Origin, body: &[u8]| read_either::<D>(origin, body, parse);
    with_metadata(read_whole(response, &body, read), metadata)
}

fn read_either<D: StreamDecoder + Default>(
    origin: &Origin,
    body: &[u8],
    parse: Parse,
) -> Result<ChatReply, BackendError> {
    if is_stream(body) {
        read_all::<D>(origin, body)
    } else {
        read_mended(origin, body, parse)
    }
}

/// Reads an answer with `parse`; once more, mended, if half a character stands in it.
fn read_mended(origin: &Origin, body: &[u8], parse: Parse) -> Result<ChatReply, BackendError> {
    match parse(origin, body) {
        Err(error @ BackendError::Decode { .. }) => {
            let mended = std::str::from_utf8(body).ok().and_then(mended);
            mended.map_or(Err(error), |body| parse(origin, body.as_bytes()))
        }
        read => read,
    }
}

fn with_metadata(
    read: Result<ChatReply, BackendError>,
    metadata: ReplyMetadata,
) -> Result<ChatReply, BackendError> {
    match read {
        Ok(mut reply) => {
            reply.metadata = metadata;
            Ok(reply)
        }
        Err(BackendError::Interrupted { mut partial, source }) => {
            partial.metadata = metadata;
            Err(BackendError::Interrupted { partial, source })
        }
        Err(error) => Err(error),
    }
}

/// What had `come` of an answer that broke off: all of it, if only the end of the connection is missing.
fn salvaged<D: StreamDecoder + Default>(
    response: &mut HttpResponse,
    come: &[u8],
    error: HttpError,
    parse: Parse,
) -> Result<ChatReply, BackendError> {
    let metadata = metadata(response);
    let origin = Origin::taking(response);
    let come = come.strip_prefix(BYTE_ORDER_MARK).unwrap_or(come);
    match with_metadata(read_either::<D>(&origin, come, parse), metadata) {
        Err(BackendError::Interrupted { partial, source }) => {
            let source = match *source {
                BackendError::Network { .. } => Box::new(origin.broken(error)),
                _ => source,
            };
            Err(BackendError::Interrupted { partial, source })
        }
        Err(BackendError::Network { .. } | BackendError::Decode { .. }) => Err(origin.broken(error)),
        read => read,
    }
}

async fn read_stream<D: StreamDecoder + Default>(
    mut response: HttpResponse,
    parse: Parse,
) -> Result<ChatStream, BackendError> {
    let metadata = metadata(&response);
    let chunk = beginning(&mut response).await?;
    let is_page = is_html(response.headers(), &chunk);
    let origin = Origin::taking(&mut response);
    if is_page {
        let what = format!("it is no event stream ({})", origin.content_type());
        return Err(origin.unreadable(what));
    }
    if chunk.trim_ascii_start().starts_with(b"{") {
        let rest = response.read(ANSWER_LIMIT).await;
        let come = rest.as_ref().map_or_else(|_| response.take_come(), Bytes::clone);
        let reply = match (read_mended(&origin, &[&*chunk, &*come].concat(), parse), rest) {
            (Err(BackendError::Decode { .. }), Err(error)) => Err(origin.broken(error)),
            (reply, _) => reply,
        };
        return Ok(ChatStream::of_reply(with_metadata(reply, metadata)?));
    }
    let events = Events::new(response, &chunk, origin, D::default())?;
    Ok(ChatStream::new(events).with_metadata(metadata))
}

/// What an answer begins with: its first chunk, as a rule. Servers under load send white space until they have an answer.
async fn beginning(response: &mut HttpResponse) -> Result<Bytes, BackendError> {
    let (mut beginning, mut come) = (Bytes::new(), 0);
    while come <= ANSWER_LIMIT {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Err(Origin::taking(response).unreadable("it is empty")),
            Err(error) => return Err(Origin::taking(response).broken(error)),
        };
        come += chunk.len();
        beginning = if beginning.is_empty() {
            chunk
        } else {
            [beginning, chunk].concat().into()
        };
        // All of a byte order mark, or a part.
        if BYTE_ORDER_MARK.starts_with(&beginning) {
            continue;
        }
        if beginning.starts_with(BYTE_ORDER_MARK) {
            beginning = beginning.slice(BYTE_ORDER_MARK.len()..);
        }
        if !beginning.trim_ascii().is_empty() {
            return Ok(beginning);
        }
        beginning.clear();
    }
    Err(Origin::taking(response).unreadable("it is nothing but white space"))
}

/// Reads any other answer in JSON with `parse`: vectors, a list of models, a count.
///
/// # Errors
/// As [`chat_reply`].
pub async fn read_json<T>(
    mut response: HttpResponse,
    parse: impl FnOnce(&Origin, &[u8]) -> Result<T, BackendError>,
) -> Result<T, BackendError> {
    let body = match response.read(ANSWER_LIMIT).await {
        Ok(body) => body,
        Err(error) => return Err(Origin::taking(&mut response).broken(error)),
    };
    read_whole(&mut response, &body, |origin, body| match parse(origin, body) {
        Err(error @ BackendError::Decode { .. }) => {
            Err(error_within(body).map_or(error, |told| origin.told(&told)))
        }
        read => read,
    })
}

fn read_whole<T>(
    response: &mut HttpResponse,
    body: &[u8],
    parse: impl FnOnce(&Origin, &[u8]) -> Result<T, BackendError>,
) -> Result<T, BackendError> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let is_page = is_html(response.headers(), body);
    let origin = Origin::taking(response);
    if is_page {
        return Err(origin.unreadable("it is an HTML page"));
    }
    if body.trim_ascii().is_empty() {
        return Err(origin.unreadable("it is empty"));
    }
    parse(&origin, body)
}

/// Before JSON it is a mistake (RFC 8259 §8.1) that gateways make.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What came beside an answer.
#[must_use]
pub fn metadata(response: &HttpResponse) -> ReplyMetadata {
    let mut metadata = ReplyMetadata::default();
    metadata.request_id = request_id(response.headers());
    metadata.rate_limits = rate_limits(response.headers());
    metadata
}

/// An error after what is `partial`; on its own, if nothing had come.
#[must_use]
pub fn broken_off(partial: ChatReply, source: BackendError) -> BackendError {
    if partial.message.parts.is_empty() {
        return source;
    }
    BackendError::Interrupted {
        partial: Box::new(partial),
        source: Box::new(source),
    }
}

/// The error that JSON says to be which stands in place of an answer, or of an event.
#[must_use]
pub fn error_in(json: &[u8]) -> Option<Value> {
    serde_json::from_slice(json).ok().filter(says_to_be_an_error)
}

/// The same where an answer has no member `error` that would be something else.
pub(crate) fn error_within(json: &[u8]) -> Option<Value> {
    let told: Value = serde_json::from_slice(json).ok()?;
    let is_error = told.get("error").is_some_and(|error| !error.is_null());
    (is_error || says_to_be_an_error(&told)).then_some(told)
}

/// Gateways that answer 200 to everything.
fn says_to_be_an_error(told: &Value) -> bool {
    let is_called_so = |name: &str| told.get(name).and_then(Value::as_str) == Some("error");
    let has_errors = told.get("errors").and_then(Value::as_array);
    let has_message = ["message", "msg", "error_msg"]
        .iter()
        .any(|name| told.get(*name).is_some_and(Value::is_string));
    let has_code = ["code", "error_code"]
        .iter()
        .any(|name| told.get(*name).is_some_and(is_code_of_error));
    let of_minimax = told.pointer("/base_resp/status_code").and_then(number);
    is_called_so("object")
        || is_called_so("type")
        || of_minimax.is_some_and(|code| code != 0)
        || told.get("success") == Some(&Value::Bool(false))
        || has_errors.is_some_and(|errors| !errors.is_empty())
        || (has_message && (has_code || told.get("status").and_then(number).is_some_and(is_of_error)))
}

/// A word, or a number that isn't one of those that mean success.
fn is_code_of_error(code: &Value) -> bool {
    let word = code.as_str().unwrap_or_default().to_ascii_lowercase();
    let is_word = !matches!(word.as_str(), "" | "ok" | "success");
    number(code).map_or(is_word, is_of_error)
}

const fn is_of_error(number: u64) -> bool {
    number >= 400
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
