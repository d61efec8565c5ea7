//! What holds whatever bytes come: the tests try it with damaged answers, the fuzzer (`fuzz/`) with all that it thinks of.

use crate::sse::{SseDecoder, SseError};
use crate::status::{rate_limits, request_id, retry_after};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::{Duration, SystemTime};

/// An event stream: reads the same in one piece and cut as its own bytes say.
pub fn event_stream(stream: &[u8]) {
    let whole = read([stream]);
    let mut rest = stream;
    let chunks = std::iter::from_fn(|| {
        let size = usize::from(*rest.first()? % 7) + 1;
        let (chunk, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        Some(chunk)
    });
    assert_eq!(read(chunks), whole);
}

type Event = Result<(String, String), SseError>;

fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = SseDecoder::default();
    let mut events = Vec::new();
    for chunk in chunks {
        assert_eq!(decoder.push(chunk), Ok(()), "nothing here is large");
        drain(&mut decoder, &mut events);
    }
    decoder.finish();
    drain(&mut decoder, &mut events);
    events
}

fn drain(decoder: &mut SseDecoder, events: &mut Vec<Event>) {
    loop {
        match decoder.next() {
            Ok(None) => return,
            Ok(Some(event)) => events.push(Ok((event.name.into(), event.data.into()))),
            Err(error) => events.push(Err(error)),
        }
    }
}

/// Lines of `name: value`: pauses, limits and ids are read from them or not, and nothing is shown raw.
pub fn headers(lines: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n').take(50) {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        if let (Some(Ok(name)), Some(Ok(value))) = (
            parts.next().map(HeaderName::from_bytes),
            parts.next().map(HeaderValue::from_bytes),
        ) {
            headers.append(name, value);
        }
    }
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    _ = (retry_after(&headers, now), rate_limits(&headers));
    let id = request_id(&headers).unwrap_or_default();
    assert!(!id.chars().any(char::is_control), "{id:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass_testkit::{damaged, hostile};

    /// The fuzzer's, which are read in the ordinary tests, too.
    const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");

    #[test]
    fn no_stream_reads_differently_when_it_is_cut() {
        let stream = "\u{feff}: hi\n\nevent: a\ndata: 1\n\ndata:2\r\n\r\nid: 7\ndata: {\"x\":\"\u{fc}\"}\r\rdata: one\n\
            data: two\ndata\n\nretry: 5\nevent: z\n\ndata: [DONE]";
        event_stream(stream.as_bytes());
        (0..30_000).for_each(|seed| event_stream(&damaged(stream.as_bytes(), seed)));
        hostile(format!("{CORPUS}/event_stream"), event_stream);
    }

    #[test]
    fn no_header_makes_a_reader_panic() {
        let lines =
            b"retry-after:120\nretry-after-ms:1.5e3\nx-request-id:abc\nx-ratelimit-reset-tokens:6m0.5s\n\
            x-ratelimit-limit-requests:60\nanthropic-ratelimit-requests-reset:2026-01-01T00:00:00Z\n\
            retry-after:Thu, 01 Jan 2026 00:00:00 GMT";
        for line in lines.split(|byte| *byte == b'\n') {
            headers(line);
            (0..5_000).for_each(|seed| headers(&damaged(line, seed)));
        }
        (0..10_000).for_each(|seed| headers(&damaged(lines, seed)));
        hostile(format!("{CORPUS}/error_body"), headers);
    }
}
