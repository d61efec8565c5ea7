use super::Framing;
use super::script::{Answered, SCRIPT};
use bytes::Bytes;
use futures_core::Stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::fmt::Write;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use tokio::net::TcpStream;

/// What the model answers, whole.
pub const TEXT: &str = "An access token is a key that soon expires. Keep it, renew it a little before its end, and let \
    all who wait share one renewal instead of asking each for himself. If the renewal fails while the old key still \
    opens the door, go on with the old one and try again a little later, each time a little later than before.";

/// How many events a streamed answer has.
pub const EVENTS: usize = 10_000;

const WORDS: [&str; 8] = [" the", " key", " is", " renewed", ",", " and", " kept", "."];

/// How many bytes of text a streamed answer has.
#[must_use]
pub fn stream_bytes() -> usize {
    WORDS.iter().cycle().take(EVENTS).map(|word| word.len()).sum()
}

/// How many bytes all its events have.
pub(crate) fn streamed_bytes() -> usize {
    CHUNKS.iter().map(Bytes::len).sum()
}

type Body = UnsyncBoxBody<Bytes, Infallible>;

pub(super) async fn serve(connection: TcpStream) {
    let server = hyper::server::conn::http1::Builder::new();
    // A client that leaves early is not this server's concern.
    _ = server
        .serve_connection(TokioIo::new(connection), service_fn(answer))
        .await;
}

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let path = head.uri.path();
    if path == "/script" {
        SCRIPT.set(head.uri.query().unwrap_or_default());
        return Ok(json(200, "{}".to_owned()));
    }
    if path == "/requests" {
        return Ok(json(200, SCRIPT.requests().to_string()));
    }
    if path.ends_with("/token") {
        let Answered { status, body } = SCRIPT.token().await;
        return Ok(json(status, body));
    }
    let streamed = body.windows(13).any(|bytes| bytes == b"\"stream\":true");
    let framing = Framing::ALL
        .into_iter()
        .find(|framing| path.starts_with(framing.path()));
    Ok(match framing {
        Some(framing) if streamed => stream(framing),
        _ => json(200, CHAT.clone()),
    })
}

fn json(status: u16, body: String) -> Response<Body> {
    let mut response = Response::new(Full::from(body).boxed_unsync());
    *response.status_mut() = status.try_into().unwrap_or_default();
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn stream(framing: Framing) -> Response<Body> {
    let chunks = match framing {
        Framing::Block => &BLOCKS,
        Framing::Chunks | Framing::Flushed => &CHUNKS,
    };
    let sending = Sending {
        chunks,
        pauses: framing == Framing::Flushed,
        paused: false,
    };
    let mut response = Response::new(StreamBody::new(sending).boxed_unsync());
    let events = hyper::header::HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(CONTENT_TYPE, events);
    response
}

/// Chunk after chunk; with a pause after each, hyper sends each by itself.
struct Sending {
    chunks: &'static [Bytes],
    pauses: bool,
    paused: bool,
}

impl Stream for Sending {
    type Item = Result<Frame<Bytes>, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.pauses && !self.paused {
            self.paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.paused = false;
        let Some((first, rest)) = self.chunks.split_first() else {
            return Poll::Ready(None);
        };
        self.chunks = rest;
        Poll::Ready(Some(Ok(Frame::data(first.clone()))))
    }
}

static CHAT: LazyLock<String> = LazyLock::new(|| {
    format!(
        r#"{{"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion","created":1741569952,"model":"gpt-4o-mini-2024-07-18","choices":[{{"index":0,"message":{{"role":"assistant","content":"{TEXT}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":19,"completion_tokens":86,"total_tokens":105,"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}},"service_tier":"default","system_fingerprint":"fp_06737a9306"}}"#
    )
});

static CHUNKS: LazyLock<Vec<Bytes>> = LazyLock::new(|| {
    let words = WORDS.iter().cycle().take(EVENTS);
    let mut chunks: Vec<_> = words
        .map(|word| Bytes::from(event(&format!(r#"{{"content":"{word}"}}"#), "null")))
        .collect();
    chunks.push(Bytes::from(event("{}", "\"stop\"")));
    chunks.push(Bytes::from_static(b"data: [DONE]\n\n"));
    chunks
});

static BLOCKS: LazyLock<Vec<Bytes>> = LazyLock::new(|| {
    let whole = Bytes::from(CHUNKS.concat());
    let cuts = (0..whole.len()).step_by(16 * 1024);
    cuts.map(|cut| whole.slice(cut..whole.len().min(cut + 16 * 1024)))
        .collect()
});

fn event(delta: &str, reason: &str) -> String {
    let mut event = String::from("data: ");
    _ = write!(
        event,
        r#"{{"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion.chunk","created":1741570283,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_06737a9306","choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{reason}}}]}}"#
    );
    event.push_str("\n\n");
    event
}
